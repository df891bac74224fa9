"""Tucker's product: a small core of the kernel's size between two matrices, for convolutions of more than one pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

TUCKER_HELP = "Convolutions of more than one pixel get a small core between two matrices: a smaller file (Tucker)."


def tucker_product(core: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """[out, in, kh, kw] of a core [rank, rank, kh, kw], [rank, out] and [rank, in], as LyCORIS has them."""
    import torch

    product: Tensor = torch.einsum("abkl,ao,bi->oikl", core, left, right)
    return product
