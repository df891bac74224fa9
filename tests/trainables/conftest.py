"""The header of Stable Diffusion 1.5."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def full_header(tmp_path_factory):
    """A file of its sizes that holds zeros and takes no place on the disk."""
    from tests.models.miniature import FULL, hollow_checkpoint

    return hollow_checkpoint(tmp_path_factory.mktemp("full") / "full.safetensors", FULL)
