"""What comes in from outside: alerts of people and of other systems, and changes that were made."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from agentops_graph.controls import Controls
from agentops_graph.domain.alert import AlertClaim
from agentops_graph.domain.approval import Door
from agentops_graph.domain.delivery import Delivered, Firing, Outside
from agentops_graph.domain.frames import Change
from agentops_graph.domain.incident import TimelineEvent
from agentops_graph.domain.ledger import Admission
from agentops_graph.domain.sight import OF_A_SOURCE
from agentops_graph.errors import InputError, NotEnoughDataError
from agentops_graph.pause_end import heard
from agentops_graph.verdicts import checked

# Each transaction waits for the disk, and all other writers wait for it.
AT_ONCE = 50
REMEMBERED = timedelta(days=90)  # a message that comes again later is new
A_MOMENT = timedelta(microseconds=1)
# Whoever could open such an incident would keep ours, that nobody watches, from being opened.
OURS_ALONE = f"a name that begins with {OF_A_SOURCE!r} is one of our own sources: it can't be told"


class Arrivals(Controls):
    """The part of the service to which other systems and people report."""

    def raise_alert(
        self, claim: AlertClaim | Mapping[str, Any], *, actor: str, via: Door
    ) -> Admission:
        """Admits an alert; InputError names the field of a malformed one."""
        if not isinstance(claim, AlertClaim):
            claim = _parsed(claim)
        if claim.affected_component.startswith(OF_A_SOURCE):
            raise InputError(OURS_ALONE, field="affected_component")
        now = self._ports.clock.now()
        admission = self._ports.incidents.admit(claim, opened_by=actor, at=now)
        heard(self._ports, admission)
        self._ports.audit.write(
            "alert.received",
            actor=actor,
            via=via,
            at=now,
            incident_id=admission.incident_id,
            alert_id=admission.alert.alert_id,
        )
        return admission

    def deliver(self, messages: Sequence[Outside], *, actor: str, via: Door) -> list[Delivered]:
        """What another system says of its alerts, some in one transaction: a message that came
        before changes nothing, one that fires opens or joins an incident, and an end is kept for
        the runner to close what rests on it (`recovery.py`)."""
        self._ports.deliveries.forget(self._ports.clock.now() - REMEMBERED)
        delivered: list[Delivered] = []
        for first in range(0, len(messages), AT_ONCE):
            with self._ports.incidents.together():
                delivered += [
                    self._delivered(message, actor, via)
                    for message in messages[first : first + AT_ONCE]
                ]
        return delivered

    def _delivered(self, message: Outside, actor: str, via: Door) -> Delivered:
        now = self._ports.clock.now()
        message = message.by_our_clock(now)
        standing = self._ports.deliveries.take(message, at=now)
        if standing != "new":
            return Delivered(outcome=standing)
        if message.is_over:
            self._say("alert.over", message, actor, via)
            return Delivered(outcome="resolved")
        if message.claim is None:
            return Delivered(outcome="ignored", said=message.said)
        if message.claim.affected_component.startswith(OF_A_SOURCE):
            return Delivered(outcome="refused", said=OURS_ALONE)
        return self._admitted(message, message.claim, actor, via)

    def _admitted(self, message: Outside, claim: AlertClaim, actor: str, via: Door) -> Delivered:
        admission = self.raise_alert(claim, actor=actor, via=via)
        firing = Firing(
            alert_id=admission.alert.alert_id,
            incident_id=admission.incident_id,
            source=message.source,
            fingerprint=message.fingerprint,
            starts_at=message.starts_at,
        )
        self._ports.outside_alerts.follow(firing)
        return Delivered(
            outcome="opened" if admission.is_new else "joined",
            incident_id=firing.incident_id,
            alert_id=firing.alert_id,
        )

    def tell_truncated(
        self, incident_ids: set[str], left_out: int, *, actor: str, via: Door
    ) -> None:
        """Some alerts of the same group were never sent; whoever reads the incident has to know."""
        ports, now = self._ports, self._ports.clock.now()
        text = f"{left_out} more alerts of the same group were left out by their sender"
        with ports.incidents.together():
            ports.audit.write("alerts.left_out", actor=actor, via=via, at=now, alerts=left_out)
            for incident_id in sorted(incident_ids):
                note = TimelineEvent(
                    incident_id=incident_id, at=now, node="service", kind="note", text=text
                )
                ports.incidents.update(incident_id, note)

    def _say(self, what: str, message: Outside, actor: str, via: Door) -> None:
        self._ports.audit.write(
            what,
            actor=actor,
            via=via,
            at=self._ports.clock.now(),
            source=message.source,
            fingerprint=message.fingerprint,
        )

    def note_change(
        self, change: Change, *, key: str, source: str, actor: str, via: Door
    ) -> Delivered:
        """Keeps a change for diagnosis to find. The row is written before its key: a sender that
        heard nothing sends it again, and the row is known by its content then."""
        ports, now = self._ports, self._ports.clock.now()
        if ports.deliveries.knows(key):
            return Delivered(outcome="known")
        if not self._is_recorded(change):
            ports.history.record_change(change)
        with ports.incidents.together():
            if not ports.deliveries.note(key, source, at=now):
                return Delivered(outcome="known")
            ports.audit.write(
                "change.received",
                actor=actor,
                via=via,
                at=now,
                component=change.subject,
                kind=change.kind,
                source=source,
            )
        return Delivered(outcome="recorded")

    def _is_recorded(self, change: Change) -> bool:
        try:
            found = self._ports.warehouse.changes([change.subject], change.at, change.at + A_MOMENT)
        except NotEnoughDataError:
            return False
        return any((c.kind, c.summary) == (change.kind, change.summary) for c in found)


def _parsed(claim: Mapping[str, Any]) -> AlertClaim:
    """An alert from outside; findings are ours alone, so they are not taken from others."""
    document = {k: v for k, v in claim.items() if k not in ("alert_id", "findings")}
    return checked(AlertClaim, document)
