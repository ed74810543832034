"""The outside in memory: an actuator that records, a scripted reasoner, given models and rows."""

import os
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from agentops_graph.domain.action import Action, Notice
from agentops_graph.domain.component import Component
from agentops_graph.domain.diagnosis import Brief, Diagnosis
from agentops_graph.domain.effect import Happened, Receipt
from agentops_graph.domain.knowledge import Cause, DocumentKind, Page
from agentops_graph.domain.ledger import Version
from agentops_graph.domain.record import Scalar
from agentops_graph.errors import (
    DidNotHappenError,
    NotFoundError,
    PortError,
    UnavailableError,
)


class SteppingClock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def move(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class RecordingActuator:
    """Carries an action out by writing its key down; what is written down has happened.

    With a `file` the record is durable (one key a line, synced before the call returns) and
    outlives the process; without one it is the list `keys`. A call is over when it returns, so a
    key that is not in the record can come into it only by a new call.
    """

    enforces_key = False

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._keys: list[str] = []
        self.refusal: str | None = None  # set: the next calls do nothing and say so
        self.loses_answers = False  # set: the next calls do it, and their answer is lost

    @property
    def keys(self) -> list[str]:
        """Every key carried out, in order; twice where it was done twice."""
        if self._file is None:
            return list(self._keys)
        return self._file.read_text().split() if self._file.exists() else []

    def carry_out(self, action: Action, *, key: str, incident_id: str) -> Receipt:
        if self.refusal is not None:
            raise DidNotHappenError(self.refusal)
        with self._lock:
            self._write_down(key)
        if self.loses_answers:
            raise UnavailableError(f"{action.action}: the answer was lost on the way")
        return Receipt(reference=f"{action.action} {key}")

    def _write_down(self, key: str) -> None:
        if self._file is None:
            self._keys.append(key)
            return
        with self._file.open("a") as record:
            record.write(f"{key}\n")
            record.flush()
            os.fsync(record.fileno())

    def probe(self, action: Action, *, key: str) -> Happened:
        return "happened" if key in self.keys else "did_not"

    def offers(self, action: str, component: Component) -> bool:
        return True


class ScriptedReasoner:
    """Answers every brief with the diagnosis it was given, under the brief's own ids and time."""

    def __init__(self, diagnosis: Diagnosis) -> None:
        self._diagnosis = diagnosis
        self.briefs: list[Brief] = []

    def diagnose(self, brief: Brief) -> Diagnosis:
        self.briefs.append(brief)
        of_this_brief = {
            "diagnosis_id": brief.diagnosis_id,
            "alert_id": brief.alert.alert_id,
            "diagnosed_at": brief.asked_at,
        }
        return self._diagnosis.model_copy(update=of_this_brief)


class FixedModels:
    """Implements `Models` over the versions it was given; `serving` says which is in production."""

    def __init__(self, versions: Sequence[Version], serving: dict[str, str]) -> None:
        self._versions = {(v.model, v.version): v for v in versions}
        self.serving = serving

    def production(self, model: str) -> Version | None:
        return self._versions.get((model, self.serving.get(model, "")))

    def version(self, model: str, version: str) -> Version:
        if (model, version) not in self._versions:
            raise NotFoundError(f"no version {version} of {model}")
        return self._versions[(model, version)]

    def versions(self, model: str) -> list[Version]:
        own = [v for v in self._versions.values() if v.model == model]
        return sorted(own, key=lambda v: v.created_at, reverse=True)


class CollectingNotifier:
    """Keeps each notice it is sent; one marker is sent once."""

    def __init__(self) -> None:
        self.sent: dict[str, Notice] = {}
        self.failure: PortError | None = None  # set: the next calls raise it

    def send(self, notice: Notice, *, marker: str, earlier: str | None) -> str:
        if self.failure is not None:
            raise self.failure
        self.sent.setdefault(marker, notice)
        return f"collected:{marker}"


class ShelfInMemory:
    """Implements `Shelf` over given pages and causes; a page scores the words it shares."""

    def __init__(self, pages: Sequence[Page] = (), causes: Sequence[Cause] = ()) -> None:
        self._pages = {page.reference: page for page in pages}
        self._causes = list(causes)
        self.incidents: dict[str, str] = {}

    def search(
        self,
        query: str,
        *,
        kind: DocumentKind | None = None,
        alert_type: str | None = None,
        component: str | None = None,
        limit: int = 5,
    ) -> list[Page]:
        asked = set(query.lower().split())
        found = []
        for page in self._pages.values():
            words = set(f"{page.title} {page.text}".lower().split())
            is_of_type = alert_type is None or alert_type in page.alert_types
            if kind in (None, page.kind) and is_of_type and asked & words:
                score = len(asked & words) / len(asked)
                found.append(page.model_copy(update={"score": score}))
        of_it = {p.reference for p in found if component is not None and p.component == component}
        found.sort(key=lambda page: (page.reference in of_it, page.score), reverse=True)
        return found[:limit]

    def page(self, reference: str) -> Page:
        if reference not in self._pages:
            raise NotFoundError(f"no page {reference!r}")
        return self._pages[reference]

    def causes(self, alert_type: str, *, question: str = "") -> list[Cause]:
        serving = [cause for cause in self._causes if alert_type in cause.serves]
        answering = {page.document for page in self.search(question, kind="runbook", limit=2)}
        guessed = [c for c in serving if c.guessed and c.runbook in answering]
        return [c for c in serving if not c.guessed] + guessed

    def add_incident(self, incident_id: str, markdown: str, *, confirmed: bool) -> None:
        self.incidents[incident_id] = markdown

    def condition(self) -> dict[str, Scalar]:
        return {"sections": len(self._pages), "index": "memory"}
