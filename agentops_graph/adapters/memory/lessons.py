"""What confirmed incidents teach, in memory."""

from agentops_graph.adapters.memory.ledger import MemoryLedger
from agentops_graph.domain.lesson import Calibration, ConfirmedOutcome
from agentops_graph.errors import NotFoundError


class MemoryLessons:
    """Implements `Lessons`."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def learn(self, outcome: ConfirmedOutcome) -> None:
        ledger = self._ledger
        with ledger.lock:
            ledger.stop_at_fence()
            if outcome.incident_id not in ledger.incidents:
                raise NotFoundError(f"no incident {outcome.incident_id!r}")
            ledger.outcomes.append(outcome)
            ledger.write_down(
                "outcome.confirmed",
                actor=outcome.actor,
                via=outcome.via,
                at=outcome.at,
                incident_id=outcome.incident_id,
                named=outcome.named,
                actual=outcome.actual,
            )

    def learnt(self) -> list[ConfirmedOutcome]:
        with self._ledger.lock:
            return list(self._ledger.outcomes)

    def accept(self, calibration: Calibration) -> Calibration:
        ledger = self._ledger
        with ledger.lock:
            ledger.stop_at_fence()
            number = ledger.number("calibration")
            kept = calibration.model_copy(update={"calibration_id": number})
            ledger.calibrations.append(kept)
            ledger.write_down(
                "calibration.accepted",
                actor=kept.actor,
                via=kept.via,
                at=kept.at,
                shift=kept.shift,
                slope=kept.slope,
                outcomes=kept.outcomes,
            )
        return kept

    def accepted(self) -> Calibration | None:
        with self._ledger.lock:
            return self._ledger.calibrations[-1] if self._ledger.calibrations else None
