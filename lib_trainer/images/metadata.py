"""Captions in Hugging Face's `metadata.jsonl`: one line a picture, `{"file_name": "a.jpg", "text": "a cat"}`.

Format: https://huggingface.co/docs/datasets/image_dataset#imagefolder
"""

from __future__ import annotations

import json
import os
import unicodedata
from pathlib import Path

from lib_trainer.core.errors import DataError
from lib_trainer.images.encodings import read_text_file

METADATA_FILE = "metadata.jsonl"
NAMED_AT_MOST = 10


def picture_key(path: Path) -> str:
    """One spelling for each picture's path, since macOS writes the accents of file names apart from their letters."""
    return unicodedata.normalize("NFC", os.path.normpath(path))


def read_metadata(file: Path) -> tuple[dict[str, str], list[str]]:
    """The captions that a metadata file gives, by `picture_key`, and notices about what could not be used.

    `file_name` is relative to the folder of the file and may lead into sub-folders, with / or \\.
    """
    try:
        content = read_text_file(file)
    except DataError as error:
        return {}, [f"{error} Its captions are not used."]
    captions: dict[str, str] = {}
    problems: dict[str, list[str]] = {}
    if content.other_encoding:
        problems[f"is not UTF-8 and was read as {content.other_encoding}; save it as UTF-8"] = []
    for number, line in enumerate(content.text.split("\n"), start=1):
        if not line.strip():
            continue
        name, text, problem = _read_line(line)
        key = picture_key(file.parent / name) if name else ""
        if not problem and key in captions:
            problem = "name a picture that an earlier line names; the later line is used"
        if text:
            captions[key] = text
        if problem:
            problems.setdefault(problem, []).append(f"line {number}")
        elif not Path(key).is_file():
            problems.setdefault("name pictures that are not there", []).append(f"line {number}: {name}")
    return captions, [f"{file}{_listed(where)} {problem}." for problem, where in problems.items()]


def _read_line(line: str) -> tuple[str, str, str]:
    """File name, caption and what is wrong with the line, if anything is."""
    try:
        row = json.loads(line)
    except ValueError:
        return "", "", "is not valid JSON; each line must be one whole {...}"
    if not isinstance(row, dict):
        return "", "", 'is not a table; each line must be {"file_name": "...", "text": "..."}'
    for key in ("file_name", "text"):
        value = row.get(key)
        if not isinstance(value, str) or not value.strip():
            return "", "", f"lacks '{key}' or has no text there; other keys are {', '.join(row) or 'none'}"
    return row["file_name"].strip().replace("\\", "/"), row["text"], ""


def _listed(where: list[str]) -> str:
    if not where:
        return ""
    more = f" and {len(where) - NAMED_AT_MOST} more" if len(where) > NAMED_AT_MOST else ""
    return f" ({', '.join(where[:NAMED_AT_MOST])}{more})"
