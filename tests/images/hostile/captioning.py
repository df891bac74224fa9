"""Hostile models and words, for the step `caption`."""

from __future__ import annotations

from tests.images.hostile.table import Attempt, fill, png

CAPTION = "caption --folder PLACE/in --device cpu --tagger.place PLACE/model"


def tagger(**files):
    """A miniature tagger with other files over it; None takes one away."""

    def build(place):
        from tests.images.captioners.wd14_miniature import make_tagger

        fill(place / "in", {"a.png": png(1), "cut.png": png(2)[:70]})
        make_tagger(place / "model")
        for name, change in files.items():
            path = place / "model" / name.replace("_dot_", ".")
            content = change(path.read_bytes())
            path.unlink()
            if content is not None:
                path.write_bytes(content)

    return build


ATTEMPTS = {
    "tag list": Attempt(
        CAPTION, tagger(selected_tags_dot_csv=lambda text: b"\n".join(text.splitlines()[:-3])),
        {"a tag list that does not fit its model": ("model.onnx gives 13 numbers", "10 tags", "Fetch both again")},
        fails=True,
    ),
    "no tag list": Attempt(
        CAPTION, tagger(selected_tags_dot_csv=lambda text: b"<html>404</html>"),
        {"a web page for a tag list": ("selected_tags.csv has no columns 'name' and 'category'",)}, fails=True,
    ),
    "cut model": Attempt(
        CAPTION, tagger(model_dot_onnx=lambda data: data[: len(data) // 2]),
        {"a model file that is cut off": ("model.onnx can't be read as an ONNX model", "fetch it again")}, fails=True,
    ),
    "no model": Attempt(
        CAPTION, tagger(model_dot_onnx=lambda data: None),
        {"a folder without its model": ("PLACE/model", "is not a model for WD14")}, fails=True,
    ),
    "good tagger": Attempt(
        f"{CAPTION} --dry-run", tagger(),
        {"a picture that is cut off, to be described": ("cut.png", "truncated")},
    ),
    "path for a name": Attempt(
        CAPTION.replace("tagger.place", "tagger.model"), tagger(),
        {"a place given as the name of a model": ("PLACE/model", "is a path", "as 'place'")}, fails=True,
    ),
    "template": Attempt(
        f"{CAPTION} --wording.template '{{tags.__class__}}'", tagger(),
        {"a template that reaches into the program": ("'wording.template'", "{tags.__class__}", "it may have")},
        fails=True,
    ),
}  # fmt: skip
