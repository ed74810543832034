"""Evidence from around a component: its feeds, changes, versions, past incidents, runbooks."""

from __future__ import annotations

import calendar
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection import feed_triggers, triggers
from agentops_graph.detection.triggers import Window
from agentops_graph.domain.evidence import CHANGE_PREFIX
from agentops_graph.domain.record import Scalar
from agentops_graph.errors import NotEnoughDataError
from agentops_graph.gathering.batch_signals import AHEAD, batch_signals
from agentops_graph.gathering.case import LOOK_BACK, SLACK, Case, Observed, seen, typed_read
from agentops_graph.gathering.feed_measures import expected_records
from agentops_graph.gathering.series import HISTORY

if TYPE_CHECKING:
    from agentops_graph.domain.alert import Finding
    from agentops_graph.domain.frames import Change, Series
    from agentops_graph.domain.ledger import Version

ALWAYS_ASKED = ("deploy", "schema_change")
ABSENCE_TOLD = ("deploy", "schema_change", "config_change")
CALENDAR_KINDS = ("holiday", "promotion", "sale", "season")
PAGES = 5
LEAST_NEAR = 0.2


def data_quality(case: Case) -> Observed:
    """Violations, missing values and volume of the feeds since the onset; of the component itself
    when it is a pipeline."""
    own = case.component.kind == "pipeline"
    names = (case.component.name,) if own else case.feeds
    # Batches come every few minutes, so a moment before the onset belongs to it.
    start, end = case.window.start - SLACK, case.window.end
    query = typed_read("series", start, end, table="data_quality", pipelines=",".join(names))
    values: dict[str, Scalar] = {}
    signals: dict[str, float] = {}
    told = []
    for name in names:
        window = Window(case.feed(name), start, end)
        read = case.ports.warehouse.series
        now = read("data_quality", name, start, end)
        earlier = read("data_quality", name, start - HISTORY, start)
        ahead = read("data_quality", name, end, end + AHEAD)
        figures, found = _feed_figures(window, now, earlier)
        more, told_by = batch_signals(window, now, earlier, ahead)
        figures, found = figures | more, found | told_by
        values |= {f"{name}.{key}": value for key, value in figures.items()}
        for signal, strength in found.items():
            signals[signal] = max(strength, signals.get(signal, -1.0))
        told.append(
            f"{case.way_from(name)}: " + ", ".join(f"{k} {v:.3g}" for k, v in figures.items())
        )
    said = "; ".join(told) or "no feeds are configured"
    return Observed("DATA_QUALITY", query, said, values, signals, found=bool(signals))


def _feed_figures(
    window: Window, now: Series, earlier: Series
) -> tuple[dict[str, float], dict[str, float]]:
    figures: dict[str, float] = {"batches": float(len(now))}
    signals: dict[str, float] = {}
    usual = expected_records(window, earlier)
    if usual is not None:
        records = float(np.nansum(now.columns["record_count"])) if len(now) else 0.0
        finding = triggers.volume(window, records, usual)
        figures["volume_ratio"] = triggers.volume_ratio(records, usual)
        signals |= _volume_signals(finding)
    if len(now):
        worst = float(feed_triggers.violation_rates(now).max())
        figures["violations"] = feed_triggers.violation_rate(now)
        figures["worst_batch"] = worst
        signals["quality_bad"] = seen(worst > window.component.thresholds.quality_violations)
    return figures, signals


def _volume_signals(finding: Finding | None) -> dict[str, float]:
    low = finding is not None and finding.value < 1
    return {
        "volume_low": seen(low),
        "volume_high": seen(finding is not None and not low),
        "feed_empty": seen(finding is not None and finding.value == 0),
    }


def changes(case: Case) -> Observed:
    """What was changed around the component and its feeds from six hours before the onset.

    A change that came clearly after the onset did not cause it: it is told and gives no signal.
    """
    start = case.onset - case.look_back
    query = typed_read("changes", start, case.now, subjects=",".join(case.subjects))
    try:
        found = case.ports.warehouse.changes(case.subjects, start, case.now)
    except NotEnoughDataError as error:  # the table is optional; nobody looked, so no signals
        return Observed("CHANGES", query, f"changes are not recorded: {error}", found=False)
    before = [change for change in found if change.at <= case.latest_onset]
    kinds = {change.kind for change in before}
    signals = {f"{CHANGE_PREFIX}{kind}": -1.0 for kind in ALWAYS_ASKED}
    # In time order, so that the nearest of a kind counts.
    signals |= {f"{CHANGE_PREFIX}{c.kind}": nearness(case.onset - c.at) for c in before}
    signals["seasonal_date"] = _seasonal(case, kinds)
    values: dict[str, Scalar] = {"changes": len(found), "before_onset": len(before)}
    told = [_told(change, case) for change in found]
    hours = case.look_back.total_seconds() / 3600
    missing = [kind for kind in ABSENCE_TOLD if kind not in kinds]
    absent = f"no {', '.join(missing).replace('_', ' ')} in the {hours:.0f} h before the onset"
    said = "; ".join([*told[-PAGES:], *([absent] if missing else [])])
    return Observed(
        "CHANGES",
        query,
        said if found else f"no changes recorded: {absent}",
        values,
        signals,
        tuple(change.link for change in before if change.link),
        found=bool(found),
        whole=tuple(told) if len(told) > PAGES else (),
    )


def _told(change: Change, case: Case) -> str:
    minutes = (change.at - case.onset).total_seconds() / 60
    when = f"{abs(minutes):.0f} min {'after' if minutes > 0 else 'before'} the onset"
    return f"{change.kind} of {change.subject}, {when}: {change.summary}"


def nearness(before: timedelta) -> float:
    """How far the time between a change and the onset lets it be the cause: full within an hour and
    what an onset may be off by, then half every two hours. A cause mostly acts at once; six hours
    are looked back over because some wait for the next batch."""
    hours = max(0.0, (before - SLACK) / timedelta(hours=1) - 1.0)
    return max(LEAST_NEAR, float(0.5 ** (hours / 2)))


def _seasonal(case: Case, kinds: set[str]) -> float:
    """A recorded calendar event explains; the turn of a month might; else it was looked for."""
    if kinds & set(CALENDAR_KINDS):
        return 1.0
    day, last = case.onset.day, calendar.monthrange(case.onset.year, case.onset.month)[1]
    return 0.0 if day in (1, last) else -1.0


def model_versions(case: Case) -> Observed:
    """Whether a version came shortly before the onset, and what the serving one was trained on."""
    name = case.component.name
    versions = case.ports.models.versions(name)
    serving = case.ports.models.production(name)
    query = f"versions(model={name})"
    if not versions:
        return Observed("model registry", query, f"no versions of {name}", found=False)
    earlier = [v for v in versions if v.created_at <= case.latest_onset]
    newest = max(earlier, key=lambda v: v.created_at) if earlier else None
    fresh = newest is not None and newest.created_at >= case.onset - LOOK_BACK
    signals = {"new_version_before_onset": -1.0}
    if fresh and newest is not None:
        signals["new_version_before_onset"] = nearness(case.onset - newest.created_at)
    values: dict[str, Scalar] = {"versions": len(versions)}
    said = "no version before the onset"
    if newest is not None:
        hours = (case.onset - newest.created_at).total_seconds() / 3600
        values |= {"newest_before_onset": newest.version, "hours_before_onset": hours}
        said = f"version {newest.version} was made {hours:.1f} h before the onset"
    if serving is not None:
        values["serving"] = serving.version
        said += f"; version {serving.version} serves"
        signals |= _training_data(case, serving)
    return Observed("model registry", query, said, values, signals)


def _training_data(case: Case, serving: Version) -> dict[str, float]:
    """Quality of the feeds in the day before the version was made; nothing when not recorded."""
    rates = []
    until = serving.created_at
    for feed in case.feeds:
        batches = case.ports.warehouse.series("data_quality", feed, until - HISTORY, until)
        if len(batches):
            limit = case.feed(feed).thresholds.quality_violations
            rates.append(feed_triggers.violation_rate(batches) > limit)
    return {"training_data_damaged": seen(any(rates))} if rates else {}


def similar_incidents(case: Case) -> Observed:
    """Past incidents of the same type; one that names the same component or feature counts full."""
    found = case.ports.shelf.search(
        _question(case),
        kind="incident",
        alert_type=case.alert.alert_type,
        component=case.component.name,
        components=case.comparable,
        limit=PAGES,
    )
    alike = [p for p in found if p.confirmed and case.alert.alert_type in p.alert_types]
    names = (case.component.name, *_worst_features(case))
    close = [p for p in alike if any(_names(p.text, name) for name in names)]
    strength = 1.0 if close else 0.3 if alike else -1.0
    documents = tuple(dict.fromkeys(p.document for p in close + alike))
    said = f"similar: {', '.join(documents)}" if documents else "no confirmed incident is alike"
    return Observed(
        "incident reports",
        f'search(kind=incident, "{_question(case)}")',
        said,
        {"incidents": len(documents)},
        {"similar_incident": strength},
        tuple(dict.fromkeys(p.reference for p in close + alike)),
        found=bool(documents),
    )


def runbook_sections(case: Case) -> Observed:
    """The runbook sections that speak of this alert; they guide and prove nothing."""
    found = case.ports.shelf.search(
        _question(case), kind="runbook", alert_type=case.alert.alert_type, limit=PAGES
    )
    said = "; ".join(f"{page.title} ({page.reference})" for page in found) or "no section matches"
    query = f'search(kind=runbook, "{_question(case)}")'
    references = tuple(page.reference for page in found)
    return Observed("runbooks", query, said, {"sections": len(found)}, {}, references, bool(found))


def _worst_features(case: Case) -> list[str]:
    features = (list(finding.features)[:3] for finding in case.alert.findings)
    return list(dict.fromkeys(name for names in features for name in names))


def _question(case: Case) -> str:
    words = [case.alert.alert_type.replace("_", " "), case.component.name]
    return " ".join([*words, *_worst_features(case), case.alert.summary])[:400]


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def pipeline_history(case: Case) -> Observed:
    """How a pipeline's violations began."""
    name, window = case.component.name, case.window
    start = window.start - timedelta(days=1)
    batches = case.ports.warehouse.series("data_quality", name, start, window.end)
    query = typed_read("series", start, window.end, table="data_quality", pipeline=name)
    if not len(batches):
        return Observed("DATA_QUALITY", query, "no batches recorded", found=False)
    rates = feed_triggers.violation_rates(batches)
    values: dict[str, Scalar] = {"batches": len(batches), "latest": float(rates[-1])}
    said = f"violations of the latest batch {rates[-1]:.1%}, median {np.median(rates):.1%}"
    return Observed("DATA_QUALITY", query, said, values)
