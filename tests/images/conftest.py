"""What tests of the picture steps share."""

from __future__ import annotations

import pytest

from lib_trainer.core.run_directory import RunDirectory


@pytest.fixture
def run(tmp_path):
    """A run that has begun, of the step `prepare` where a test does not make its own."""
    run = RunDirectory(tmp_path / "run")
    run.create("prepare", {})
    return run
