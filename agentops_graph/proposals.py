"""Makes a recommended action concrete: arguments, precondition, guard and undo, from live facts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from agentops_graph.domain.action import (
    Action,
    DeployModel,
    RerunPipeline,
    RetrainModel,
    RollbackModel,
    ScaleInfrastructure,
    ShiftTraffic,
)
from agentops_graph.domain.approval import Bound, Guard, Precondition
from agentops_graph.domain.component import Component
from agentops_graph.domain.gate import GateReport
from agentops_graph.domain.incident import Incident
from agentops_graph.domain.ledger import Version
from agentops_graph.errors import NotEnoughDataError, PortError
from agentops_graph.gathering.holdout import freeze
from agentops_graph.ports import Ports

# How far back a retraining may reach when nobody knows when the trouble began.
UNKNOWN_ONSET = timedelta(hours=1)
STEP_UP = 2  # replicas added at a time


@dataclass(frozen=True)
class Draft:
    """A concrete action with what binds it; `notes` are shown beside it."""

    action: Action
    precondition: Precondition | None = None
    guard: Guard | None = None
    undo: Action | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Situation:
    """What a draft is made from."""

    ports: Ports
    incident: Incident
    component: Component
    now: datetime
    gate: GateReport | None  # of the training in this plan, when there was one

    @property
    def onset(self) -> datetime:
        return self.incident.onset_at or self.now - UNKNOWN_ONSET


def draft(kind: str, situation: Situation) -> Draft | str:
    """The draft of an action of this kind, or in words why it can't be taken here."""
    subject = situation.component
    if kind == "rerun_pipeline":
        subject = situation.ports.components.get(_pipeline_of(subject) or "", subject)
    actuator = situation.ports.actuators.get(kind)
    if actuator is None or not actuator.offers(kind, subject):
        return f"no means to {kind} are configured for {subject.name}"
    try:
        return _of_segment(_DRAFTS[kind](situation), situation.incident.segment)
    except (PortError, NotEnoughDataError) as error:
        return f"it can't be prepared now: {error}"


def _of_segment(made: Draft | str, segment: str | None) -> Draft | str:
    """No action here stops at a segment's border: whoever decides has to know."""
    if isinstance(made, str) or segment is None:
        return made
    return replace(made, notes=(*made.notes, f"only {segment} went bad; this is for all traffic"))


def _pipeline_of(component: Component) -> str | None:
    """The component itself, when it is a pipeline, or its nearest feed."""
    return component.name if component.kind == "pipeline" else next(iter(component.feeds), None)


def _retrain(s: Situation) -> Draft | str:
    serving = s.ports.models.production(s.component.name)
    if serving is None:
        return f"{s.component.name} has no version in production"
    held_out = freeze(s.ports.warehouse, s.component, s.onset, s.now)
    if held_out is None:
        return "there are too few labelled rows since the onset to train and judge on"
    action = RetrainModel(
        model=s.component.name,
        base_version=serving.version,
        train_from=held_out.train_from,
        train_until=held_out.train_until,
        holdout_until=held_out.holdout_until,
        holdout_sha256=held_out.sha256,
        holdout_rows=held_out.rows,
        segment=s.incident.segment,
    )
    notes = (f"holdout: {held_out.rows} rows, {held_out.positives} positive, never trained on",)
    return Draft(action, precondition=_while_serving(serving), notes=notes)


def _deploy(s: Situation) -> Draft | str:
    serving = s.ports.models.production(s.component.name)
    trial = s.gate.trial if s.gate is not None else None
    if s.gate is None or trial is None:
        return "no trained version stands to be deployed"
    if serving is None:
        return f"{s.component.name} has no version in production"
    if serving.version == trial.candidate_version:
        return f"version {serving.version} already serves"
    return Draft(
        DeployModel(model=s.component.name, version=trial.candidate_version),
        precondition=_while_serving(serving),
        guard=_guard(s.component),
        undo=RollbackModel(model=s.component.name, to_version=serving.version),
        notes=(f"gate: {s.gate.verdict}", *s.gate.reasons),
    )


def _rollback(s: Situation) -> Draft | str:
    serving = s.ports.models.production(s.component.name)
    if serving is None:
        return f"{s.component.name} has no version in production"
    earlier = _version_before(serving, s.ports.models.versions(s.component.name))
    if earlier is None:
        return f"there is no version before {serving.version} to roll back to"
    return Draft(
        RollbackModel(model=s.component.name, to_version=earlier.version),
        precondition=_while_serving(serving),
        guard=_guard(s.component),
    )


def _version_before(serving: Version, versions: list[Version]) -> Version | None:
    """The newest earlier version that once served, else the newest earlier one."""
    earlier = [
        v for v in versions if v.created_at < serving.created_at and v.version != serving.version
    ]
    previous = [v for v in earlier if "previous" in v.aliases]
    newest = sorted(previous or earlier, key=lambda v: v.created_at, reverse=True)
    return newest[0] if newest else None


def _rerun(s: Situation) -> Draft | str:
    pipeline = _pipeline_of(s.component)
    if pipeline is None:
        return f"{s.component.name} names no upstream pipeline (components.yaml: feeds)"
    return Draft(RerunPipeline(pipeline=pipeline, window_from=s.onset, window_until=s.now))


def _scale(s: Situation) -> Draft | str:
    replicas = min(20, s.component.replicas + STEP_UP)
    if replicas == s.component.replicas:
        return f"{s.component.name} already runs on {replicas} replicas, the most there may be"
    return Draft(ScaleInfrastructure(component=s.component.name, replicas=replicas))


def _shift(s: Situation) -> Draft | str:
    serving = s.ports.models.production(s.component.name)
    earlier = serving and _version_before(serving, s.ports.models.versions(s.component.name))
    if serving is None or not earlier:
        return "there is no earlier version to shift traffic to"
    action = ShiftTraffic(model=s.component.name, version=earlier.version, percent=50)
    # Watched without an undo: a bound undo may run only while production is still what the approval
    # put there, and no port reads how traffic is split. When it turns out bad, a person is asked.
    return Draft(action, precondition=_while_serving(serving), guard=_guard(s.component))


def _while_serving(serving: Version) -> Precondition:
    return Precondition(subject="production_version", equals=serving.version)


def _guard(component: Component) -> Guard:
    health = component.health
    return Guard(
        bounds=(Bound(metric="error_rate", above=health.max_error_rate),),
        window_s=health.seconds,
        every_s=health.every_s,
        looks=health.looks,
        fresh_rows=health.fresh_rows,
    )


_DRAFTS: dict[str, Callable[[Situation], Draft | str]] = {
    "retrain_model": _retrain,
    "deploy_model": _deploy,
    "rollback_model": _rollback,
    "rerun_pipeline": _rerun,
    "scale_infrastructure": _scale,
    "shift_traffic": _shift,
}
