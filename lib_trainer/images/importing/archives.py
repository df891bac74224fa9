"""A zip archive as a source: read file by file, nothing is unpacked that is not wanted, nothing outside of it."""

from __future__ import annotations

import io
import re
import stat
import zipfile
import zlib
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO

from lib_trainer.core.errors import DataError
from lib_trainer.images.importing.entries import Entry, Left, Source, UnreadableEntry, is_hidden

UTF8_NAME = 0x800  # bits of a file's flags, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT 4.4.4
LOCKED = 0x1
ON_A_DRIVE = re.compile(r"[A-Za-z]:/")
# What zipfile raises on damaged or foreign archives, besides OSError.
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, LookupError)


def zip_source(archive: Path, most_bytes: int) -> Source:
    """The files of a zip archive, until they would unpack to more than `most_bytes`.

    Raises:
        DataError: it is no zip archive, or damaged at its end, where its list is.
    """
    try:
        opened = zipfile.ZipFile(archive)
    except OSError as error:
        raise DataError(f"{archive} can't be opened: {error.strerror or error}.") from error
    except DAMAGE as error:
        raise DataError(f"{archive} is no whole zip archive ({error}); download or pack it again.") from error
    source = Source(archive)
    room = most_bytes
    for info in opened.infolist():
        name = _name(info)
        if info.is_dir() or name.endswith("/") or is_hidden(name.removeprefix("./").replace("../", "")):
            continue
        reason = _objection(info, name)
        if not reason and info.file_size > room:
            reason = "the archive unpacks to more than 'most_unpacked' allows; raise it if that is meant"
        if reason:
            source.left.append(Left(name, reason))
            continue
        room -= info.file_size
        source.entries.append(Entry(name.removeprefix("./"), partial(_open, opened, info)))
    return source


def _name(info: zipfile.ZipInfo) -> str:
    """The name as it was meant: UTF-8 without its flag, as macOS writes it, and Windows' separators."""
    name = info.orig_filename
    if not info.flag_bits & UTF8_NAME:
        with suppress(UnicodeError):  # it was not UTF-8
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _objection(info: zipfile.ZipInfo, name: str) -> str:
    """Why a file is not taken out of an archive, or nothing."""
    if stat.S_ISLNK(info.external_attr >> 16):
        return "it is a link, and links in archives are not followed"
    if name.startswith("/") or ".." in name.split("/") or ON_A_DRIVE.match(name):
        return "its path leads out of the archive"
    if "\0" in name:
        return "its name has a NUL character in it"
    if info.flag_bits & LOCKED:
        return "it is locked with a password; unpack the archive yourself"
    return ""


def _open(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    try:
        return io.BufferedReader(_Checked(archive.open(info), info.file_size))
    except OSError as error:
        raise UnreadableEntry(f"it can't be read out of the archive: {error.strerror or error}") from error
    except DAMAGE as error:
        raise UnreadableEntry(f"it is damaged in the archive ({error})") from error


class _Checked(io.RawIOBase):
    """A file of an archive whose damage is told as UnreadableEntry, and that has no more bytes than it says."""

    def __init__(self, inner: IO[bytes], size: int) -> None:
        self._inner, self._left = inner, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            block = self._inner.read(min(len(buffer), self._left + 1))
        except OSError as error:
            raise UnreadableEntry(f"it can't be read out of the archive: {error.strerror or error}") from error
        except DAMAGE as error:
            raise UnreadableEntry(f"it is damaged in the archive ({error})") from error
        self._left -= len(block)
        if self._left < 0:
            raise UnreadableEntry("it is damaged in the archive (it is longer than it says)")
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
        super().close()
