"""Side files: `overrides.json` of our own, EveryDream2's small files, and the subsets of kohya's dataset file.

    {"repeats": 0.5, "flip": 0.5, "pictures": {"cat.jpg": {"repeats": 3, "loss_weight": 2}}}

EveryDream2: https://github.com/victorchall/EveryDream2trainer/blob/main/doc/ADVANCED_TWEAKING.md
"""

from __future__ import annotations

import json
import sys
from functools import cached_property
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import DataError
from lib_trainer.dataset.override_options import OverrideOptions
from lib_trainer.dataset.overrides import MOST, Overrides, merged
from lib_trainer.images.encodings import read_text_file

OURS = "overrides.json"
PICTURES = "pictures"
EVERY_DREAM = {"multiply": "repeats", "flip_p": "flip", "cond_dropout": "caption_dropout", "loss_scale": "loss_weight"}
KOHYA = {"num_repeats": "repeats", "flip_aug": "flip", "caption_dropout_rate": "caption_dropout"}
ALSO_OF_KOHYA = {"image_dir", "class_tokens", "is_reg"}
CAPTION_KEYS = {"caption", "main_prompt", "rating", "tags", "max_caption_length"}  # of EveryDream's, no overrides


class SideFiles:
    """Those of one folder and of the folders in it; each is read once. `notices` tell what is not heeded."""

    def __init__(self, folder: Path, options: OverrideOptions) -> None:
        self.notices: list[str] = []
        self._folder, self._options = folder, options
        self._read: dict[Path, dict[str, Any]] = {}

    def overrides(self, picture: Path) -> Overrides:
        """What a picture has of its own; of several files the nearest counts.

        Raises:
            DataError: a file can't be read, or tells something impossible.
        """
        found = Overrides()
        subset = self._subsets.get(picture.parent.resolve())
        if subset is not None and self._options.kohya_file is not None:
            found = merged(found, subset, self._options.kohya_file)
        if not self._options.read:
            return found
        for file, told in self._files(picture):
            found = merged(found, told, file)
        return found

    def _files(self, picture: Path) -> list[tuple[Path, dict[str, Any]]]:
        """The files that speak of a picture with what they tell, the nearest last."""
        depth = len(picture.relative_to(self._folder).parts) if picture.is_relative_to(self._folder) else 1
        found = []
        for above in reversed(list(picture.parents)[:depth]):
            for file in (above / OURS, above / "global.yaml"):
                found.append((file, self._told(file)))
        here = picture.parent
        found.append((here / "local.yaml", self._told(here / "local.yaml")))
        for name, ours in EVERY_DREAM.items():
            found.append((here / f"{name}.txt", self._number(here / f"{name}.txt", ours)))
        of_pictures = self._content(here / OURS).get(PICTURES, {})
        own = of_pictures.get(picture.name, {}) if isinstance(of_pictures, dict) else {}
        found.append((here / OURS, self._known(own, here / OURS, {})))
        found.append((picture.with_suffix(".yaml"), self._told(picture.with_suffix(".yaml"))))
        return found

    def _told(self, file: Path) -> dict[str, Any]:
        content = {name: value for name, value in self._content(file).items() if name != PICTURES}
        return self._known(content, file, EVERY_DREAM if file.suffix == ".yaml" else {})

    def _known(self, content: Any, file: Path, names: dict[str, str]) -> dict[str, Any]:
        """What is known of it, by our names."""
        if not isinstance(content, dict):
            raise DataError(f"{file} tells {content!r} of a picture; it must be names with numbers, as repeats: 2.")
        known = names or {name: name for name in MOST}
        odd = sorted(set(content) - set(known) - CAPTION_KEYS)
        notice = f"{file} tells {', '.join(map(str, odd))}, which is not heeded; known are {', '.join(known)}."
        if odd and notice not in self.notices:
            self.notices.append(notice)
        return {known[name]: value for name, value in content.items() if name in known}

    def _number(self, file: Path, name: str) -> dict[str, Any]:
        """What a file tells that holds nothing but a number."""
        if file not in self._read:
            text = read_text_file(file).text.strip() if file.is_file() else ""
            try:
                self._read[file] = {name: float(text)} if text else {}
            except ValueError as error:
                raise DataError(f"{file} holds {text[:20]!r}; it must hold one number.") from error
        return self._read[file]

    def _content(self, file: Path) -> dict[str, Any]:
        if file not in self._read:
            self._read[file] = _mapping(file) if file.is_file() else {}
        return self._read[file]

    @cached_property
    def _subsets(self) -> dict[Path, dict[str, Any]]:
        """What kohya's file tells of the folders it names, by our names."""
        file = self._options.kohya_file
        if file is None:
            return {}
        content = _mapping(file)
        general, found = content.get("general", {}), {}
        for dataset in content.get("datasets", []):
            for subset in dataset.get("subsets", []):
                told = {**general, **{name: dataset[name] for name in KOHYA if name in dataset}, **subset}
                place = Path(file.parent, str(told.get("image_dir", "."))).resolve()
                odd = sorted(set(subset) - set(KOHYA) - ALSO_OF_KOHYA)
                if odd:
                    self.notices.append(f"{file} tells {', '.join(odd)} of {place}, which is not heeded.")
                found[place] = {KOHYA[name]: _plain(name, told[name]) for name in KOHYA if name in told}
        return found


def _plain(name: str, value: Any) -> Any:
    """kohya mirrors half of the times, or never."""
    return (0.5 if value else 0.0) if name == "flip_aug" and isinstance(value, bool) else value


def _mapping(file: Path) -> dict[str, Any]:
    """The content of a .json, .yaml or .toml file.

    Raises:
        DataError: it is none.
    """
    text = read_text_file(file).text
    try:
        content = _parsed(text, file.suffix.lower())
    except ValueError as error:
        raise DataError(f"{file} can't be read ({error}); mend it or take it away.") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise DataError(f"{file} must hold names with values, such as repeats: 2; mend it or take it away.")
    return content


def _parsed(text: str, suffix: str) -> Any:
    if suffix == ".json":
        return json.loads(text)
    if suffix == ".toml":
        if sys.version_info < (3, 11):
            raise ValueError("it is TOML, for which Python 3.11 or newer is needed")
        import tomllib

        return tomllib.loads(text)
    import yaml  # type: ignore[import-untyped]

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
