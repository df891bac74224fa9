"""Train Stable Diffusion models from a WebUI tab or the command line.

    images/ -> dataset/ -> training/ -> weights/ -> comparison/

Each folder above is one step's work; `steps.py` lists the steps. `models/` and `trainables/` say what can be trained,
`jobs/` runs a step in the engine's own process, `ui/` and `cli.py` start jobs, and `core/` lies below everything.
"""

__version__ = "0.1.0"
