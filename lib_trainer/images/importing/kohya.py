"""kohya's metadata: one JSON table from a picture's path, or its name without ending, to its caption and tags.

Format: https://github.com/kohya-ss/sd-scripts, `finetune/merge_captions_to_metadata.py` and `FineTuningDataset`.
"""

from __future__ import annotations

import json
from typing import Any

from lib_trainer.core.errors import DataError

KNOWN = {"caption", "tags", "train_resolution", "image_size"}


def is_kohya(data: Any) -> bool:
    """Whether plain data has the shape of such a table: all its values are tables, and one says what is known."""
    if not isinstance(data, dict) or not data:
        return False
    return all(isinstance(entry, dict) for entry in data.values()) and any(
        KNOWN & entry.keys() for entry in data.values()
    )


def parse_kohya(text: str, file: object) -> dict[str, dict[str, Any]]:
    """The table of such a file.

    Raises:
        DataError: it is no JSON, or of another shape.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file} is not valid JSON ({error}); write it again with the tool that made it.") from error
    if not is_kohya(data):
        said = 'it must be {"picture": {"caption": "...", "tags": "..."}, ...}'
        raise DataError(f"{file} is not kohya's metadata: {said}; choose another file.")
    return data  # type: ignore[no-any-return]
