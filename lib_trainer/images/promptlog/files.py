"""The files of a prompt log."""

from __future__ import annotations

from pathlib import Path

from lib_trainer.core.errors import DataError


def csv_files(given: tuple[Path, ...]) -> list[Path]:
    """The files that were given, and those of the folders that were given.

    Raises:
        DataError: a folder holds none, or something is not there.
    """
    files: list[Path] = []
    for path in given:
        if path.is_dir():
            inside = sorted(each for each in path.iterdir() if each.suffix.lower() in (".csv", ".tsv"))
            if not inside:
                raise DataError(f"The folder {path} holds no .csv files; give another one, or the files themselves.")
            files += inside
        elif path.is_file():
            files.append(path)
        else:
            raise DataError(f"The file {path} is not there; check its path.")
    return list(dict.fromkeys(files))
