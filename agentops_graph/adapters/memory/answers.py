"""Answers of sources, kept in memory for the next diagnosis of the same incident."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock

INCIDENTS = 20
ANSWERS = 200  # of one incident; each is a window of a series


class AnswersInMemory:
    """Implements `AnswersKept`; the incident asked about longest ago is forgotten first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: OrderedDict[str, dict[Hashable, object]] = OrderedDict()

    def recall(self, incident_id: str, key: Hashable) -> tuple[object] | None:
        with self._lock:
            held = self._held.get(incident_id, {})
            return (held[key],) if key in held else None

    def keep(self, incident_id: str, key: Hashable, answer: object) -> None:
        with self._lock:
            held = self._held.setdefault(incident_id, {})
            self._held.move_to_end(incident_id)
            if len(held) < ANSWERS:
                held[key] = answer
            while len(self._held) > INCIDENTS:
                self._held.popitem(last=False)
