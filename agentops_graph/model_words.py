"""A language model's words while they come, for whoever follows in this process."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from agentops_graph.domain.redaction import redacted

MOST_WAITING = 1000  # a follower that does not keep up misses the rest


@dataclass(frozen=True)
class Spoken:
    """A piece of an answer that is not checked yet; `step` says to which question."""

    incident_id: str
    step: str
    text: str


class Words:
    """Hands what is said to those who follow; who follows late hears the rest only."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._followers: list[tuple[str, queue.Queue[Spoken]]] = []

    def say(self, incident_id: str, step: str, text: str) -> None:
        """Characters that could move a cursor are dropped."""
        plain = "".join(c if c.isprintable() else " " for c in redacted(text))
        with self._lock:
            followers = [heard for followed, heard in self._followers if followed == incident_id]
        for heard in followers:
            try:
                heard.put_nowait(Spoken(incident_id, step, plain))
            except queue.Full:
                continue  # a model must not wait for a reader

    @contextmanager
    def followed(self, incident_id: str) -> Iterator["queue.Queue[Spoken]"]:
        """What is said of one incident while the block runs."""
        heard: queue.Queue[Spoken] = queue.Queue(MOST_WAITING)
        entry = (incident_id, heard)
        with self._lock:
            self._followers.append(entry)
        try:
            yield heard
        finally:
            with self._lock:
                self._followers.remove(entry)
