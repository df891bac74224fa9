"""Which mask belongs to which picture, and whether it fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lib_trainer.core.errors import ConfigError, DataError
from lib_trainer.dataset.options import DatasetOptions
from lib_trainer.images.pictures import Picture
from lib_trainer.images.pixels import PictureError, measure
from lib_trainer.images.suffixes import PICTURE_SUFFIXES
from lib_trainer.images.threads import in_threads

NAMED = 5  # files in one message


@dataclass(frozen=True)
class FoundMasks:
    """The mask file of each picture that has one, and notices for the user."""

    files: dict[Path, Path]
    notices: list[str]


def find_masks(
    pictures: Sequence[Picture], options: DatasetOptions, look: Callable[[Path], tuple[int, int]] = measure
) -> FoundMasks:
    """The masks of pictures: files with the same name, at the same place in the folder of masks.

    Those of a concept whose folder lies elsewhere are in a folder of that name inside the folder of masks. `look` is
    what takes a mask's size, in a thread; it raises PictureError for a file that can't be used.

    Raises:
        ConfigError: the folder of masks lies among the pictures, or the pictures among the masks.
        DataError: two masks belong to one picture, none to any, or one can't be read or has another size.
    """
    folder = options.masks.folder
    if folder is None:
        return FoundMasks({}, [])
    roots = [options.folder, *(concept.folder for concept in options.concepts if concept.folder is not None)]
    for root in roots:
        _check_apart(folder, root)
    by_name = _by_name(folder)
    names = {picture.path: _name(picture.path, roots) for picture in pictures}
    files = {path: by_name[name] for path, name in names.items() if name in by_name}
    if not files:
        raise DataError(
            f"{folder} holds no mask for any picture in {options.folder}; a mask has its picture's name, such as "
            f"{next(iter(names.values()))}.png."
        )
    _check_owners(files)
    _check_sizes([(picture, files[picture.path]) for picture in pictures if picture.path in files], look)
    return FoundMasks(files, list(_notices(list(names), files, by_name)))


def _name(picture: Path, roots: Sequence[Path]) -> Path:
    """What a picture's mask is called inside the folder of masks, without the ending."""
    if picture.is_relative_to(roots[0]):
        return picture.relative_to(roots[0]).with_suffix("")
    root = next(root for root in roots if picture.is_relative_to(root))
    return root.name / picture.relative_to(root).with_suffix("")


def _check_owners(files: dict[Path, Path]) -> None:
    """Two folders of the same name at different places would share masks."""
    owners: dict[Path, Path] = {}
    for picture, mask in files.items():
        if owners.setdefault(mask, picture).parent != picture.parent:
            raise DataError(
                f"{mask} would be the mask of {owners[mask]} and of {picture}; rename one of their folders."
            )


def _check_apart(masks: Path, pictures: Path) -> None:
    one, other = masks.resolve(), pictures.resolve()
    if one == other or one.is_relative_to(other) or other.is_relative_to(one):
        raise ConfigError(
            f"'dataset.masks.folder' is {masks} and the pictures are in {pictures}; neither may lie inside the other, "
            "or masks would be taken for pictures. Move the masks elsewhere."
        )


def _by_name(folder: Path) -> dict[Path, Path]:
    """The masks by their paths below the folder, without the endings."""
    if not folder.is_dir():
        raise DataError(f"The folder of masks {folder} does not exist; check 'dataset.masks.folder'.")
    found: dict[Path, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in PICTURE_SUFFIXES or path.name.startswith("."):
            continue
        name = path.relative_to(folder).with_suffix("")
        if name in found:
            raise DataError(f"{found[name]} and {path.name} are both masks for pictures called {name}; keep one.")
        found[name] = path
    return found


def _check_sizes(pairs: Sequence[tuple[Picture, Path]], look: Callable[[Path], tuple[int, int]]) -> None:
    with closing(in_threads(partial(_problem, look), pairs)) as results:
        problems = [problem for problem in results if problem]
    if problems:
        more = f"; and {len(problems) - NAMED} more" if len(problems) > NAMED else ""
        told = "; ".join(problems[:NAMED]) + more
        raise DataError(f"Not all masks can be used: {told}. Make them as large as their pictures, or remove them.")


def _problem(look: Callable[[Path], tuple[int, int]], pair: tuple[Picture, Path]) -> str:
    """What is wrong with a mask, in a few words, or nothing."""
    picture, mask = pair
    try:
        width, height = look(mask)
    except PictureError as error:
        return f"{mask}: {error.reason}"
    if (width, height) == (picture.width, picture.height):
        return ""
    return f"{mask} has {width} x {height} px and its picture {picture.width} x {picture.height}"


def _notices(pictures: list[Path], files: dict[Path, Path], by_name: dict[Path, Path]) -> Iterator[str]:
    without = [picture.name for picture in pictures if picture not in files]
    if without:
        yield f"{len(without)} of {len(pictures)} pictures have no mask in the folder of masks: {_some(without)}."
    used = Counter(files.values())
    spare = [mask.name for mask in by_name.values() if not used[mask]]
    if spare:
        yield f"{len(spare)} masks belong to no picture: {_some(spare)}."


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"
