"""The trainer's flags on the WebUI's command line, which it asks for before anything else is loaded."""

from __future__ import annotations

from argparse import ArgumentParser

DIR = "folder for the trainer's engine, projects and runs; 'data' in the extension's folder if not given"
PYTHON = "a Python that has the trainer's packages already; it is used as it is"
ANY_FOLDER = "let the trainer use folders outside the WebUI's data, even where others can reach it (--listen, --share)"


def preload(parser: ArgumentParser) -> None:
    """Add our flags."""
    parser.add_argument("--trainer-dir", metavar="FOLDER", help=DIR)
    parser.add_argument("--trainer-python", metavar="FILE", help=PYTHON)
    parser.add_argument("--trainer-any-folder", action="store_true", help=ANY_FOLDER)
