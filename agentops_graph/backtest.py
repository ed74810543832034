"""Replays stored history through the monitor's rules, before they page anyone."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agentops_graph.domain.alert import AlertClaim, AlertType
from agentops_graph.domain.backtest import Backtest, BacktestPlan, RuleReplay
from agentops_graph.domain.component import Component
from agentops_graph.domain.ledger import Silence
from agentops_graph.domain.lineage.chart import EMPTY, Chart
from agentops_graph.domain.story import kin_of, standing_of, upstream_first
from agentops_graph.errors import NotEnoughDataError
from agentops_graph.gathering.adjusted import without_part
from agentops_graph.gathering.hysteresis import eased
from agentops_graph.gathering.judged import OF_A_LOG, was_measured
from agentops_graph.gathering.matched import Real, real_incidents, with_matches
from agentops_graph.gathering.measure import Measurement, measure
from agentops_graph.gathering.played import Book, Played, end
from agentops_graph.gathering.reel import Reel
from agentops_graph.ports import Ports

WINDOWS_BACK = 4  # an onset is searched in three
RULES: dict[str, tuple[AlertType, ...]] = {
    "model": (
        "model_drift",
        "accuracy_drop",
        "anomaly_spike",
        "latency",
        "volume_anomaly",
        "data_quality",
    ),
    "pipeline": ("data_quality", "volume_anomaly"),
    "agent": (
        "latency",
        "provider_outage",
        "cost_spike",
        "memory_bloat",
        "convergence_stall",
        "policy_false_positives",
        "accuracy_drop",
    ),
}
Told = Callable[[int, int], None]
Rule = tuple[str, AlertType]


@dataclass
class Replay:
    """What is known while history passes."""

    plan: BacktestPlan
    silences: list[Silence]
    reels: dict[str, Reel]
    lineage: Chart = EMPTY
    book: Book = field(default_factory=Book)
    looks: dict[Rule, int] = field(default_factory=lambda: defaultdict(int))
    counts: dict[Rule, dict[str, int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )
    notes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    heard: set[str] = field(default_factory=set)  # silences that kept something quiet

    @property
    def components(self) -> dict[str, Component]:
        return {component.name: component for component in self.plan.components}


def replay(
    ports: Ports, plan: BacktestPlan, told: Told, *, only: Callable[[str], bool]
) -> Backtest:
    """The same measurement, grouping, hysteresis, cool-down, silences and triage as in the monitor,
    over the warehouse's history. Writes nothing; `told` hears how many looks are done, and of how
    many. Of silences, those of components that `only` lets through are told of. Raises
    UnavailableError when the warehouse stops answering."""
    passing = Replay(
        plan,
        [
            silence
            for silence in ports.silences.active(plan.since)
            if silence.starts_at < plan.until and only(silence.component)
        ],
        {
            c.name: Reel(
                ports.warehouse,
                c.name,
                timedelta(seconds=WINDOWS_BACK * c.thresholds.drift_window_s),
            )
            for c in plan.components
        },
        ports.lineage.current(),
    )
    for number in range(plan.looks):
        _look(passing, plan.since + timedelta(seconds=plan.every_s * (number + 1)))
        told(number + 1, plan.looks)
    real = real_incidents(ports, plan)
    return Backtest(
        since=plan.since,
        until=plan.until,
        every_s=plan.every_s,
        looks=plan.looks,
        rules=tuple(_rules(passing, real)),
        silent=tuple(_silent(passing, ports)),
        notes=passing.notes,
    )


def _look(passing: Replay, at: datetime) -> None:
    claims: list[AlertClaim] = []
    for component in passing.plan.components:
        seen = _measured(passing, component, at)
        if seen is None:
            continue
        for alert_type in RULES[component.kind]:
            if was_measured(alert_type, component.metric.name, seen, told=OF_A_LOG):
                passing.looks[component.name, alert_type] += 1
        _end_what_is_over(passing, component, seen, at)
        claims += seen.grouped()
    for claim in upstream_first(claims, passing.components, passing.lineage):
        _take(passing, claim, at)


def _measured(passing: Replay, component: Component, at: datetime) -> Measurement | None:
    reel = passing.reels[component.name]
    reel.now = at
    try:
        seen = measure(reel, component, at)
    except NotEnoughDataError as error:
        passing.notes[component.name] = (str(error),)
        return None
    passing.notes[component.name] = tuple(seen.notes)
    return seen


def _end_what_is_over(
    passing: Replay, component: Component, seen: Measurement, at: datetime
) -> None:
    found = {finding.alert_type for finding in seen.findings}
    open_here = [
        one
        for one in passing.book.open()
        if one.incident.component == component.name
        and one.incident.alert_type not in found
        and was_measured(
            one.incident.alert_type,
            component.metric.name,
            seen,
            one.incident.segment,
            told=OF_A_LOG,
        )
    ]
    if not open_here:
        return
    closer = measure(passing.reels[component.name], eased(component), at)
    lingering = {finding.alert_type for finding in closer.findings}
    for one in open_here:
        if one.incident.alert_type not in lingering:
            end(one, at)


def _take(passing: Replay, claim: AlertClaim, at: datetime) -> None:
    component = passing.components[claim.affected_component]
    counted = passing.counts[component.name, claim.alert_type]
    counted["crossed"] += 1
    cool_down_s = component.alerting.cool_down_s
    told = passing.book.told(at - timedelta(seconds=cool_down_s))
    standing = standing_of(claim, told, cool_down_s, at)
    if standing in ("told", "resting"):
        counted["rested"] += standing == "resting"
        return
    quiet = [s for s in passing.silences if s.starts_at <= at and _covers(s, claim, at)]
    passing.heard.update(silence.silence_id for silence in quiet)
    if quiet:
        counted["silenced"] += 1
        return
    _, is_new = passing.book.admit(
        claim, kin_of(claim, passing.components, at, passing.lineage), at
    )
    counted["opened" if is_new else "joined"] += 1


def _covers(silence: Silence, claim: AlertClaim, at: datetime) -> bool:
    return silence.covers(claim.affected_component, claim.alert_type, at)


def _rules(passing: Replay, real: list[Real]) -> list[RuleReplay]:
    """Every rule of every component, also those that stayed quiet."""
    configured = [(c.name, kind) for c in passing.plan.components for kind in RULES[c.kind]]
    rules: dict[Rule, list[Played]] = {rule: [] for rule in (*configured, *passing.counts)}
    for one in passing.book.all:
        if one.is_paged:
            rules[one.incident.component, one.incident.alert_type].append(one)
    rows = []
    for (component, alert_type), paged in rules.items():
        rule = component, alert_type
        row = RuleReplay(
            component=component,
            alert_type=alert_type,
            looks=passing.looks.get(rule, 0),
            paged=len(paged),
            **passing.counts.get(rule, {}),
        )
        rows.append(with_matches(row, [one.incident for one in paged], real))
    return rows


def _silent(passing: Replay, ports: Ports) -> list[str]:
    """What never had data or could never match: a rule that is quiet for want of anything to judge
    is not the same as one that found all well."""
    said = []
    for component in passing.plan.components:
        rules = RULES[component.kind]
        unseen = [kind for kind in rules if not passing.looks.get((component.name, kind))]
        if len(unseen) == len(rules):
            said.append(f"{component.name}: never had the data to judge anything by")
        elif unseen:
            said.append(f"{component.name}: never had the data to judge {', '.join(unseen)}")
        said += [
            f"{component.name}: {path} plays no part for a {component.kind}"
            for path in without_part(component, passing.plan.tried)
        ]
        said += [
            f"{component.name}: its feed {feed} is no component here, so no alert joins through it"
            for feed in component.feeds
            if feed not in ports.components
        ]
    for silence in passing.silences:
        name = f"{silence.kind} {silence.silence_id} ({silence.component})"
        if silence.component not in ports.components:
            said.append(f"{name}: names no component")
        elif silence.component in passing.components and silence.silence_id not in passing.heard:
            said.append(f"{name}: kept nothing quiet")
    return said
