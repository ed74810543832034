"""Which alerts are one story: told already, resting, or the doing of something else."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from agentops_graph.domain.alert import (
    SEVERITY_ORDER,
    Alert,
    AlertClaim,
    AlertType,
    Finding,
    Severity,
)
from agentops_graph.domain.component import Component
from agentops_graph.domain.incident import OPEN, Incident, IncidentStatus, TimelineEvent
from agentops_graph.domain.lineage.chart import EMPTY, Chart
from agentops_graph.domain.record import FIRST_YEAR, Moment, Name, Record

# What bad data in a feed explains further down. A slow model is not the feed's doing.
EXPLAINS: dict[AlertType, tuple[AlertType, ...]] = {
    "data_quality": (
        "data_quality",
        "volume_anomaly",
        "model_drift",
        "accuracy_drop",
        "anomaly_spike",
    ),
    "volume_anomaly": ("data_quality", "volume_anomaly", "model_drift", "accuracy_drop"),
    "provider_outage": ("provider_outage", "latency", "convergence_stall"),
}
# What a drifted model also shows is the drift's effect, or what it is made of, and belongs in its
# alert.
PARTS_OF_DRIFT = ("accuracy_drop", "anomaly_spike", "data_quality")
EVER = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
ONSET_SLACK = timedelta(minutes=15)  # an onset found in noisy rows may lie a little off
MUCH_WORSE = 1.5  # times as far beyond its line as when it was told
Standing = Literal["news", "worse", "told", "resting"]


def told_under(finding: Finding, findings: Sequence[Finding]) -> tuple[str | None, str]:
    """The segment and alert type under which a finding of one look is told.

    Drift takes its parts and effects along, drift of the whole model first. A segment loses its
    metric by itself only while the rest holds: then a loss of the whole is that segment's doing.
    """
    drifted = [f.segment for f in findings if f.alert_type == "model_drift"]
    if finding.alert_type in PARTS_OF_DRIFT and drifted:
        return (None if None in drifted else drifted[0]), "model_drift"
    if finding.alert_type == "accuracy_drop":
        lost = [f.segment for f in findings if f.alert_type == "accuracy_drop" and f.segment]
        return (lost[0] if lost else None), "accuracy_drop"
    return finding.segment, finding.alert_type


def segments_around(claim: AlertClaim) -> frozenset[str | None]:
    """What also tells of the claim's segment: the whole, and segments of mostly the same rows. Of
    the whole, only the whole does."""
    if not claim.segment:
        return frozenset({None})
    covered = {name for f in claim.findings for name in (f.segment, *f.covers)}
    return frozenset({None, claim.segment, *covered})


class Told(Record):
    """What an incident told of one component, segment and type of alert."""

    incident_id: Name
    root: Name  # the component that the incident is of
    component: Name
    segment: str | None = None
    alert_type: AlertType
    severity: Severity  # the gravest
    excess: float | None = None  # how far beyond its line at most, as a share of the line
    status: IncidentStatus
    opened_by: Name
    ended_at: Moment | None = None
    is_recovered: bool = False  # ended because all it rests on was over where it came from

    def is_of(self, claim: AlertClaim) -> bool:
        place = (claim.affected_component, claim.segment or None, claim.alert_type)
        return place == (self.component, self.segment or None, self.alert_type)

    def tells(self, claim: AlertClaim) -> bool:
        """True when it was the same story: of the claim's segment, or of one around it."""
        same = (claim.affected_component, claim.alert_type) == (self.component, self.alert_type)
        return same and (self.segment or None) in segments_around(claim)


def gravest(rows: Sequence[Told]) -> list[Told]:
    """One for each incident and place: the gravest severity, the furthest beyond its line."""
    found: dict[tuple[str, str, str | None, str], Told] = {}
    for row in rows:
        key = (row.incident_id, row.component, row.segment, row.alert_type)
        held = found.setdefault(key, row)
        grave = max(held, row, key=lambda one: SEVERITY_ORDER[one.severity])
        known = [one.excess for one in (held, row) if one.excess is not None]
        found[key] = grave.model_copy(update={"excess": max(known, default=None)})
    return list(found.values())


class Kin(Record):
    """Whose alert would tell the same story as a claim, seen from the claim."""

    component: Name
    alert_types: tuple[AlertType, ...]
    segments: frozenset[str | None] | None = None  # None for any
    is_upstream: bool
    onset_at: Moment | None = None  # of the claim
    opened_since: Moment  # an incident opened before then is another story

    def fits(self, alert: Alert) -> bool:
        """True unless the alert is of something else, or the cause began after its effect."""
        is_kin = alert.affected_component == self.component and alert.alert_type in self.alert_types
        if self.segments is not None:
            is_kin = is_kin and (alert.segment or None) in self.segments
        if not is_kin or alert.onset_at is None or self.onset_at is None:
            return is_kin
        cause, effect = alert.onset_at, self.onset_at
        if not self.is_upstream:
            cause, effect = effect, cause
        return cause <= effect + ONSET_SLACK


def kin_of(
    claim: AlertClaim,
    components: Mapping[str, Component],
    at: datetime,
    lineage: Chart = EMPTY,
) -> tuple[Kin, ...]:
    """Whose open incident the claim may belong to: what tells of its segment too, what feeds its
    component, and what that feeds, as configured or as lineage knows. Nothing of another tenant is
    kin."""
    own = components.get(claim.affected_component)
    if own is None:
        return ()
    since = at - timedelta(seconds=own.alerting.story_window_s)
    causes = tuple(kind for kind, effects in EXPLAINS.items() if claim.alert_type in effects)
    effects = EXPLAINS.get(claim.alert_type, ())
    ways = [(causes, True, upstream_of(own.name, components, lineage))]
    ways.append((effects, False, _downstream_of(own.name, components, lineage)))
    return _around(claim) + tuple(
        Kin(
            component=name,
            alert_types=kinds,
            is_upstream=is_upstream,
            onset_at=claim.onset_at,
            opened_since=since,
        )
        for kinds, is_upstream, names in ways
        for name in names
        if kinds and _is_of_one_tenant(own, components.get(name))
    )


def _around(claim: AlertClaim) -> tuple[Kin, ...]:
    """Its own component, for a claim of a segment; however long ago that was opened, and whichever
    began first."""
    if not claim.segment:
        return ()
    own = Kin(
        component=claim.affected_component,
        alert_types=(claim.alert_type,),
        segments=segments_around(claim),
        is_upstream=True,
        opened_since=EVER,
    )
    return (own,)


def _is_of_one_tenant(own: Component, other: Component | None) -> bool:
    return other is not None and other.tenant == own.tenant


def upstream_of(
    name: str, components: Mapping[str, Component], lineage: Chart = EMPTY
) -> list[str]:
    """What feeds a component, and what feeds that, nearest first; then the components that lineage
    knows of beside these. Each once."""
    fed = _reached(name, lambda each: components[each].feeds if each in components else ())
    more = (one.name for one in lineage.causes(name) if one.name in components)
    return list(dict.fromkeys((*fed, *more)))


def _downstream_of(name: str, components: Mapping[str, Component], lineage: Chart) -> list[str]:
    def fed_by(each: str) -> Iterable[str]:
        return (c.name for c in components.values() if each in c.feeds)

    more = (one.name for one in lineage.effects(name) if one.name in components)
    return list(dict.fromkeys((*_reached(name, fed_by), *more)))


def _reached(start: str, step: Callable[[str], Iterable[str]]) -> Iterator[str]:
    seen, waiting = {start}, [start]
    while waiting:
        for name in step(waiting.pop(0)):
            if name not in seen:
                seen.add(name)
                waiting.append(name)
                yield name


def upstream_first(
    claims: Iterable[AlertClaim], components: Mapping[str, Component], lineage: Chart = EMPTY
) -> list[AlertClaim]:
    """What stands further up comes first, so that its incident is there for its effects; the same
    order otherwise."""
    return sorted(claims, key=lambda c: len(upstream_of(c.affected_component, components, lineage)))


def standing_of(
    claim: AlertClaim, told: Sequence[Told], cool_down_s: float, now: datetime
) -> Standing:
    """Whether a claim is news. An open incident hears of it again when it became graver, or when
    nobody but others has told it of that yet; after an end it rests, unless it is critical and was
    not, or is much further beyond its line."""
    same = [one for one in told if one.tells(claim)]
    still_open = [one for one in same if one.status in OPEN]
    if still_open:
        is_more = _is_graver(claim, still_open) or _is_first_measured(claim, still_open)
        return "worse" if is_more else "told"
    rests_until = timedelta(seconds=cool_down_s)
    ended = [
        one
        for one in same
        if one.ended_at is not None
        and one.ended_at <= now < one.ended_at + rests_until
        and _had_its_say(one)
    ]
    if not ended:
        return "news"
    return "worse" if _came_back_worse(claim, ended) else "resting"


def _had_its_say(one: Told) -> bool:
    """What others reported and a look did not confirm, or they took back themselves, says nothing
    about our own measurement. Whose it was is told by its findings, which nobody else can bring,
    and by no name."""
    is_settled = one.status in ("resolved", "closed") and not one.is_recovered
    return is_settled or one.excess is not None


def _is_first_measured(claim: AlertClaim, told: Sequence[Told]) -> bool:
    """Their end must not close what we measure too, so the incident has to know."""
    here = [one for one in told if one.is_of(claim)]
    return claim.excess is not None and bool(here) and all(one.excess is None for one in here)


def _is_graver(claim: AlertClaim, told: Sequence[Told]) -> bool:
    return all(SEVERITY_ORDER[claim.severity] > SEVERITY_ORDER[one.severity] for one in told)


def _came_back_worse(claim: AlertClaim, told: Sequence[Told]) -> bool:
    if claim.severity != "critical":
        return False
    known = [one.excess for one in told if one.excess is not None]
    is_further = claim.excess is not None and len(known) == len(told)
    return _is_graver(claim, told) or (
        is_further and (claim.excess or 0.0) >= MUCH_WORSE * max(known)
    )


def seen_note(incident_id: str, text: str, at: datetime) -> TimelineEvent:
    """What the timeline says of an alert that joined an incident."""
    return TimelineEvent(
        incident_id=incident_id, at=at, agent="Monitor", node="detect", kind="note", text=text
    )


def main_alert(incident: Incident, alerts: Sequence[Alert]) -> Alert:
    """The newest alert of the incident's own component, segment and type, not one that joined; one
    that we measured before one that was reported."""
    place = (incident.component, incident.segment or None, incident.alert_type)
    own = [
        alert
        for alert in alerts
        if (alert.affected_component, alert.segment or None, alert.alert_type) == place
    ]
    measured = [alert for alert in own if alert.findings]
    return (measured or own or list(alerts))[-1]
