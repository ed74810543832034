"""The use cases: chat, API, CLI and MLflow all call these and nothing deeper."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agentops_graph.arrivals import Arrivals
from agentops_graph.domain.alert import Alert
from agentops_graph.domain.approval import Approval, Door
from agentops_graph.domain.case import Case
from agentops_graph.domain.contract import BatchReport
from agentops_graph.domain.evidence import Evidence
from agentops_graph.domain.incident import Incident, Resolution
from agentops_graph.domain.knowledge import Page
from agentops_graph.domain.known import known_names
from agentops_graph.domain.ledger import Admission
from agentops_graph.domain.profile import ReferenceProfile
from agentops_graph.domain.sight import last_known
from agentops_graph.domain.story import kin_of
from agentops_graph.errors import InputError, NotFoundError, UnavailableError
from agentops_graph.gathering.charts import with_charts
from agentops_graph.gathering.judged import may_be_called_healthy
from agentops_graph.gathering.measure import Measurement, measure
from agentops_graph.gathering.recent import repaired_at, settled_at
from agentops_graph.gathering.reference import reference_from
from agentops_graph.interventions import Interventions
from agentops_graph.judgements import Judgements
from agentops_graph.lineage_intake import LineageIntake
from agentops_graph.loading import Loading
from agentops_graph.model_bill import use_of_model, without_gathered
from agentops_graph.pause_end import heard
from agentops_graph.teaching import Teaching
from agentops_graph.verdicts import NO_RUNNER, Decided, Verdicts

__all__ = ["NO_RUNNER", "Decided", "Inquiry", "Service"]

OPEN_AT_ONCE = 1000  # the most urgent is found among so many, however few are asked for


@dataclass(frozen=True)
class Inquiry:
    """An investigation on demand: the measurement, and the incidents it opened or joined."""

    component: str
    measurement: Measurement
    admissions: list[Admission]
    is_healthy: bool  # nothing was found, and what matters most could be judged


class Service(Verdicts, Interventions, Judgements, Teaching, Arrivals, Loading, LineageIntake):
    """One facade over the ports; it decides and reads, runners run."""

    @property
    def components(self) -> list[str]:
        return sorted(self._ports.components)

    def investigate(self, question: str, *, actor: str) -> Inquiry:
        """Measures the component that a question names and opens incidents for what is wrong."""
        name = self.component_in(question)
        component = self._ports.components[name]
        now = self._ports.clock.now()
        since = settled_at(self._ports.log, component, now)
        batches = self._ports.batches
        notes = [] if batches is None else batches.take_in(component, now)
        seen = measure(
            self._ports.warehouse,
            component,
            now,
            since=since,
            repaired=repaired_at(self._ports.log, component, now),
        )
        seen.notes.extend(notes)
        admissions = [
            self._ports.incidents.admit(
                with_charts(self._ports.warehouse, component, claim),
                opened_by=actor,
                at=now,
                kin=kin_of(claim, self._ports.components, now, self._ports.lineage.current()),
            )
            for claim in seen.grouped()
        ]
        for admission in admissions:
            heard(self._ports, admission)
        return Inquiry(
            component=name,
            measurement=seen,
            admissions=admissions,
            is_healthy=may_be_called_healthy(component, seen),
        )

    def component_in(self, question: str, *, by_name: bool = False) -> str:
        """The one configured component named in a text, or the only one there is unless it has to
        be `by_name`; NotFoundError lists those there are."""
        words = question.lower().replace("_", "-")
        named = [n for n in self.components if n.lower().replace("_", "-") in words]
        if named:
            return max(named, key=len)
        if not by_name and len(self.components) == 1 and " " in question.strip():
            return self.components[0]
        raise NotFoundError(
            f"no component is named in {question!r}; known: {known_names(self.components)}"
        )

    def incidents(self, *, open_only: bool = False, limit: int = 100) -> list[Incident]:
        """Open ones first, by severity and within it by what they cost; then the newest."""
        looked_at = max(limit, OPEN_AT_ONCE) if open_only else limit
        found = self._ports.log.listed(open_only=open_only, limit=looked_at)
        return sorted(found, key=lambda incident: incident.urgency, reverse=True)[:limit]

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
            diagnosis=without_gathered(diagnoses[-1][1]) if diagnoses else None,
            model_use=use_of_model(ports.incidents, incident_id),
            evidence=tuple(
                Evidence.model_validate(document)
                for _, document in ports.incidents.kept(incident_id, "evidence")
            ),
            approvals=tuple(ports.approval_log.listed(incident_id=incident_id)),
            effects=tuple(ports.effect_log.listed(incident_id)),
            work=tuple(self.work_underway(incident_id)),
            notices=tuple(ports.outbox.listed(incident_id)),
            resolution=Resolution.model_validate(resolutions[-1][1]) if resolutions else None,
            timeline=tuple(ports.log.timeline(incident_id)),
            verdicts=tuple(ports.incident_verdicts.given(incident_id)),
        )

    def approvals(self, *, status: str | None = "pending") -> list[Approval]:
        return self._ports.approval_log.listed(status=status)

    def approval(self, approval_id: str) -> Approval:
        """Raises NotFoundError."""
        return self._ports.approvals.get(approval_id.upper())

    def runners_alive(self) -> list[str]:
        return self._ports.leases.runners_alive()

    def page(self, reference: str) -> Page:
        """A runbook section or part of an incident report; raises NotFoundError."""
        return self._ports.shelf.page(reference)

    def search(self, query: str, *, limit: int = 5) -> list[Page]:
        return self._ports.shelf.search(query, limit=limit)

    def readings(self, component: str) -> Measurement:
        """The live figures of one component, measured now; opens nothing. Where its source does
        not answer, UnavailableError says what was last known, and when."""
        if component not in self._ports.components:
            raise NotFoundError(
                f"no component {component!r}; known: {known_names(self.components)}"
            )
        now = self._ports.clock.now()
        try:
            return measure(self._ports.warehouse, self._ports.components[component], now)
        except UnavailableError as error:
            rounds = self._ports.rounds
            known = [] if rounds is None else [s for s in rounds.sights() if s.seen_at]
            told = "".join(f"; {last_known(s, now)}" for s in known if s.component == component)
            raise UnavailableError(f"{error}{told}", source=error.source) from error

    def take_reference(
        self,
        component: str,
        since: datetime,
        until: datetime,
        *,
        actor: str,
        version: str | None = None,
        via: Door = "cli",
        importance: Callable[[str], dict[str, float]] | None = None,
    ) -> ReferenceProfile:
        """Saves what a model's data looked like in a good time, for drift to be held against;
        `importance` weighs the features of the version it is given."""
        ports, now = self._ports, self._ports.clock.now()
        if component not in ports.components:
            raise NotFoundError(
                f"no component {component!r}; known: {known_names(self.components)}"
            )
        watched = ports.components[component]
        profile = reference_from(ports.warehouse, watched, since, until, version, at=now)
        if importance is not None:
            weights = importance(profile.model_version)
            profile = profile.model_copy(update={"importance": weights})
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

    def record_batch(
        self, pipeline: str, path: Path, *, actor: str, via: Door = "cli"
    ) -> tuple[BatchReport, bool]:
        """Checks a batch file against its pipeline's contract and writes its row of DATA_QUALITY;
        False when that content was recorded before, and nothing was written."""
        ports, now = self._ports, self._ports.clock.now()
        if pipeline not in ports.components:
            raise NotFoundError(f"no component {pipeline!r}; known: {known_names(self.components)}")
        if ports.batches is None:
            raise InputError("this service reads no files", field="batches")
        report, is_new = ports.batches.record(ports.components[pipeline], path, now)
        if is_new:
            ports.audit.write(
                "batch.recorded",
                actor=actor,
                via=via,
                at=now,
                component=pipeline,
                batch=report.batch,
                rows=report.rows,
                violations=report.violations,
            )
        return report, is_new
