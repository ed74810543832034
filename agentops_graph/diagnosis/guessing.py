"""Reads alert types and a candidate cause out of a runbook that declares none; marked as guessed.

A guess is made only where the field's own words stand in the title or, twice, in what the runbook
says of its meaning. Its weights stay under those that people declare, its prior is low, and its
only action is a notice, so a guess can point a reader to a page and never change production.
"""

import re
from dataclasses import replace

from agentops_graph.diagnosis.runbook import Document, Section
from agentops_graph.diagnosis.vocabulary import spoken, words_of
from agentops_graph.domain.alert import AlertType
from agentops_graph.domain.knowledge import Cause, CauseAction, SignalWeight

PRIOR = 0.1  # half of what a declared cause has by default
SEEN, ABSENT = 0.8, 0.3  # a declared signal that speaks at all has 1 or more
SIGNALS = 3
TITLE_COUNTS = 2  # a word in the title is as good as two in the text
ENOUGH = 2
SAYS_WHAT_IT_IS = re.compile(
    r"meaning|impact|summary|overview|description|symptom|problem|about|background|alert",
    re.IGNORECASE,
)
SAYS_WHY = re.compile(r"diagnos|cause|investigat|troubleshoot|debug|check", re.IGNORECASE)
# Words that stand for one alert type and hardly for another.
TYPE_WORDS: dict[AlertType, str] = {
    "model_drift": "drift drifted psi distribution",
    "data_quality": "null nulls schema validation malformed duplicate duplicates corrupt",
    "latency": "latency slow slowness p99 p95 throttling timeout timeouts duration",
    "accuracy_drop": "accuracy f1 precision recall auc",
    "cost_spike": "cost costs spend billing budget",
    "provider_outage": "provider unavailable outage down unreachable",
    "memory_bloat": "memory oom oomkilled heap leak",
    "volume_anomaly": "ingestion backlog lag throughput rows records",
    "anomaly_spike": "anomaly anomalies outlier outliers",
}
SIGNAL_WORDS = {
    "log_out_of_memory": "oom oomkilled memory heap",
    "log_disk_full": "disk filesystem inodes storage full",
    "log_timeouts": "timeout timeouts deadline",
    "log_connection_errors": "connection connect unreachable refused network dns",
    "log_auth_errors": "certificate credential credentials unauthorized expired tls token",
    "log_rate_limited": "quota throttled 429 limit",
    "log_schema_errors": "schema field fields column columns",
    "errors_high": "errors error failing failed failures",
    "latency_high": "latency slow slowness p99",
    "cost_high": "cost costs spend billing",
    "volume_low": "missing absent stale",
    "new_version_before_onset": "rollout release deployment upgrade",
    "infrastructure_moved": "cpu node kubelet pod replicas",
    "provider_down": "provider outage",
    "feature_nulls": "null nulls",
    "drift_seen": "drift drifted psi",
}


def with_guesses(document: Document) -> Document:
    """The document as it is when it declares what it serves, or is a report; else with guesses."""
    if document.kind != "runbook" or document.alert_types or document.causes:
        return document
    what = _sections(document, SAYS_WHAT_IT_IS)[:2] or document.sections[:1]
    title = _counted(f"{document.title} {spoken(document.name.rpartition('/')[2])}")
    text = _counted("\n".join(f"{s.title} {s.text}" for s in what))
    points = {
        kind: sum(TITLE_COUNTS * (w in title) + (w in text) for w in words.split())
        for kind, words in TYPE_WORDS.items()
    }
    serves = tuple(kind for kind, count in points.items() if count >= ENOUGH)
    if not serves:
        return document
    causes = _cause(document, serves, title | text)
    return replace(document, alert_types=serves, causes=causes, guessed=True)


def _cause(document: Document, serves: tuple[AlertType, ...], words: set[str]) -> tuple[Cause, ...]:
    hits = {s: sum(w in words for w in of.split()) for s, of in SIGNAL_WORDS.items()}
    likely = sorted((s for s in hits if hits[s]), key=lambda s: -hits[s])[:SIGNALS]
    if not likely:
        return ()
    section = next(iter(_sections(document, SAYS_WHY)), document.sections[0])
    name = re.sub(r"[^a-z0-9]+", "_", spoken(document.title).lower()).strip("_")[:80]
    return (
        Cause(
            cause=f"guessed_{name or 'cause'}",
            title=f"What {document.title} describes",
            runbook=document.name,
            section=section.number or section.slug,
            reference=section.reference,
            serves=serves,
            prior=PRIOR,
            signals=tuple(SignalWeight(signal=s, seen=SEEN, absent=ABSENT) for s in likely),
            actions=(CauseAction(action="send_slack_alert", priority=1),),
            guessed=True,
        ),
    )


def _sections(document: Document, heading: re.Pattern[str]) -> list[Section]:
    return [section for section in document.sections if heading.search(section.title)]


def _counted(text: str) -> set[str]:
    return {word for word in words_of(text[:20_000]) if not word.isdigit() or word == "429"}
