"""What a run's events look like in a terminal: one line that moves for progress, sentences for the rest."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from lib_trainer.core.events import Event, Failed, Finished, HeldOut, Loss, Notice, Progress, Saved, Stopped, Table
from lib_trainer.core.units import duration

REDRAW_SECONDS = 0.1
QUIET_STREAM_SECONDS = 5.0


class Terminal:
    """Writes events to a stream; a stream that is not a terminal gets a progress line every few seconds instead."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._moving = self._stream.isatty()
        self._stage = ""
        self._begun: dict[str, tuple[float, Progress]] = {}  # stage -> when it began, and with what
        self._last_drawn = 0.0
        self._drawn = False
        self._loss = ""

    def show(self, event: Event) -> None:
        """Write one event."""
        if isinstance(event, Progress):
            self._progress(event)
        elif isinstance(event, Loss):
            kept = "" if event.prior is None else f" + {event.prior_weight:.3g} x {event.prior:.4f}"
            self._loss = f"   loss {event.value:.4f}{kept}"
        else:
            text = sentence(event)
            if text:
                self._line(text)

    def _progress(self, event: Progress) -> None:
        now = time.monotonic()
        if event.stage != self._stage:
            self._stage, self._last_drawn = event.stage, 0.0
        began, first = self._begun.setdefault(event.stage, (now, event))
        if event.total != first.total or event.done < first.done:
            began, first = self._begun[event.stage] = now, event
        pause = REDRAW_SECONDS if self._moving else QUIET_STREAM_SECONDS
        if event.done < event.total and now - self._last_drawn < pause:
            return
        self._last_drawn = now
        text = self._progress_text(event, event.done - first.done, now - began)
        if event.done >= event.total:
            del self._begun[event.stage]
        if self._moving and event.done < event.total:
            self._stream.write(f"\r\x1b[K{text}")
            self._stream.flush()
            self._drawn = True
        else:
            self._line(text)

    def _progress_text(self, event: Progress, made: int, seconds: float) -> str:
        """`made` is how much was done in those seconds: what was done before counts for nothing."""
        share = event.done / event.total if event.total else 1.0
        loss = self._loss if event.unit == "steps" else ""
        text = f"{event.stage}: {event.done}/{event.total} {event.unit}".rstrip() + f" ({share:.0%})"
        if event.done >= event.total:
            return f"{text} in {duration(seconds)}{loss}"
        if made > 0 and seconds > 1:
            text += f", {duration(seconds / made * (event.total - event.done))} left"
        return text + loss

    def _line(self, text: str) -> None:
        start = "\r\x1b[K" if self._drawn else ""
        self._drawn = False
        encoding = self._stream.encoding or "utf-8"
        self._stream.write(start + text.encode(encoding, errors="replace").decode(encoding) + "\n")
        self._stream.flush()


def sentence(event: Event) -> str:
    """An event in words; empty for those that say nothing to a reader."""
    if isinstance(event, Notice):
        return f"Warning: {event.message}" if event.level == "warning" else event.message
    if isinstance(event, Table):
        return table_text(event)
    if isinstance(event, HeldOut):
        after = f"after epoch {event.epoch}" if event.epoch else "of the model as it was"
        return f"Loss on the pictures kept aside, {after}: {event.value:.4f}"
    if isinstance(event, Saved):
        return f"Saved {event.path}" if event.kind not in ("state", "picture") else ""
    if isinstance(event, Failed):
        return f"Error: {event.message}" + (f"\n{event.details}" if event.details else "")
    if isinstance(event, Stopped):
        return "Stopped; it can be resumed."
    return "Done." if isinstance(event, Finished) else ""


def table_text(table: Table) -> str:
    """Columns padded with spaces under their headings."""
    rows = [table.columns, *table.rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.columns))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([table.title, *(f"  {line}" for line in lines)])
