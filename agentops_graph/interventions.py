"""What people do with an incident that is theirs: plan it anew, or close it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from agentops_graph.closing import draft, resolution_of
from agentops_graph.controls import Controls
from agentops_graph.domain.approval import Door
from agentops_graph.domain.incident import GRAPH_VERSION, Incident, TimelineEvent
from agentops_graph.domain.ledger import Chapter
from agentops_graph.errors import ConflictError, InputError
from agentops_graph.faults import fault

AFTER_ESCALATION = 2  # the step of a resolution that follows the one of the hand-over


class Interventions(Controls):
    """The part of the service with which people take an incident on. Of several who do so at once
    one wins, with everything that belongs to it; the others get ConflictError and write nothing."""

    def retry(self, incident_id: str, *, actor: str, via: Door = "cli") -> Incident:
        """Plans an escalated incident anew, from fresh evidence."""
        ports, now = self._ports, self._ports.clock.now()
        with self._taken(incident_id, "are planned anew") as incident:
            note = _note(incident_id, f"planned anew on the word of {actor}", now)
            self._move_on(
                incident,
                note,
                status="detected",
                graph_version=GRAPH_VERSION,
                plan_number=incident.plan_number + 1,
                owner=None,
            )
            # Asked once the row is ours, so that a reconciliation is either seen or comes after.
            ports.incidents.update(incident_id, needs_reconcile=self.is_in_doubt(incident_id))
            ports.jobs.enqueue(incident_id, f"retry by {actor}", at=now)
            ports.audit.write(
                "incident.retried", actor=actor, via=via, at=now, incident_id=incident_id
            )
        return ports.incidents.get(incident_id)

    def close(self, incident_id: str, *, actor: str, note: str, via: Door = "cli") -> Incident:
        """A person ends an escalated incident with what they did."""
        ports, now = self._ports, self._ports.clock.now()
        with self._taken(incident_id, "are closed by a person") as incident:
            if not note.strip():
                raise InputError("say what was done, for the next person", field="note")
            said = _note(incident_id, f"closed by {actor}: {note}", now)
            self._move_on(incident, said, status="closed", ended_at=now, summary=note)
            resolution = resolution_of(ports, incident, "closed", now)
            ports.incidents.keep(
                Chapter(
                    incident_id=incident_id,
                    kind="resolution",
                    plan_number=incident.plan_number,
                    step=AFTER_ESCALATION,
                ),
                resolution,
            )
            draft(ports, incident, resolution)
            ports.audit.write(
                "incident.closed", actor=actor, via=via, at=now, incident_id=incident_id, note=note
            )
        return ports.incidents.get(incident_id)

    @contextmanager
    def _taken(self, incident_id: str, what: str) -> Iterator[Incident]:
        """An escalated incident, and one transaction for what is done with it."""
        with self._ports.incidents.together():
            incident = self._ports.incidents.get(incident_id)
            if incident.status != "escalated":
                raise ConflictError(
                    f"{incident_id} is {incident.status}; only escalated incidents {what}"
                )
            yield incident
            fault("intervention.before_commit")
        fault("intervention.after_commit")

    def _move_on(self, seen: Incident, note: TimelineEvent, **changes: object) -> None:
        """Changes the row and writes the note if the incident still is what was seen."""
        still = {"status": seen.status, "plan_number": seen.plan_number}
        if not self._ports.incidents.update_if(seen.incident_id, still, note, **changes):
            raise ConflictError(
                f"somebody else took {seen.incident_id} on in the same moment; "
                f"`agentops show {seen.incident_id}` says what became of it"
            )


def _note(incident_id: str, text: str, at: datetime) -> TimelineEvent:
    return TimelineEvent(incident_id=incident_id, at=at, node="service", kind="decision", text=text)
