"""The use cases: chat, API, CLI and MLflow all call these and nothing deeper."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from agentops_graph.closing import resolution_of
from agentops_graph.controls import Controls
from agentops_graph.domain.alert import Alert, AlertClaim
from agentops_graph.domain.approval import Approval, Decision, Door
from agentops_graph.domain.case import Case
from agentops_graph.domain.diagnosis import Diagnosis
from agentops_graph.domain.evidence import Evidence
from agentops_graph.domain.incident import GRAPH_VERSION, Incident, Resolution, TimelineEvent
from agentops_graph.domain.knowledge import Page
from agentops_graph.domain.ledger import Admission, Chapter, Note
from agentops_graph.domain.profile import ReferenceProfile
from agentops_graph.domain.record import Record
from agentops_graph.errors import ConflictError, InputError, NotFoundError
from agentops_graph.gathering.judged import may_be_called_healthy
from agentops_graph.gathering.measure import Measurement, measure
from agentops_graph.gathering.recent import settled_at
from agentops_graph.gathering.reference import reference_from
from agentops_graph.wording import LESSONS_TO_COME

R = TypeVar("R", bound=Record)
NO_RUNNER = (
    "no runner is alive, so nothing is carried out yet; start one with `agentops work` or "
    "`agentops serve`"
)


@dataclass(frozen=True)
class Decided:
    """A decision as it was written; `hint` says so when nobody is there to carry it out."""

    approval: Approval
    hint: str | None


@dataclass(frozen=True)
class Inquiry:
    """An investigation on demand: the measurement, and the incidents it opened or joined."""

    component: str
    measurement: Measurement
    admissions: list[Admission]
    is_healthy: bool  # nothing was found, and what matters most could be judged


class Service(Controls):
    """One facade over the ports; it decides and reads, runners run."""

    @property
    def components(self) -> list[str]:
        return sorted(self._ports.components)

    def raise_alert(
        self, claim: AlertClaim | Mapping[str, Any], *, actor: str, via: Door
    ) -> Admission:
        """Admits an alert; InputError names the field of a malformed one."""
        if not isinstance(claim, AlertClaim):
            claim = _parsed(claim)
        now = self._ports.clock.now()
        admission = self._ports.incidents.admit(claim, opened_by=actor, at=now)
        self._ports.audit.write(
            "alert.received",
            actor=actor,
            via=via,
            at=now,
            incident_id=admission.incident_id,
            alert_id=admission.alert.alert_id,
        )
        return admission

    def investigate(self, question: str, *, actor: str) -> Inquiry:
        """Measures the component that a question names and opens incidents for what is wrong."""
        name = self.component_in(question)
        component = self._ports.components[name]
        now = self._ports.clock.now()
        since = settled_at(self._ports.log, component, now)
        seen = measure(self._ports.warehouse, component, now, since=since)
        admissions = [
            self._ports.incidents.admit(claim, opened_by=actor, at=now) for claim in seen.grouped()
        ]
        return Inquiry(
            component=name,
            measurement=seen,
            admissions=admissions,
            is_healthy=may_be_called_healthy(component, seen),
        )

    def component_in(self, question: str) -> str:
        """The one configured component named in a text; NotFoundError lists those there are."""
        words = question.lower().replace("_", "-")
        named = [n for n in self.components if n.lower().replace("_", "-") in words]
        if named:
            return max(named, key=len)
        if len(self.components) == 1 and " " in question.strip():
            return self.components[0]
        known = ", ".join(self.components) or "none; describe them in components.yaml"
        raise NotFoundError(f"no component is named in {question!r}; known: {known}")

    def incidents(self, *, open_only: bool = False, limit: int = 100) -> list[Incident]:
        return self._ports.log.listed(open_only=open_only, limit=limit)

    def alerts(self, *, limit: int = 100) -> list[Alert]:
        """The feed: newest first."""
        return self._ports.log.alerts(limit=limit)[::-1]

    def case(self, incident_id: str) -> Case:
        """Raises NotFoundError."""
        ports = self._ports
        incident = ports.incidents.get(incident_id)
        diagnoses = ports.incidents.kept(incident_id, "diagnosis")
        resolutions = ports.incidents.kept(incident_id, "resolution")
        return Case(
            incident=incident,
            alerts=tuple(ports.log.alerts(incident_id)),
            diagnosis=Diagnosis.model_validate(diagnoses[-1][1]) if diagnoses else None,
            evidence=tuple(
                Evidence.model_validate(document)
                for _, document in ports.incidents.kept(incident_id, "evidence")
            ),
            approvals=tuple(ports.approval_log.listed(incident_id=incident_id)),
            effects=tuple(ports.effect_log.listed(incident_id)),
            notices=tuple(ports.outbox.listed(incident_id)),
            resolution=Resolution.model_validate(resolutions[-1][1]) if resolutions else None,
            timeline=tuple(ports.log.timeline(incident_id)),
        )

    def approvals(self, *, status: str | None = "pending") -> list[Approval]:
        return self._ports.approval_log.listed(status=status)

    def approval(self, approval_id: str) -> Approval:
        """Raises NotFoundError."""
        return self._ports.approvals.get(approval_id.upper())

    def decide(
        self,
        approval_id: str,
        verdict: Literal["approve", "reject"],
        *,
        actor: str,
        via: Door,
        digest: str | None = None,
        reason: str | None = None,
    ) -> Decided:
        """Writes a person's decision; it is carried out by a runner, not here."""
        if verdict == "reject" and not (reason or "").strip():
            raise InputError(
                "a rejection needs a reason that the next person can read", field="reason"
            )
        said = {"verdict": verdict, "actor": actor, "via": via, "digest": digest, "reason": reason}
        decision = _checked(Decision, {"approval_id": approval_id.upper(), **said})
        decided = self._ports.approvals.decide(decision, at=self._ports.clock.now())
        return Decided(approval=decided, hint=None if self.runners_alive() else NO_RUNNER)

    def runners_alive(self) -> list[str]:
        return self._ports.leases.runners_alive()

    def retry(self, incident_id: str, *, actor: str) -> Incident:
        """Plans an escalated incident anew, from fresh evidence."""
        incident = self._ports.incidents.get(incident_id)
        if incident.status != "escalated":
            raise ConflictError(
                f"{incident_id} is {incident.status}; only escalated incidents are planned anew"
            )
        now = self._ports.clock.now()
        self._ports.incidents.update(
            incident_id,
            self._note(incident_id, f"planned anew on the word of {actor}"),
            status="detected",
            graph_version=GRAPH_VERSION,
            plan_number=incident.plan_number + 1,
            owner=None,
            needs_reconcile=self.is_in_doubt(incident_id),
        )
        self._ports.jobs.enqueue(incident_id, f"retry by {actor}", at=now)
        return self._ports.incidents.get(incident_id)

    def close(self, incident_id: str, *, actor: str, note: str) -> Incident:
        """A person ends an escalated incident with what they did."""
        incident = self._ports.incidents.get(incident_id)
        if incident.status != "escalated":
            raise ConflictError(
                f"{incident_id} is {incident.status}; a person closes escalated ones"
            )
        if not note.strip():
            raise InputError("say what was done, for the next person", field="note")
        now = self._ports.clock.now()
        self._ports.incidents.keep(
            Chapter(
                incident_id=incident_id,
                kind="resolution",
                plan_number=incident.plan_number,
                step=2,
            ),
            resolution_of(self._ports, incident, "closed", now),
        )
        self._ports.incidents.update(
            incident_id,
            self._note(incident_id, f"closed by {actor}: {note}"),
            status="closed",
            ended_at=now,
            summary=note,
        )
        return self._ports.incidents.get(incident_id)

    def confirm(
        self, incident_id: str, *, actor: str, lessons: str | None = None, via: Door = "cli"
    ) -> None:
        """A person vouches for a post-mortem, which then counts as precedent; `lessons` is the
        section only they can write."""
        self._ports.incidents.get(incident_id)
        kept = self._ports.incidents.kept(incident_id, "postmortem")
        if not kept:
            raise NotFoundError(f"{incident_id} has no report; one is written when it is resolved")
        text = str(Note.model_validate(kept[-1][1]).values["markdown"])
        text = text.replace("\nconfirmed: false\n", "\nconfirmed: true\n", 1)
        if lessons is not None and lessons.strip():
            text = text.replace(LESSONS_TO_COME, " ".join(lessons.split()), 1)
        self._ports.shelf.add_incident(incident_id, text, confirmed=True)
        now = self._ports.clock.now()
        self._ports.audit.write(
            "postmortem.confirmed", actor=actor, via=via, at=now, incident_id=incident_id
        )

    def page(self, reference: str) -> Page:
        """A runbook section or part of an incident report; raises NotFoundError."""
        return self._ports.shelf.page(reference)

    def search(self, query: str, *, limit: int = 5) -> list[Page]:
        return self._ports.shelf.search(query, limit=limit)

    def readings(self, component: str) -> Measurement:
        """The live figures of one component, measured now; opens nothing."""
        if component not in self._ports.components:
            raise NotFoundError(f"no component {component!r}; known: {', '.join(self.components)}")
        return measure(
            self._ports.warehouse, self._ports.components[component], self._ports.clock.now()
        )

    def take_reference(
        self,
        component: str,
        since: datetime,
        until: datetime,
        *,
        actor: str,
        version: str | None = None,
        via: Door = "cli",
    ) -> ReferenceProfile:
        """Saves what a model's data looked like in a good time, for drift to be held against."""
        ports, now = self._ports, self._ports.clock.now()
        if component not in ports.components:
            raise NotFoundError(f"no component {component!r}; known: {', '.join(self.components)}")
        watched = ports.components[component]
        profile = reference_from(ports.warehouse, watched, since, until, version, at=now)
        ports.history.save_reference(profile)
        ports.audit.write(
            "reference.taken",
            actor=actor,
            via=via,
            at=now,
            component=component,
            version=profile.model_version,
            span=f"{since.isoformat()}..{until.isoformat()}",
        )
        return profile

    def _note(self, incident_id: str, text: str) -> TimelineEvent:
        return TimelineEvent(
            incident_id=incident_id,
            at=self._ports.clock.now(),
            node="service",
            kind="decision",
            text=text,
        )


def _parsed(claim: Mapping[str, Any]) -> AlertClaim:
    """An alert from outside; findings are ours alone, so they are not taken from others."""
    document = {k: v for k, v in claim.items() if k not in ("alert_id", "findings")}
    return _checked(AlertClaim, document)


def _checked(record: type[R], document: Mapping[str, Any]) -> R:
    try:
        return record.model_validate(document)
    except ValidationError as error:
        problem = error.errors()[0]
        raise InputError(
            f"{problem['msg']} (seen: {problem.get('input')!r:.100})",
            field=".".join(str(part) for part in problem["loc"]),
        ) from None
