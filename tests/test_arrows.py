"""Which package may import which, and where third-party libraries may be imported."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "lib_trainer"
MAY_IMPORT = {  # package or module -> packages and modules of lib_trainer that it may import
    "core": set(),
    "jobs": {"core"},
    "images": {"core"},
    "models": {"core"},
    "trainables": {"core", "models"},
    "dataset": {"core", "images"},
    "weights": {"core", "models", "trainables"},
    "training": {"core", "dataset", "models", "trainables", "weights"},
    "comparison": {"core", "models", "trainables", "weights"},
    "presets": {"core"},
    "flags": {"core"},
    "terminal": {"core"},
    "steps": {
        "comparison.options",
        "core",
        "images.captioners.fetching_options",
        "images.captioners.options",
        "images.duplicates.options",
        "images.importing.options",
        "images.options",
        "images.promptlog.options",
        "images.wording.options",
        "trainables",
        "training.options",
        "images.doctor.options",
    },
    "worker": {"core", "steps"},
    "demo": {"core", "jobs", "steps", "presets"},
    "ui": {
        "core", "jobs", "steps", "presets", "comparison.options", "comparison.plan", "demo.places", "images.bin",
        "images.bin_journal", "images.buckets", "images.caption_concerns", "images.caption_history",
        "images.captioners", "images.captions", "images.crops.drawn", "images.encodings", "images.metadata",
        "images.options", "images.promptlog.files", "images.promptlog.rows", "images.rewording", "images.suffixes",
        "images.wording", "models.sampler_names",
    },
    "cli": {"core", "jobs", "steps", "demo", "flags", "presets", "terminal", "ui.options", "ui.page_process"},
    "__main__": {"cli"},
}
FOR_TYPES_ONLY = {"dataset": {"models.model", "models.prompt"}}
HOST_SIDE = ("core", "jobs", "presets", "demo", "flags", "terminal", "steps", "worker", "ui", "cli", "__main__")
# What a host brings with it, and which module alone may count on that.
OF_THE_HOST = {"lib_trainer.ui.mount": {"starlette"}}
ENGINE_LIBRARIES = {"torch", "numpy", "PIL", "safetensors"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def name_of(path):
    """`lib_trainer.core.events` of that file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(tree, for_types=None):
    """What a syntax tree imports: all of it, or only what lies (not) under TYPE_CHECKING."""
    for node in tree:
        under = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            yield node.module
            inside = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name for name in inside if is_module(name))
        elif not (under and for_types is False):
            yield from imports_of(ast.iter_child_nodes(node), for_types)


def is_module(name):
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def at_module_level(path):
    """What is imported when the module is: nothing inside functions, nothing for the types only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return set(imports_of(_without_functions(tree.body), for_types=False))


def _without_functions(body):
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(node, ast.ClassDef):
            yield from _without_functions(node.body)
        else:
            yield node


def owner(name):
    """`core` of `lib_trainer.core.events`; nothing for the package itself."""
    return [*name.split("."), ""][1]


def may_import(package, name):
    inside = name.removeprefix("lib_trainer").removeprefix(".")
    return not inside or owner(name) == package or any(
        inside == allowed or inside.startswith(f"{allowed}.") or allowed.startswith(f"{inside}.")
        for allowed in MAY_IMPORT[package]
    )


def test_every_package_and_module_has_its_arrows():
    assert set(MAY_IMPORT) == {owner(name_of(path)) for path in MODULES} - {""}


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_what_lies_below_it(package):
    wrong = []
    for path in MODULES:
        if owner(name_of(path)) != package:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8")).body
        always = set(imports_of(tree, for_types=False))
        for name in sorted(set(imports_of(tree))):
            if not name.startswith("lib_trainer") or may_import(package, name):
                continue
            only_for_types = name not in always and name.removeprefix("lib_trainer.") in FOR_TYPES_ONLY.get(package, ())
            if not only_for_types:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


def host_side_modules():
    """All modules that the host imports, whatever their package: what the host-side packages reach."""
    files = {name_of(path): path for path in MODULES}
    waiting = [name for name in files if owner(name) in HOST_SIDE]
    reached = set()
    while waiting:
        name = waiting.pop()
        if name in reached or name not in files:
            continue
        reached.add(name)
        waiting += at_module_level(files[name])
        waiting.append(name.rpartition(".")[0])
    return {name: files[name] for name in sorted(reached)}


def test_the_host_side_needs_nothing_but_pythons_own_library():
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for module, path in host_side_modules().items()
        for name in sorted(at_module_level(path))
        if name.split(".")[0] not in sys.stdlib_module_names | {"lib_trainer"} | OF_THE_HOST.get(module, set())
    ]
    assert wrong == []


def test_the_host_side_reaches_the_options_of_every_step():
    reached = set(host_side_modules())
    options = {name_of(path) for path in MODULES if path.stem == "options"}
    assert options <= reached
    assert "lib_trainer.trainables.lora" in reached


def test_modules_of_the_engine_import_only_its_light_libraries_outside_of_functions():
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in MODULES
        for name in sorted(at_module_level(path))
        if name.split(".")[0] not in sys.stdlib_module_names | {"lib_trainer"} | ENGINE_LIBRARIES
        | OF_THE_HOST.get(name_of(path), set())
    ]
    assert wrong == []


@pytest.mark.parametrize("module", ["cli", "steps", "worker", "flags", "terminal", "presets", "demo.options",
                                    "jobs.launcher", "jobs.environment", "training.options", "comparison.plan",
                                    "ui.server", "ui.page_process"])  # fmt: skip
def test_it_can_really_be_imported_with_nothing_installed(module):
    """-I: no PYTHONPATH, no user packages; -S: no site-packages."""
    code = (
        f"import sys; sys.path.append({str(ROOT)!r}); import lib_trainer.{module};"
        "files = [str(getattr(module, '__file__', '')) for module in sys.modules.values()];"
        "print([file for file in files if 'site-packages' in file])"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == "[]"


def test_nothing_but_the_command_line_writes_to_the_terminal():
    wrong = []
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
        names = {function.id for function in called if isinstance(function, ast.Name)}
        if "print" in names:
            wrong.append(str(path.relative_to(ROOT)))
    assert wrong == []


def test_the_check_sees_an_arrow_that_points_up():
    tree = ast.parse("def build():\n    from lib_trainer.training import train\n").body
    (found,) = {name for name in imports_of(tree) if not may_import("core", name)} - {"lib_trainer.training.train"}
    assert found == "lib_trainer.training"
