"""The list of tags that lies beside a WD14 tagger: `selected_tags.csv`, a line for each number the model gives."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from lib_trainer.core.errors import DataError, ModelError
from lib_trainer.images.encodings import read_text_file

TAG_LIST = "selected_tags.csv"
# Danbooru's numbers of categories; 9 is the rating in the lists of the WD14 taggers.
CATEGORIES = {
    "0": "general", "1": "artist", "3": "copyright", "4": "character", "5": "meta", "9": "rating",
    **{word: word for word in ("general", "artist", "copyright", "character", "meta", "rating", "quality")},
}  # fmt: skip
OTHER = "other"


@dataclass(frozen=True)
class ListedTag:
    """One line of the list."""

    name: str
    category: str


def read_tag_list(path: Path) -> list[ListedTag]:
    """The tags in the order of the model's numbers; a category that is not known counts as 'other'.

    Raises:
        ModelError: the file can't be read, or is no such list.
    """
    try:
        text = read_text_file(path).text
    except DataError as error:
        raise ModelError(f"{error} Fetch the tagger's files again.") from error
    rows = csv.DictReader(io.StringIO(text))
    if not {"name", "category"} <= set(rows.fieldnames or ()):
        raise ModelError(f"{path} has no columns 'name' and 'category'; it must be the tagger's own {TAG_LIST}.")
    try:
        return [ListedTag(row["name"], CATEGORIES.get(row["category"].strip().lower(), OTHER)) for row in rows]
    except (csv.Error, AttributeError) as error:  # a row too short has None
        raise ModelError(f"{path} is damaged near line {rows.line_num}; fetch the tagger's files again.") from error
