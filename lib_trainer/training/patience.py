"""Patience with full disks: what can't be written now is written when there is room."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from typing import TypeVar

from lib_trainer.core.errors import OutputError, StopRequested
from lib_trainer.core.events import Notice
from lib_trainer.core.run_directory import RunDirectory

FULL_DISK = (errno.ENOSPC, errno.EDQUOT)
WAIT_SECONDS = 2.0
T = TypeVar("T")


def patiently(run: RunDirectory, what: str, write: Callable[[], T]) -> T:
    """Write something; while the disk is full, say so, wait, and try again.

    Raises:
        StopRequested: the run was asked to stop meanwhile.
        OutputError: the disk refuses for another reason.
    """
    told = False
    while True:
        try:
            return write()
        except OSError as error:
            if error.errno not in FULL_DISK:
                raise OutputError(f"{what} can't be written ({error}); check the folder and its rights.") from error
            if not told:
                said = f"The disk is full: {what} can't be written. Make room; the run waits and then goes on."
                run.append(Notice(said, level="warning"))
                told = True
        if run.stop_requested():
            raise StopRequested
        time.sleep(WAIT_SECONDS)
