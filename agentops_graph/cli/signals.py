"""Ending what runs: the step at hand is finished first, so that no effect is cut in two."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def until_told() -> Iterator[threading.Event]:
    """An event that SIGTERM or Ctrl-C sets; a second one ends the process at once."""
    stop = threading.Event()
    kept = {s: signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT)}

    def end(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, kept[signal.Signals(number)])

    for number in kept:
        signal.signal(number, end)
    try:
        yield stop
    finally:
        for number, before in kept.items():
            signal.signal(number, before)
