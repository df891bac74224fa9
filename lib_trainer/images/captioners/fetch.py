"""The step `fetch`: a captioner's model, downloaded once, checked, and whole or not there at all."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_trainer.core.errors import ModelError, OutputError, StopRequested
from lib_trainer.core.events import Notice, Progress
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.images.captioners.fetching_options import FetchOptions
from lib_trainer.images.captioners.found_models import own_folder
from lib_trainer.images.captioners.hub_files import RemoteFile, files_of

if TYPE_CHECKING:
    import httpx

SECONDS = 30.0  # without a byte
BLOCK = 1 << 20
TOLD_EVERY = 0.5  # seconds
MEGABYTE = 1_000_000
PAUSE_SECONDS = 1.0
HEADERS = {"User-Agent": "lib-trainer"}


def fetch(options: FetchOptions, run: RunDirectory) -> dict[str, Any]:
    """Download the model; returns `{"model", "folder", "bytes"}`.

    Raises:
        ConfigError: there is no such model.
        ModelError: it can't be fetched, or is not what it should be.
        OutputError: the disk refuses.
    """
    import httpx
    from huggingface_hub import constants

    model = options.known()
    folder = own_folder() / options.model
    if folder.exists():
        run.append(Notice(f"{folder} is there already; nothing was downloaded."))
        return {"model": options.model, "folder": str(folder), "bytes": 0}
    partial = own_folder() / f".{options.model}.part"
    hub = (options.hub or constants.ENDPOINT).rstrip("/")
    with httpx.Client(follow_redirects=True, timeout=SECONDS, headers=HEADERS) as client:
        try:
            files = files_of(client, hub, model)
            _make_room(partial, files)
            _Fetching(client, partial, files, options.attempts, run).all()
        except StopRequested:
            return {}
        except httpx.HTTPError as error:
            raise ModelError(
                f"{hub} can't be asked for {model.repository} ({type(error).__name__}: {error}); check the network."
            ) from error
        except OSError as error:
            raise OutputError(f"{partial} can't be written ({error}); make room, or check its rights.") from error
    partial.replace(folder)
    return {"model": options.model, "folder": str(folder), "bytes": sum(file.bytes for file in files)}


def _make_room(partial: Path, files: list[RemoteFile]) -> None:
    partial.mkdir(parents=True, exist_ok=True)
    there = sum(path.stat().st_size for path in partial.iterdir())
    needed = sum(file.bytes for file in files) - there
    free = shutil.disk_usage(partial).free
    if needed > free:
        raise OutputError(
            f"It needs {needed // MEGABYTE} MB, and the disk of {partial.parent} has {free // MEGABYTE} MB left; "
            "make room there."
        )


class _Fetching:
    """Several files after each other, each begun again where it was cut off."""

    def __init__(
        self, client: httpx.Client, partial: Path, files: list[RemoteFile], attempts: int, run: RunDirectory
    ) -> None:
        self.client, self.partial, self.files, self.attempts, self.run = client, partial, files, attempts, run
        self.before = 0
        self.told = 0.0

    def all(self) -> None:
        """Fetch each file that is not there whole.

        Raises:
            StopRequested: the run was asked to stop; what has come is kept.
            ModelError: a file is cut off again and again, or is not what it should be.
        """
        for file in self.files:
            whole = self.partial / file.name
            if not whole.is_file():
                self._one(file, self.partial / f"{file.name}.part")
                (self.partial / f"{file.name}.part").replace(whole)
            self.before += file.bytes
            self._tell(0, always=True)

    def _one(self, file: RemoteFile, path: Path) -> None:
        import httpx

        for attempt in range(self.attempts):
            try:
                self._more(file, path)
            except (httpx.TransportError, httpx.StreamError) as error:
                self.run.append(Notice(f"{file.name} was cut off ({type(error).__name__}); it is gone on with."))
                time.sleep(min(PAUSE_SECONDS * attempt, 10))
            if _size(path) >= file.bytes:
                _check(file, path)
                return
        raise ModelError(
            f"{file.name} was cut off {self.attempts} times, at last after {_size(path)} of {file.bytes} bytes; "
            "start again to go on from there."
        )

    def _more(self, file: RemoteFile, path: Path) -> None:
        """Take what comes, behind what is there; a server that begins anew is written anew."""
        have = _size(path)
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
        with self.client.stream("GET", file.address, headers=headers) as reply:
            if have and reply.status_code == 416:
                path.unlink()
                return
            reply.raise_for_status()
            mode = "ab" if reply.status_code == 206 else "wb"
            with path.open(mode) as written:
                for block in reply.iter_raw():
                    written.write(block)
                    self._tell(written.tell())
                    if written.tell() > file.bytes:
                        break
                    if self.run.stop_requested():
                        raise StopRequested

    def _tell(self, done: int, always: bool = False) -> None:
        if always or time.monotonic() - self.told > TOLD_EVERY:
            self.told = time.monotonic()
            total = sum(file.bytes for file in self.files)
            progress = Progress("Downloading", (self.before + done) // MEGABYTE, -(-total // MEGABYTE), "MB")
            self.run.append(progress)


def _check(file: RemoteFile, path: Path) -> None:
    """Refuse, and throw away, what is not the file that was promised."""
    hasher = file.hasher()
    with path.open("rb") as opened:
        read: Callable[[], bytes] = lambda: opened.read(BLOCK)  # noqa: E731
        for block in iter(read, b""):
            hasher.update(block)
    if _size(path) != file.bytes or hasher.hexdigest() != file.digest:
        path.unlink()
        raise ModelError(f"{file.name} from {file.address} does not have its checksum; it was thrown away. Try again.")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
