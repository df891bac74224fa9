"""How many pictures a second a captioner manages, by the size of its batches; and that it says the same in each.

    python3 benchmarks/caption_batches.py [--captioner blip] [--place FOLDER] [--pictures 32] [--device cpu]

Run it with the engine's Python. Without --place a miniature of the real architecture is made (it needs the tests'
packages too); `--captioner blip-full` makes a BLIP of the base model's size (224 million weights) drawn by chance, and
`wd14-full` a tagger of the size of WD14's ViT (86 million, 448 px, 9,083 tags).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "images" / "captioners")]

from lib_trainer.images.captioners import DESCRIBERS, TAGGERS  # noqa: E402

BATCHES = (1, 2, 4, 8, 16)


def full_blip(folder: Path) -> Path:
    """The published base model's size and files; its words are numbers."""
    from describer_miniatures import make_blip, randomise
    from transformers import BlipConfig, BlipForConditionalGeneration

    make_blip(folder, side=384)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [f"w{n}" for n in range(30517)]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    model = BlipForConditionalGeneration(BlipConfig())
    randomise(model, seed=0, gain=1.0)
    model.save_pretrained(folder)
    return folder


def full_wd14(folder: Path) -> Path:
    """A vision transformer of the published tagger's size as ONNX; its tags are numbers."""
    import torch
    from transformers import ViTConfig, ViTModel

    class Tagger(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = ViTModel(ViTConfig(image_size=448), add_pooling_layer=False)
            self.head = torch.nn.Linear(768, 9083)

        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            seen = self.body(pictures.permute(0, 3, 1, 2) / 127.5 - 1).last_hidden_state
            return torch.sigmoid(self.head(seen.mean(1)))

    folder.mkdir(parents=True)
    names = {"input_names": ["input"], "output_names": ["output"]}
    sizes = {"input": {0: "n"}, "output": {0: "n"}}
    pictures = torch.zeros(2, 448, 448, 3)
    torch.onnx.export(
        Tagger().eval(), (pictures,), str(folder / "model.onnx"), **names, dynamic_axes=sizes, dynamo=False
    )
    rows = [f"{number},tag{number},{9 if number < 4 else 0},1" for number in range(9083)]
    (folder / "selected_tags.csv").write_text("\n".join(["tag_id,name,category,count", *rows]) + "\n", encoding="utf-8")
    return folder


def miniature(captioner: str, folder: Path) -> Path:
    """A small model with the files of the real one."""
    if captioner == "wd14-full":
        return full_wd14(folder)
    if captioner == "wd14":
        from wd14_miniature import make_tagger

        return make_tagger(folder)
    if captioner == "deepdanbooru":
        from deepdanbooru_miniature import make_deepdanbooru

        return make_deepdanbooru(folder)
    import describer_miniatures as made

    return {"blip": made.make_blip, "blip-full": full_blip, "florence2": made.make_florence}[captioner](folder)


def said(loaded: Any, prepared: list[Any], batch: int) -> tuple[float, list[Any]]:
    """Seconds, and what is said of each picture."""
    say = getattr(loaded, "describe", None) or loaded.tag
    began = time.perf_counter()
    told = [each for start in range(0, len(prepared), batch) for each in say(prepared[start : start + batch])]
    return time.perf_counter() - began, told


def is_same(one: Any, other: Any) -> bool:
    """Whether the same was said; of tags the scores may differ in the fourth place."""
    if isinstance(one, str):
        return bool(one == other)
    scores = {tag.name: tag.score for tag in other}
    return {tag.name for tag in one} == set(scores) and all(abs(tag.score - scores[tag.name]) < 1e-4 for tag in one)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = ["blip", "blip-full", "florence2", "wd14", "wd14-full", "deepdanbooru"]
    parser.add_argument("--captioner", default="blip", choices=known)
    parser.add_argument("--place", type=Path)
    parser.add_argument("--pictures", type=int, default=32)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = told.place or miniature(told.captioner, Path(place) / "model")
        entry = dict([*DESCRIBERS, *TAGGERS])[told.captioner.removesuffix("-full")]
        loaded = entry(place=folder).load(told.device)
    pictures = [Image.effect_noise((600 + 10 * n, 512), 20 + n).convert("RGB") for n in range(told.pictures)]
    began = time.perf_counter()
    prepared = [loaded.prepare(picture) for picture in pictures]
    print(json.dumps({"preparing": f"{len(pictures) / (time.perf_counter() - began):.1f} pictures/s, one thread"}))
    said(loaded, prepared[:1], 1)
    first = None
    for batch in BATCHES:
        seconds, words = said(loaded, prepared, batch)
        first = words if first is None else first
        same = sum(is_same(a, b) for a, b in zip(first, words, strict=True))
        speed = f"{len(pictures) / seconds:.2f}"
        print(json.dumps({"batch": batch, "pictures_per_second": speed, "as_with_batch_1": f"{same} of {len(words)}"}))


if __name__ == "__main__":
    main()
