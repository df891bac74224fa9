"""Each option has a test that fails when the option is ignored: the tests say which with `@pytest.mark.option`."""

from __future__ import annotations

import ast
from pathlib import Path

from lib_trainer.core.options import describe
from lib_trainer.demo.options import DemoOptions
from lib_trainer.jobs.environment import EnvironmentOptions
from lib_trainer.jobs.page_environment import PageEnvironmentOptions
from lib_trainer.steps import STEPS
from lib_trainer.ui.options import PageOptions

TESTS = Path(__file__).parent


def classes_of_options():
    """Every class of options that a user can reach: those of sections and of each entry of a table included."""
    of_steps = dict.fromkeys(step.options for step in STEPS.values())  # two steps may share their options
    classes = [*of_steps, DemoOptions, EnvironmentOptions, PageOptions, PageEnvironmentOptions]
    for cls in classes:
        for info in describe(cls):
            below = [info.type] if info.section else [entry for _, entry in info.registry or ()]
            classes += [other for other in below if other not in classes]
    return classes


def all_options():
    """`ClassName.field` of every option that a user can give."""
    return [f"{cls.__name__}.{info.name}" for cls in classes_of_options() for info in describe(cls) if not info.section]


def all_sections():
    """`ClassName.field` of every section; whoever tests all of it may name it, but that covers none of its options."""
    return [f"{cls.__name__}.{info.name}" for cls in classes_of_options() for info in describe(cls) if info.section]


def marked_options():
    """The names in all `option` markers of the tests, read from their syntax."""
    return {name for path in TESTS.rglob("*.py") for name in _marked_in(path.read_text(encoding="utf-8"))}


def _marked_in(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.option":
            for argument in node.args:
                assert isinstance(argument, ast.Constant), "the names in an option marker are written out"
                yield argument.value


def test_the_list_of_options_without_a_test_is_empty():
    marked = marked_options()
    assert [name for name in all_options() if name not in marked] == []


def test_every_marked_option_is_there():
    assert sorted(marked_options() - {*all_options(), *all_sections()}) == []


def test_no_two_classes_of_options_share_a_name():
    names = all_options()
    assert sorted(names) == sorted(set(names))


def test_markers_are_found_wherever_they_stand():
    source = "@pytest.mark.option('A.b', 'A.c')\ndef test_it():\n    pass\n\npytestmark = [pytest.mark.option('A.d')]\n"
    assert set(_marked_in(source)) == {"A.b", "A.c", "A.d"}


def test_options_inside_sections_and_tables_are_found():
    assert {"TrainingOptions.optimizer", "AdamW.beta1", "BucketOptions.step", "DemoOptions.out"} <= set(all_options())
