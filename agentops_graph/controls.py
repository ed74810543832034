"""What people hold on to: the kill switch, silences, withdrawal, and effects to reconcile."""

from datetime import timedelta

from agentops_graph.domain.alert import AlertType
from agentops_graph.domain.approval import Approval, Door
from agentops_graph.domain.effect import Effect
from agentops_graph.domain.known import known_names
from agentops_graph.domain.ledger import Silence
from agentops_graph.domain.standing import in_words, standing
from agentops_graph.errors import ConflictError, GoneError, InputError, NotFoundError
from agentops_graph.ports import Ports
from agentops_graph.watch import RECOVERED, holds_now

LONGEST_SILENCE_H = 24 * 14


class Controls:
    """The part of the service with which people stop, quiet and settle things."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def pause_actions(self, *, everything: bool, actor: str) -> None:
        self._ports.switches.pause_actions(
            everything=everything, by=actor, at=self._ports.clock.now()
        )

    def resume_actions(self, *, actor: str) -> None:
        self._ports.switches.resume_actions(by=actor, at=self._ports.clock.now())

    def paused(self) -> str | None:
        return self._ports.switches.paused()

    def silence(
        self,
        component: str,
        *,
        hours: float,
        reason: str,
        actor: str,
        alert_type: AlertType | None = None,
        maintenance: bool = False,
    ) -> Silence:
        """For some hours alerts of a component open nothing; in maintenance nothing is done to it
        either."""
        if component not in self._ports.components:
            names = known_names(sorted(self._ports.components))
            raise NotFoundError(f"no component {component!r}; known: {names}")
        if not 0 < hours <= LONGEST_SILENCE_H:
            raise InputError(f"must be between 0 and {LONGEST_SILENCE_H}", field="hours")
        if not reason.strip():
            raise InputError("say why, for the next person", field="reason")
        now = self._ports.clock.now()
        return self._ports.silences.add(
            Silence(
                silence_id="new",
                kind="maintenance" if maintenance else "silence",
                component=component,
                alert_type=alert_type,
                starts_at=now,
                ends_at=now + timedelta(hours=hours),
                by=actor,
                reason=reason,
            )
        )

    def end_silence(self, silence_id: str, *, actor: str) -> Silence:
        return self._ports.silences.end(silence_id, by=actor, at=self._ports.clock.now())

    def silences(self) -> list[Silence]:
        return self._ports.silences.active(self._ports.clock.now())

    def withdraw(self, approval_id: str, *, actor: str, via: Door = "cli") -> Approval:
        """Ends an approval whose alert no longer holds; the incident closes as recovered."""
        held = self._ports.approvals.get(approval_id.upper())
        if held.status == "pending" and RECOVERED not in held.notes:
            raise ConflictError(
                f"{held.approval_id} is still needed: the alert holds, as far as anyone looked; "
                f"`agentops reject {held.approval_id} --reason ...` refuses it"
            )
        if held.status == "pending" and holds_now(self._ports, held):
            raise ConflictError(
                f"{held.approval_id} is needed again: the alert had gone, and by what was measured "
                "just now it holds"
            )
        why, now = "it recovered by itself", self._ports.clock.now()
        retired = self._ports.approvals.retire(
            held.approval_id, "withdrawn", why=why, by=actor, at=now, via=via
        )
        # Whoever else ended it in the same moment is named in the row.
        is_ours = (retired.decided_by, retired.decided_at) == (actor, now)
        if held.status != "pending" or retired.status != "withdrawn" or not is_ours:
            is_gone = retired.status in ("expired", "superseded")
            raise (GoneError if is_gone else ConflictError)(
                f"{held.approval_id} was already {retired.status}"
            )
        return retired

    def reconcile(self, key: str, happened: bool, *, actor: str, note: str) -> Effect:
        """A person says whether an effect of unknown outcome happened."""
        with self._ports.incidents.together():
            settled = self._ports.effect_log.settle(
                key,
                "done" if happened else "failed",
                by=actor,
                note=note,
                at=self._ports.clock.now(),
            )
            self._ports.incidents.update(
                settled.incident_id, needs_reconcile=self.is_in_doubt(settled.incident_id)
            )
        return settled

    def work_underway(self, incident_id: str) -> list[str]:
        """How far the incident's detached work is, and whether it is silent or overdue."""
        return [
            in_words(work, self._ports.policy)
            for work in self._ports.work.underway()
            if work.incident_id == incident_id
        ]

    def work_in_trouble(self) -> dict[str, str]:
        """By incident: which detached work is silent or overdue, and for how long."""
        policy = self._ports.policy
        return {
            work.incident_id: in_words(work, policy)
            for work in self._ports.work.underway()
            if standing(work, policy) != "well"
        }

    def is_in_doubt(self, incident_id: str) -> bool:
        """True while an effect of this incident waits to be reconciled."""
        return any(e.state == "unknown" for e in self._ports.effect_log.listed(incident_id))

    def to_reconcile(self) -> list[Effect]:
        return [e for e in self._ports.effect_log.listed() if e.state == "unknown"]
