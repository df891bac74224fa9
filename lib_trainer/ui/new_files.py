"""Lets the host list what a run saves as soon as it lies on the disk, whether or not anybody watches the page."""

from __future__ import annotations

import logging
from pathlib import Path

from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.ui.host import Host
from lib_trainer.ui.runs import Summaries


class NewFiles:
    """The files of one run that the host has not been told of yet; what was saved before counts as told."""

    def __init__(self, host: Host, summaries: Summaries, run: RunDirectory) -> None:
        self._host, self._summaries, self._run = host, summaries, run
        self._told = set(summaries.told(run).networks)

    def tell(self) -> None:
        """Tell the host of the files that have come since."""
        told = self._summaries.told(self._run)
        new = [path for path in told.networks if path not in self._told]
        self._told.update(new)
        if not new:
            return
        try:
            self._host.refresh(Path(new[-1]), told.output)  # a host lists a whole folder at once
        except Exception:  # a host's list that can't be renewed must not end the run; the page asks again and says why
            logging.getLogger(__name__).exception("%s could not be listed", new[-1])
