"""A page that answers what an engine's run asks of its host, from a thread of its own."""

from __future__ import annotations

import threading
from contextlib import contextmanager

from lib_trainer.core.host_desk import offering


@contextmanager
def answering(run, offered, worker):
    """As long as the block lasts, `worker(source, target, task)` does what is `offered`: {what: [names]}."""
    ended, ready = threading.Event(), threading.Event()

    def answer():
        with offering(run, offered, worker) as serve:
            ready.set()
            while not ended.wait(0.03):
                serve()

    thread = threading.Thread(target=answer)
    thread.start()
    ready.wait(10)
    try:
        yield
    finally:
        ended.set()
        thread.join(10)
