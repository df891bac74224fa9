"""From the loss of each value to that of each picture, with what its mask says of each place."""

from __future__ import annotations

from torch import Tensor

from lib_trainer.dataset.mask_options import MaskOptions


def picture_losses(values: Tensor, masks: Tensor | None, options: MaskOptions) -> Tensor:
    """The mean [n] of the losses [n, c, h, w], each times its place's weight in the masks [n, h, w].

    A weight is the mask, at least `unmasked_weight`; with `even_areas` the mean is divided by that of the weights
    (OneTrainer's masked training). Without masks it is the plain mean.
    """
    if masks is None:
        return values.mean(dim=(1, 2, 3))
    weights = masks.to(values.device).clamp(min=options.unmasked_weight)
    losses = (values * weights.unsqueeze(1)).mean(dim=(1, 2, 3))
    if not options.even_areas:
        return losses
    areas = weights.mean(dim=(1, 2))
    return losses / areas.where(areas > 0, 1)  # a mask that shows nothing has no loss either
