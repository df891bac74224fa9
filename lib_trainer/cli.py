"""The command line: one sub-command a step, its flags drawn from the options, and a few to look after runs.

Exit codes: 0 it worked, 2 something the user can mend, 1 a bug, 130 stopped with Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib_trainer import __version__
from lib_trainer.core.configs import dump, load, merge, read_recipe
from lib_trainer.core.errors import ConfigError, TrainerError
from lib_trainer.core.options import first_line
from lib_trainer.core.places import data_folder
from lib_trainer.core.run_directory import REQUESTS, RunDirectory
from lib_trainer.demo.options import DemoOptions
from lib_trainer.flags import CommandParser, add_flags, given
from lib_trainer.jobs.environment import EnvironmentOptions, ensure_engine
from lib_trainer.jobs.launcher import new_run, start
from lib_trainer.jobs.page_environment import PageEnvironmentOptions
from lib_trainer.jobs.work import watch
from lib_trainer.presets import preset_names, read_preset
from lib_trainer.steps import STEPS, Step, step_named
from lib_trainer.terminal import Terminal
from lib_trainer.ui.options import PageOptions
from lib_trainer.ui.page_process import open_page

ENGINE_PREFIX = "engine."
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a console of any encoding shows any path
    try:
        parsed = parser().parse_args(arguments)
        code: int = parsed.command(parsed)
    except TrainerError as error:
        _say(f"Error: {error}")
        return 2
    except KeyboardInterrupt:
        _say("Stopped.")
        return INTERRUPTED
    return code


def _say(text: str) -> None:
    """Write a line; on a terminal over the moving one of the progress."""
    sys.stderr.write(("\r\x1b[K" if sys.stderr.isatty() else "") + text + "\n")


def parser() -> argparse.ArgumentParser:
    """The parser of all sub-commands."""
    top = CommandParser(prog="python3 -m lib_trainer", description="Train Stable Diffusion networks.")
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for name, step in STEPS.items():
        _add_step(commands.add_parser(name, help=step.help, allow_abbrev=False), name, step)
    demo = commands.add_parser("demo", help=first_line(DemoOptions), allow_abbrev=False)
    add_flags(demo, DemoOptions)
    _add_engine_flags(demo)
    demo.add_argument("--json", action="store_true", help="Print one JSON object with the results as the last line.")
    demo.set_defaults(command=_demo)
    setup = commands.add_parser("setup", help=first_line(EnvironmentOptions), allow_abbrev=False)
    add_flags(setup, EnvironmentOptions)
    setup.set_defaults(command=_setup)
    page = commands.add_parser("page", help=first_line(PageOptions), allow_abbrev=False)
    add_flags(page, PageOptions)
    add_flags(page, PageEnvironmentOptions)
    page.set_defaults(command=_page)
    _add_run_commands(commands)
    return top


def _add_step(command: argparse.ArgumentParser, name: str, step: Step) -> None:
    command.usage, command.description = "%(prog)s [OPTION ...]", step.help
    start_from = command.add_argument_group("where options come from (flags win over the recipe, it over the preset)")
    start_from.add_argument("--config", type=Path, metavar="FILE", help="A recipe: .json, .toml or a run's job.json.")
    presets = preset_names(step.recipes or name)
    if presets:
        start_from.add_argument("--preset", metavar="NAME", help=f"A shipped recipe: {', '.join(presets)}.")
    command.add_argument("--run", type=Path, metavar="FOLDER", help="New folder of this run; default in data/runs.")
    command.add_argument("--json", action="store_true", help="Print one JSON object with the results as the last line.")
    add_flags(command, step.options)
    _add_engine_flags(command)
    command.set_defaults(command=_run_step, step=name)


def _add_engine_flags(command: argparse.ArgumentParser) -> None:
    add_flags(command, EnvironmentOptions, ENGINE_PREFIX)


def _add_run_commands(commands: Any) -> None:
    resume = commands.add_parser("resume", help="Go on with a run that was stopped or interrupted.", allow_abbrev=False)
    resume.add_argument("folder", type=Path, help="The run's folder.")
    resume.add_argument("--json", action="store_true", help="Print one JSON object with the results as the last line.")
    _add_engine_flags(resume)
    resume.set_defaults(command=_resume)
    follow = commands.add_parser("follow", help="Show what a run says, from its beginning.", allow_abbrev=False)
    follow.add_argument("folder", type=Path, help="The run's folder.")
    follow.set_defaults(command=_follow)
    helps = {"stop": "Stop a run after its current step, keeping a state to resume from.",
             "save": "Let a run save its network now.", "sample": "Let a run draw its previews now."}
    for request in REQUESTS:
        command = commands.add_parser(request, help=helps[request], allow_abbrev=False)
        command.add_argument("folder", type=Path, help="The run's folder.")
        command.set_defaults(command=_request, request=request)


def step_config(parsed: argparse.Namespace) -> dict[str, Any]:
    """The checked configuration: defaults < preset < recipe < flags."""
    step = step_named(parsed.step)
    data: dict[str, Any] = {}
    if getattr(parsed, "preset", None):
        data = merge(data, read_preset(step.recipes or parsed.step, parsed.preset))
    if parsed.config:
        data = merge(data, _recipe(parsed.config, (parsed.step, step.recipes)))
    return dump(load(step.options, merge(data, given(parsed, step.options))))


def _recipe(path: Path, steps: Sequence[str]) -> dict[str, Any]:
    data = read_recipe(path)
    if set(data) != {"step", "config"}:
        return data
    if data["step"] not in steps:
        raise ConfigError(f"The recipe {path} is for the step {data['step']!r}; run it with that command.")
    config = data["config"]
    if not isinstance(config, dict):
        raise ConfigError(f"'config' in {path} is {config!r}; it must be a table of options.")
    return config


def _engine(parsed: argparse.Namespace, terminal: Terminal, prefix: str = ENGINE_PREFIX) -> Path:
    options = load(EnvironmentOptions, given(parsed, EnvironmentOptions, prefix))
    return ensure_engine(options, data_folder(), terminal.show)


def _run_step(parsed: argparse.Namespace) -> int:
    config = step_config(parsed)
    terminal = Terminal()
    python = _engine(parsed, terminal)
    run = new_run(parsed.step, config, parsed.run)
    sys.stderr.write(f"Run folder: {run.path}\n")
    return _report(parsed, *watch(run, start(python, run), terminal.show))


def _resume(parsed: argparse.Namespace) -> int:
    run = RunDirectory(parsed.folder)
    run.job()
    terminal, offset = Terminal(), run.end()
    return _report(parsed, *watch(run, start(_engine(parsed, terminal), run), terminal.show, offset))


def _report(parsed: argparse.Namespace, code: int, result: dict[str, Any]) -> int:
    if parsed.json:
        sys.stdout.write(json.dumps(result) + "\n")
    return code


def _follow(parsed: argparse.Namespace) -> int:
    run = RunDirectory(parsed.folder)
    run.job()
    return watch(run, None, Terminal().show)[0]


def _request(parsed: argparse.Namespace) -> int:
    run = RunDirectory(parsed.folder)
    run.job()
    run.request(parsed.request)
    return 0


def _setup(parsed: argparse.Namespace) -> int:
    python = _engine(parsed, Terminal(), prefix="")
    sys.stderr.write(f"The engine is ready: {python}\n")
    return 0


def _page(parsed: argparse.Namespace) -> int:
    options = load(PageOptions, given(parsed, PageOptions))
    environment = load(PageEnvironmentOptions, given(parsed, PageEnvironmentOptions))
    return open_page(options, environment, data_folder(), Terminal().show)


def _demo(parsed: argparse.Namespace) -> int:
    from lib_trainer.demo.demo import demo

    terminal = Terminal()
    options = load(DemoOptions, given(parsed, DemoOptions))
    environment = load(EnvironmentOptions, given(parsed, EnvironmentOptions, ENGINE_PREFIX))
    return _report(parsed, *demo(options, environment, terminal.show))
