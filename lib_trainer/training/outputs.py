"""The files of a run: networks with what lies beside them, named by epochs completed."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from lib_trainer.core.errors import OutputError
from lib_trainer.core.events import Notice, Saved
from lib_trainer.core.outputs import ENDINGS
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.core.whole_files import remove, whole_file, write_text
from lib_trainer.models.families import FAMILIES
from lib_trainer.models.precision import DTYPES
from lib_trainer.training.facts import Moment, network_facts
from lib_trainer.training.file_names import free_name, glob_escaped, network_stem
from lib_trainer.training.patience import patiently
from lib_trainer.training.session import Session
from lib_trainer.training.states import Place
from lib_trainer.weights.results import WRITERS, Result


@dataclass(frozen=True)
class Identity:
    """What a run's files are called and when it began; chosen once, the same after resuming."""

    name: str
    folder: Path
    started_at: float


def identity(run: RunDirectory, place: Path, wanted: str) -> Identity:
    """The run's identity, made at its first start: a name whose files are not there yet in the folder `place`.

    Raises:
        OutputError: the folder can't be written to.
    """
    file = run.path / "identity.json"
    if file.exists():
        known = json.loads(file.read_text(encoding="utf-8"))
        return Identity(known["name"], Path(known["folder"]), known["started_at"])
    _check_writable(place)
    name = free_name(place, wanted)
    if name != wanted:
        run.append(Notice(f"{place} holds files of another run called {wanted!r}; this one is called {name!r}."))
    made = Identity(name, place, time.time())
    text = json.dumps({"name": name, "folder": str(place), "started_at": made.started_at})
    patiently(run, str(file), lambda: write_text(file, text))
    return made


def remove_leftovers(run: RunDirectory, identity: Identity) -> None:
    """Remove what an engine of this run had begun to write when it was killed; no other works on the run now."""
    networks = f"{glob_escaped(identity.name)}-e[0-9][0-9][0-9]*.tmp"
    for folder, pattern in ((run.states, "*.tmp"), (run.samples, "*.tmp"), (identity.folder, networks)):
        for path in folder.glob(pattern):
            remove(path)


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with whole_file(folder / ".lib-trainer-probe"):
            pass
        (folder / ".lib-trainer-probe").unlink()
    except OSError as error:
        raise OutputError(f"{folder} can't be written to ({error}); set 'saving.folder' to another one.") from error


def save_network(session: Session, identity: Identity, place: Place, picture: Path | None) -> Path:
    """Write what was trained as it is now, with its notes and preview beside it, and say that it is there."""
    options = session.options
    stem = network_stem(identity.name, place.step, place.epoch, epoch_end=place.batch == 0)
    path = identity.folder / f"{stem}{ENDINGS[options.file_format]}"
    moment = Moment(place.epoch, place.step, identity.started_at, time.time())
    facts = network_facts(options, session.model, session.dataset.entries, moment)
    result = Result(
        session.model, session.network, stem, facts, DTYPES[options.saving.precision], options.file_format,
        original_names=options.saving.layer_names == "original",
    )  # fmt: skip

    def write() -> None:
        WRITERS[options.trainable.output](path, result)
        _write_beside(session, path.parent / stem, picture)

    patiently(session.run, str(path), write)
    if str(path) not in place.saved:
        place.saved.append(str(path))
    session.run.append(Saved("network", str(path), place.step, place.epoch))
    return path


def _write_beside(session: Session, start: Path, picture: Path | None) -> None:
    """The WebUI's user metadata and preview picture; what a user has there already stays."""
    notes, png, preview = (start.with_name(start.name + ending) for ending in (".json", ".png", ".preview.png"))
    if not notes.exists():
        write_text(notes, json.dumps(_notes(session), indent=4))
    if picture is not None and not png.exists() and not preview.exists():
        with picture.open("rb") as source, whole_file(preview) as file:
            shutil.copyfileobj(source, file)


def _notes(session: Session) -> dict[str, str | float]:
    """What the WebUI shows on the card; a LoRA's has more entries than the others'."""
    description = f"Trained on {session.options.dataset.folder.name}."
    if session.options.trainable.output != "lora":
        return {"description": description, "notes": ""}
    return {
        "description": description,
        "sd version": FAMILIES[session.model.family].labels.webui,
        "activation text": session.options.dataset.trigger,
        "preferred weight": 1.0,
        "notes": "",
    }
