"""Verdicts on incidents, in memory."""

from agentops_graph.adapters.memory.ledger import MemoryLedger
from agentops_graph.domain.redaction import redacted_within
from agentops_graph.domain.verdict import IncidentVerdict
from agentops_graph.errors import NotFoundError


class MemoryIncidentVerdicts:
    """Implements `IncidentVerdicts`."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def give(self, verdict: IncidentVerdict) -> IncidentVerdict:
        ledger, verdict = self._ledger, redacted_within(verdict)
        with ledger.lock:
            ledger.stop_at_fence()
            for named in filter(None, (verdict.incident_id, verdict.of)):
                if named not in ledger.incidents:
                    raise NotFoundError(f"no incident {named!r}")
            number = ledger.number("incident verdict")
            kept = verdict.model_copy(update={"verdict_id": number})
            ledger.incident_verdicts.append(kept)
            ledger.write_down(
                "incident.judged",
                actor=kept.actor,
                via=kept.via,
                at=kept.at,
                incident_id=kept.incident_id,
                verdict=kept.verdict,
                of=kept.of,
            )
        return kept

    def given(self, incident_id: str | None = None) -> list[IncidentVerdict]:
        with self._ledger.lock:
            held = list(self._ledger.incident_verdicts)
        return [v for v in held if incident_id in (None, v.incident_id)]
