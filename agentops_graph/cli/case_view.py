"""How one incident is shown: alert, diagnosis, approvals, what was done, timeline."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.panel import Panel
from rich.text import Text

from agentops_graph.cli import screen, why_view
from agentops_graph.cli.evidence_view import print_evidence
from agentops_graph.cli.model_view import model_rows
from agentops_graph.cli.sparkline import in_words

if TYPE_CHECKING:
    from agentops_graph.domain.alert import Alert
    from agentops_graph.domain.case import Case
    from agentops_graph.domain.diagnosis import Diagnosis, Hypothesis
    from agentops_graph.domain.evidence import Evidence
    from agentops_graph.domain.incident import Incident, Resolution

METRICS_SHOWN = 12
# A share is not the confidence: that is calibrated, and never above 95%.
BESIDE_EACH_OTHER = "share of each cause among those weighed, before it is calibrated:"
WORTH_SHOWING = 0.005  # a cause below it would read "0%"


def print_case(case: "Case", *, evidence: bool, why: bool = False) -> None:
    console = screen.out()
    console.print(_head(case))
    for alert in case.alerts[-3:]:
        console.print(_alert(alert, case.incident))
    if case.diagnosis is not None:
        for part in _reasoned(case.diagnosis, case.evidence, why=why):
            console.print(part)
    for part in _doings(case):
        console.print(part)
    if evidence:
        print_evidence(case.evidence)
    if case.verdicts:
        console.print(_verdicts(case))
    if case.resolution is not None:
        console.print(_resolution(case.resolution))
    _print_timeline(case)
    _print_next(case)


def _head(case: "Case") -> Panel:
    incident = case.incident
    where = incident.component + (f" / {incident.segment}" if incident.segment else "")
    rows: list[tuple[str, object]] = [
        ("status", screen.status(incident.status)),
        ("severity", screen.severity(incident.severity)),
        ("component", where),
        ("alert_type", incident.alert_type),
        ("opened", f"{screen.clock(incident.opened_at)} by {incident.opened_by}"),
    ]
    if incident.ended_at is not None:
        rows.append(("ended", screen.clock(incident.ended_at)))
    if case.stakes.lines:
        rows.append(("at stake", "; ".join(case.stakes.lines)))
    if incident.owner:
        rows.append(("owner", incident.owner))
    if case.model_use is not None:
        rows.append(("model", case.model_use.in_words))
    if incident.summary:
        rows.append(("summary", incident.summary))
    style = screen.SEVERITY_STYLES.get(incident.severity, "")
    title = f"{incident.incident_id}  {incident.title}"
    return screen.panel(title, screen.grid(rows), style=style)


def _alert(alert: "Alert", incident: "Incident") -> Panel:
    figures = [f"{n} {screen.figure(v)}" for n, v in list(alert.metrics.items())[:METRICS_SHOWN]]
    more = len(alert.metrics) - METRICS_SHOWN
    rows: list[tuple[str, object]] = [
        ("alert_id", alert.alert_id),
        ("feed", screen.said(alert.feed_line, screen.SEVERITY_STYLES.get(alert.severity, ""))),
        ("metrics", ", ".join(figures) + (f" and {more} more" if more > 0 else "") or "none"),
        ("timestamp", screen.clock(alert.timestamp)),
    ]
    rows += [(f.chart.metric, in_words(f.chart)) for f in alert.findings if f.chart is not None]
    joined = alert.affected_component != incident.component
    title = f"alert of {alert.affected_component}, which belongs to this" if joined else "alert"
    return screen.panel(title, screen.grid(rows))


def _diagnosis(diagnosis: "Diagnosis", absent: frozenset[str]) -> Panel:
    sure = "unknown" if diagnosis.confidence is None else f"{diagnosis.confidence:.0%}"
    actions = [
        f"{r.priority}. {r.action}"
        + (" (asks first)" if r.requires_approval else "")
        + (f", if {r.condition}" if r.condition else "")
        for r in diagnosis.recommended_actions
    ]
    lists = {
        "recommended_actions": actions,
        "also holds": diagnosis.also,
        "evidence": diagnosis.evidence,
        "similar_incidents": diagnosis.similar_incidents,
        "citations": diagnosis.citations,
        "would settle it": diagnosis.missing,
        "did not answer": diagnosis.degraded,
    }
    rows: list[tuple[str, object]] = [
        ("root_cause", screen.said(diagnosis.root_cause, "bold")),
        ("confidence", sure),
        ("runbook_reference", diagnosis.runbook_reference or "none"),
        *((label, "; ".join(entries)) for label, entries in lists.items() if entries),
        ("reasoner", diagnosis.reasoner),
        *model_rows(diagnosis),
    ]
    weighed = [h for h in diagnosis.hypotheses[:5] if h.probability >= WORTH_SHOWING]
    heading = [Text(BESIDE_EACH_OTHER, style="dim")] if weighed else []
    bars = [_hypothesis(h, absent) for h in weighed]
    return screen.panel("diagnosis", screen.grid(rows), *heading, *bars)


def _reasoned(
    diagnosis: "Diagnosis", evidence: "Sequence[Evidence]", *, why: bool
) -> Iterator[Panel]:
    yield _diagnosis(diagnosis, why_view.absent_in(evidence))
    if why:
        yield from why_view.why(diagnosis, evidence)


def _hypothesis(hypothesis: "Hypothesis", absent: frozenset[str]) -> Text:
    """A bar of its probability, its title, and the signals for and against."""
    filled = round(hypothesis.probability * 10)
    text = Text(
        f"{'█' * filled}{'░' * (10 - filled)} {hypothesis.probability:4.0%}  ", style="cyan"
    )
    text.append(screen.clean(hypothesis.title), style="default")
    if hypothesis.signals_for:
        told = ", ".join(why_view.named(s, absent) for s in hypothesis.signals_for)
        text.append(f"  + {screen.clean(told)}", style="green")
    if hypothesis.signals_against:
        told = ", ".join(why_view.named(s, absent) for s in hypothesis.signals_against)
        text.append(f"  - {screen.clean(told)}", style="red")
    return text


def _doings(case: "Case") -> Iterator[Panel]:
    """Approvals with the policy's reason, effects, and notices."""
    if case.approvals:
        rows = [
            (
                a.approval_id,
                screen.status(a.status),
                a.proposal.action.action,
                a.proposal.target,
                a.policy_reason,
                f"{a.decided_by} through {a.decided_via}" if a.decided_by else "-",
                a.reason or "",
            )
            for a in case.approvals
        ]
        headings = ("id", "status", "action", "target", "asks because", "decided by", "reason")
        yield screen.panel("approvals", screen.table(headings, rows))
    if case.effects:
        done = [
            (e.key, screen.status(e.state), e.target, e.receipt.reference if e.receipt else e.error)
            for e in case.effects
        ]
        yield screen.panel("effects", screen.table(("key", "state", "target", "result"), done))
    if case.work:
        yield screen.panel("running", *[screen.said(line) for line in case.work])
    if case.notices:
        sent = [
            (n.notice.action, screen.status(n.state), n.reference or n.error or "-")
            for n in case.notices
        ]
        yield screen.panel("notices", screen.table(("notice", "state", "reference"), sent))


def _verdicts(case: "Case") -> Panel:
    """The newest first: that one counts."""
    rows = [
        (
            screen.said(v.verdict.replace("_", " ") + (f" of {v.of}" if v.of else ""), "bold"),
            v.actor,
            screen.clock(v.at),
            v.comment,
        )
        for v in reversed(case.verdicts)
    ]
    return screen.panel("verdicts", screen.table(("verdict", "by", "at", "comment"), rows))


def _resolution(resolution: "Resolution") -> Panel:
    times = [
        ("time_to_detect", resolution.time_to_detect),
        ("time_to_diagnose", resolution.time_to_diagnose),
        ("time_to_act", resolution.time_to_act),
        ("time_to_resolve", resolution.time_to_resolve),
        ("waited_for_people", resolution.waited_for_people),
    ]
    taken = [
        (a.action, screen.status(a.status), a.details or a.approval_url or "")
        for a in resolution.actions_taken
    ]
    return screen.panel(
        "resolution",
        screen.grid(
            [
                ("resolution_status", screen.status(resolution.resolution_status)),
                ("summary", resolution.summary),
                *((name, screen.duration(seconds)) for name, seconds in times),
            ]
        ),
        screen.table(("actions_taken", "status", "details"), taken),
    )


def _print_timeline(case: "Case") -> None:
    rows = [
        (
            f"{e.at:%H:%M:%S}",
            screen.said(e.agent or "agentops", screen.AGENT_STYLES.get(e.agent or "", "")),
            e.node,
            screen.said(e.text, "red" if e.kind == "error" else ""),
            "" if e.ms is None else f"{e.ms:.0f}",
        )
        for e in case.timeline
    ]
    headings = ("at", "agent", "node", "what happened", "ms")
    screen.out().print(screen.panel("timeline", screen.table(headings, rows)))


def _print_next(case: "Case") -> None:
    """What a person can do now."""
    for approval in case.pending:
        screen.line(
            f"Waits for you: agentops approve {approval.approval_id}   or   "
            f'agentops reject {approval.approval_id} --reason "..."',
            "bold yellow",
        )
    if case.incident.needs_reconcile:
        screen.line("An effect's outcome is not known: agentops reconcile", "bold red")
    elif case.incident.status == "escalated":
        ident = case.incident.incident_id
        screen.line(
            f'It is yours: agentops retry {ident}   or   agentops close {ident} --note "..."',
            "bold yellow",
        )
