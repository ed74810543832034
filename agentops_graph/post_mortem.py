"""The report an incident ends with, as a draft that a person confirms."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta

from agentops_graph.domain.alert import Alert
from agentops_graph.domain.diagnosis import Diagnosis
from agentops_graph.domain.evidence import CHANGE_PREFIX, Evidence, merged_signals
from agentops_graph.domain.incident import Incident, Resolution, TimelineEvent
from agentops_graph.domain.plain_text import one_line

LESSONS = "## 7. Lessons"
LESSONS_TO_COME = "To be written by the person who confirms this report."
LATE = timedelta(minutes=15)  # between the onset and the alert
HINTS_SHOWN = 6
# What each of these, seen in the evidence, says about being earlier next time.
EARLIER = {
    "upstream_moved_first": "An alert on the feed: what it delivers moved first.",
    "quality_bad": "A contract on the feed: batches broke it before the component suffered.",
    "volume_low": "A volume alert on the feed: it delivered less than half of the usual rows.",
    "feed_empty": "A volume alert on the feed: it delivered nothing.",
    "new_version_before_onset": "A canary or a longer health window: a version had just gone live.",
    "training_data_damaged": "A check of the training data: its feed was bad when it was taken.",
    "log_errors_new": "An alert on new errors in the log: they were there.",
    "drift_gradual": "A warning at a lower line: the change grew slowly.",
    "infrastructure_moved": "An alert on the machines: a figure of theirs moved with the onset.",
}


def post_mortem(
    incident: Incident,
    alert: Alert,
    diagnosis: Diagnosis,
    resolution: Resolution,
    timeline: Sequence[TimelineEvent],
    evidence: Sequence[Evidence] = (),
) -> str:
    """The incident as a report in the form of `runbooks/incidents/`, unconfirmed."""
    taken = [f"- {a.action}: {a.status}. {one_line(a.details)}" for a in resolution.actions_taken]
    body = [
        f"# {incident.incident_id}: {one_line(incident.title)}",
        "## 1. Summary",
        one_line(f"{alert.feed_line} on {incident.component}. {resolution.summary}"),
        *[f"- {name}: {value:.4g}" for name, value in sorted(alert.metrics.items())],
        "## 2. Timeline",
        *_steps(timeline),
        "## 3. Root cause",
        one_line(diagnosis.root_cause),
        _sure(diagnosis),
        f"Runbook: {diagnosis.runbook_reference or 'none'}",
        "## 4. Resolution",
        *(taken or ["Nothing was carried out."]),
        "## 5. Evidence",
        *(_told(diagnosis, evidence) or ["None is kept."]),
        "## 6. What would have caught it earlier",
        *caught_earlier(alert, diagnosis, evidence),
        LESSONS,
        LESSONS_TO_COME,
    ]
    return "\n".join([*_head(incident, diagnosis, resolution), "", *body]) + "\n"


def caught_earlier(
    alert: Alert, diagnosis: Diagnosis, evidence: Sequence[Evidence]
) -> tuple[str, ...]:
    """What the evidence itself says about being earlier next time; a person adds the rest."""
    hints = []
    if alert.onset_at is not None and alert.timestamp - alert.onset_at > LATE:
        minutes = (alert.timestamp - alert.onset_at).total_seconds() / 60
        hints.append(f"- It began {minutes:.0f} min before the alert.")
    seen = [name for name, strength in merged_signals(tuple(evidence)).items() if strength > 0]
    hints += [f"- {EARLIER[name]}" for name in EARLIER if name in seen]
    changes = sorted(n.removeprefix(CHANGE_PREFIX) for n in seen if n.startswith(CHANGE_PREFIX))
    hints += [f"- A look at the component right after each {one_line(kind)}." for kind in changes]
    hints += [
        f"- A source that answers: {one_line(each.summary)}"
        for each in evidence
        if each.status == "failed"
    ]
    hints += [f"- Knowing {one_line(missing)}." for missing in diagnosis.missing]
    return tuple(hints[:HINTS_SHOWN]) or ("- Nothing in the evidence points to an earlier sign.",)


def confirmed_text(text: str, *, lessons: str | None, cause: str | None) -> str:
    """The draft as it counts from now on, with what only a person can say."""
    text = text.replace("\nconfirmed: false\n", "\nconfirmed: true\n", 1)
    if lessons is not None and one_line(lessons):
        text = text.replace(LESSONS_TO_COME, one_line(lessons), 1)
    if cause is not None:
        text = re.sub(r"\nroot_cause: [^\n]*\n", f"\nroot_cause: {cause}\n", text, count=1)
    return text


def lessons_of(text: str) -> str:
    """What stands under the last heading of a report."""
    return text.rpartition(f"\n{LESSONS}\n")[2].strip()


def _head(incident: Incident, diagnosis: Diagnosis, resolution: Resolution) -> list[str]:
    minutes = (resolution.time_to_resolve or 0.0) / 60
    return [
        "---",
        f"incident_id: {incident.incident_id}",
        f"title: {_yaml(incident.title)}",
        f"alert_type: {incident.alert_type}",
        f"component: {_yaml(incident.component)}",
        f"severity: {incident.severity}",
        f"date: {incident.opened_at.date().isoformat()}",
        f"root_cause: {diagnosis.cause}",
        f"resolution: {_yaml(resolution.summary)}",
        f"duration_minutes: {max(1, round(minutes))}",
        "confirmed: false",
        "---",
    ]


def _steps(timeline: Sequence[TimelineEvent]) -> Iterator[str]:
    for event in timeline:
        if event.kind in ("step", "decision", "effect"):
            who = event.agent or "agentops"
            yield f"- {event.at:%Y-%m-%d %H:%M:%S} UTC, {who}: {one_line(event.text)}"


def _sure(diagnosis: Diagnosis) -> str:
    sure = "unknown" if diagnosis.confidence is None else f"{diagnosis.confidence:.0%}"
    return f"Confidence at the time: {sure}, by {diagnosis.reasoner}."


def _told(diagnosis: Diagnosis, evidence: Sequence[Evidence]) -> list[str]:
    """What the diagnosis rests on first, then what was looked for and absent or failed."""
    rested = set(diagnosis.evidence)
    order = sorted(evidence, key=lambda e: e.evidence_id not in rested)
    return [f"- {e.evidence_id} ({e.kind}, {e.status}): {one_line(e.summary)}" for e in order]


def _yaml(text: str) -> str:
    escaped = one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
