"""Everything the user can mend is a TrainerError; anything else is a bug and keeps its traceback."""

from __future__ import annotations


class TrainerError(Exception):
    """Base of the errors whose message is shown as it stands: it names the thing, the value and the cure."""


class ConfigError(TrainerError):
    """A configuration cannot be used; the message names the option, its value and what it accepts."""


class DataError(TrainerError):
    """Pictures, captions or their folder cannot be used; the message names the path."""


class ModelError(TrainerError):
    """A model or network file cannot be used; the message names the file and what is wrong with it."""


class EngineError(TrainerError):
    """The engine's environment or process failed; the message says what to try."""


class OutputError(TrainerError):
    """A file could not be written; the message names the path and what the disk said."""


class TrainingError(TrainerError):
    """Training cannot go on (non-finite loss, out of memory); the message says what to lower."""


class StopRequested(Exception):  # noqa: N818 - nothing went wrong
    """The run was asked to stop in the middle of something; what is done is kept."""
