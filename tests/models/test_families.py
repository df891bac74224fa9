import subprocess
import sys
from pathlib import Path

from lib_trainer.models.families import FAMILIES

ROOT = Path(__file__).parents[2]
BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "diffusers", "transformers", "numpy", "PIL", "safetensors", "yaml"}:
            raise ImportError(name + " is blocked")
sys.meta_path.insert(0, Blocked())
import lib_trainer.models.families, lib_trainer.models.samplers
"""


def test_families_stand_under_their_own_names():
    assert {name: family.name for name, family in FAMILIES.items()} == {name: name for name in ("sd1", "sd2", "sdxl")}


def test_the_tables_need_the_standard_library_only():
    subprocess.run([sys.executable, "-c", BLOCKED], cwd=ROOT, check=True)
