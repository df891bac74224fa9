"""The parts of a model that are trained at rates of their own: the two text encoders of SDXL can be told apart."""

from __future__ import annotations

# What the option of each part's learning rate is called.
RATES = {
    "unet": "learning_rate",
    "text_encoder": "text_encoder_learning_rate",
    "first_text_encoder": "text_encoder_learning_rate",
    "second_text_encoder": "second_text_encoder_learning_rate",
}
SECOND = ("second.", "text_projection.")  # begin the paths of what belongs to the second encoder


def part_of_model(part: str) -> str:
    """The model's part that it is, or lies in."""
    return "text_encoder" if part.endswith("_text_encoder") else part


def is_in_part(part: str, path: str) -> bool:
    """Whether what lies under a path in the model's part belongs to the part that is trained."""
    if part == "first_text_encoder":
        return not path.startswith(SECOND)
    return path.startswith(SECOND) if part == "second_text_encoder" else True
