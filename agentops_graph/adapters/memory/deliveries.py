"""What other systems pushed to us, in memory."""

from datetime import datetime

from agentops_graph.adapters.memory.ledger import MemoryLedger
from agentops_graph.domain.delivery import Firing, Outside, Standing


class MemoryDeliveries:
    """Implements `Deliveries` and `OutsideAlerts`."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def knows(self, key: str) -> bool:
        return key in self._ledger.deliveries

    def note(self, key: str, source: str, *, at: datetime) -> bool:
        ledger = self._ledger
        with ledger.lock:
            ledger.stop_at_fence()
            if key in ledger.deliveries:
                return False
            ledger.deliveries[key] = at
            return True

    def take(self, message: Outside, *, at: datetime) -> Standing:
        ledger, name = self._ledger, (message.source, message.fingerprint)
        with ledger.lock:
            if not self.note(message.key, message.source, at=at):
                return "known"
            over_at = message.ended_by(at)
            if over_at is not None:
                ledger.outside_ends[name] = max(over_at, ledger.outside_ends.get(name, over_at))
                self._end(name, over_at, at)
                return "new"
            ended_at = ledger.outside_ends.get(name)
            return "over" if ended_at is not None and ended_at >= message.starts_at else "new"

    def _end(self, name: tuple[str, str], over_at: datetime, at: datetime) -> None:
        ledger = self._ledger
        for alert_id, held in ledger.outside_alerts.items():
            is_of_it = (held.source, held.fingerprint) == name and held.starts_at <= over_at
            if is_of_it and held.over_at is None:
                ledger.outside_alerts[alert_id] = held.model_copy(update={"over_at": over_at})
                ledger.looks_due[alert_id] = at

    def forget(self, before: datetime) -> None:
        ledger = self._ledger
        with ledger.lock:
            ledger.stop_at_fence()
            kept = {key: at for key, at in ledger.deliveries.items() if at >= before}
            ends = {name: at for name, at in ledger.outside_ends.items() if at >= before}
            ledger.deliveries, ledger.outside_ends = kept, ends

    def follow(self, firing: Firing) -> None:
        with self._ledger.lock:
            self._ledger.stop_at_fence()
            self._ledger.outside_alerts[firing.alert_id] = firing

    def followed(self, incident_id: str) -> list[Firing]:
        with self._ledger.lock:
            held = list(self._ledger.outside_alerts.values())
        own = [firing for firing in held if firing.incident_id == incident_id]
        return sorted(own, key=lambda firing: (firing.starts_at, firing.alert_id))

    def recovering(self, at: datetime) -> list[str]:
        ledger = self._ledger
        with ledger.lock:
            due = [alert_id for alert_id, time in ledger.looks_due.items() if time <= at]
            return sorted({ledger.outside_alerts[alert_id].incident_id for alert_id in due})

    def look_again(self, incident_id: str, at: datetime | None) -> None:
        ledger = self._ledger
        with ledger.lock:
            ledger.stop_at_fence()
            for alert_id, held in ledger.outside_alerts.items():
                if held.incident_id != incident_id or held.over_at is None:
                    continue
                ledger.looks_due.pop(alert_id, None)
                if at is not None:
                    ledger.looks_due[alert_id] = at
