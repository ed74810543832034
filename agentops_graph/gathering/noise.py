"""How noisy each rule has been, from the ledger's alerts and what people said of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agentops_graph.detection.intervals import wilson
from agentops_graph.detection.lines import Figure, better_line, figure_of
from agentops_graph.domain.noise import RuleNoise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from agentops_graph.domain.alert import Alert, AlertType
    from agentops_graph.domain.verdict import IncidentVerdict, VerdictWord
    from agentops_graph.ports import IncidentLog, IncidentVerdicts

EVERY = 1_000_000
Z_95 = 1.96  # a figure to read, not an alarm
LEAST_JUDGED = 5  # verdicts under which a precision says nothing
LEAST_OF_EACH = 3  # right ones and false alarms that make a suggestion
AS_REPORTED = "as reported"  # an alert from outside has no finding of ours
Key = tuple[str, "AlertType", str, str | None]


@dataclass
class Heard:
    """What was heard of one rule."""

    alerts: int = 0
    levels: dict[str, float] = field(default_factory=dict)  # the furthest, by incident
    incidents: set[str] = field(default_factory=set)
    line: float | None = None
    is_above: bool = True


def noise(
    log: IncidentLog,
    verdicts: IncidentVerdicts,
    since: datetime,
    *,
    only: Callable[[str], bool],
) -> list[RuleNoise]:
    """One row for each rule that raised an alert in incidents opened since then, the least precise
    first; of the components that `only` lets through."""
    last = {one.incident_id: one for one in verdicts.given()}
    heard: dict[Key, Heard] = defaultdict(Heard)
    for incident in log.listed(limit=EVERY):
        if incident.opened_at < since:
            continue
        for alert in log.alerts(incident.incident_id, limit=EVERY):
            if only(alert.affected_component):
                _hear(heard, incident.incident_id, alert)
    rows = [_row(key, one, last) for key, one in heard.items()]
    return sorted(rows, key=_least_precise_first)


def _hear(heard: dict[Key, Heard], incident_id: str, alert: Alert) -> None:
    for alert_type, figure in _figures(alert):
        metric, setting = (figure.metric, figure.setting) if figure else (AS_REPORTED, None)
        one = heard[alert.affected_component, alert_type, metric, setting]
        one.alerts += 1
        one.incidents.add(incident_id)
        if figure is None:
            continue
        furthest = max if figure.is_above else min
        held = one.levels.get(incident_id, figure.level)
        one.levels[incident_id] = furthest(held, figure.level)
        one.line, one.is_above = figure.line, figure.is_above


def _figures(alert: Alert) -> Iterator[tuple[AlertType, Figure | None]]:
    for finding in alert.findings:
        yield finding.alert_type, figure_of(finding)
    if not alert.findings:
        yield alert.alert_type, None


def _row(key: Key, heard: Heard, last: dict[str, IncidentVerdict]) -> RuleNoise:
    component, alert_type, metric, setting = key
    by_word: dict[VerdictWord, list[str]] = {"right": [], "false_alarm": [], "duplicate": []}
    for incident_id in sorted(heard.incidents & last.keys()):
        by_word[last[incident_id].verdict].append(incident_id)
    right, wrong = len(by_word["right"]), len(by_word["false_alarm"])
    judged = right + wrong
    low, high = wilson(right / judged, judged, Z_95) if judged else (None, None)
    row = RuleNoise(
        component=component,
        alert_type=alert_type,
        metric=metric,
        setting=setting,
        alerts=heard.alerts,
        incidents=len(heard.incidents),
        right=right,
        false_alarm=wrong,
        duplicate=len(by_word["duplicate"]),
        precision=right / judged if judged else None,
        precision_low=low,
        precision_high=high,
        line=heard.line,
    )
    levels = {
        word: [heard.levels[i] for i in by_word[word] if i in heard.levels]
        for word in ("right", "false_alarm")
    }
    return _with_suggestion(row, levels["right"], levels["false_alarm"], heard.is_above)


def _with_suggestion(
    row: RuleNoise, right: list[float], wrong: list[float], is_above: bool
) -> RuleNoise:
    judged = row.right + row.false_alarm
    if judged < LEAST_JUDGED:
        return _saying(row, f"too little to say: {judged} of {LEAST_JUDGED} verdicts")
    if row.false_alarm == 0:
        return _saying(row, "every verdict is right; the line may stay")
    if row.right == 0:
        return _saying(row, "no verdict is right: does anybody need this rule here?")
    if min(len(right), len(wrong)) < LEAST_OF_EACH:
        return _saying(
            row, f"a line needs {LEAST_OF_EACH} right ones and {LEAST_OF_EACH} false alarms"
        )
    line = better_line(right, wrong, is_above=is_above)
    if line is None:
        return _saying(row, "no line parts the right ones from the false alarms")
    dropped = sum(level <= line if is_above else level >= line for level in wrong)
    said = f"would have kept all {len(right)} and dropped {dropped} of {len(wrong)} false alarms"
    suggestion = {"suggested": line, "dropped": dropped, "said": said}
    return row.model_copy(update=suggestion)


def _saying(row: RuleNoise, words: str) -> RuleNoise:
    return row.model_copy(update={"said": words})


def _least_precise_first(row: RuleNoise) -> tuple[float, int, str, str]:
    precision = 2.0 if row.precision is None else row.precision
    return precision, -row.incidents, row.component, row.metric
