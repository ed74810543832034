"""The path an incident took: its steps with their times, as a Mermaid diagram and a table."""

from collections.abc import Sequence
from itertools import pairwise

from agentops_graph.cli import screen
from agentops_graph.domain.incident import TimelineEvent
from agentops_graph.domain.record import Moment, Record

# Under this the pause between two steps is only the runner's own.
WAIT_WORTH_SAYING_S = 1.0


class PathStep(Record):
    """One node that ran, and how long nothing ran before it."""

    node: str
    agent: str
    at: Moment
    ms: float | None
    waited_s: float
    text: str


def steps_of(timeline: Sequence[TimelineEvent]) -> list[PathStep]:
    """The nodes that ran, in order."""
    steps: list[PathStep] = []
    for event in timeline:
        if event.kind != "step":
            continue
        between = (event.at - steps[-1].at).total_seconds() if steps else 0.0
        steps.append(
            PathStep(
                node=event.node,
                agent=event.agent or "agentops",
                at=event.at,
                ms=event.ms,
                waited_s=max(0.0, round(between - (event.ms or 0.0) / 1000, 3)),
                text=event.text,
            )
        )
    return steps


def mermaid(steps: Sequence[PathStep]) -> str:
    """A flow chart of the steps as they were taken, coloured by agent."""
    lines = ["flowchart LR"]
    for number, step in enumerate(steps, 1):
        took = "" if step.ms is None else f"<br/>{step.ms:.0f} ms"
        lines.append(f'  s{number}["{_word(step.node)}{took}"]:::{_word(step.agent)}')
    for number, (before, after) in enumerate(pairwise(steps), 1):
        lines.append(f"  s{number} -->{_label(before, after)} s{number + 1}")
    lines += [
        "  classDef Monitor fill:#d7f3f7,stroke:#0e7490,color:#111",
        "  classDef Investigator fill:#f3e3f9,stroke:#86198f,color:#111",
        "  classDef Remediator fill:#dcfce7,stroke:#15803d,color:#111",
    ]
    return "\n".join(lines)


def _label(before: PathStep, after: PathStep) -> str:
    words = []
    if before.agent != after.agent:
        words.append(f"to {_word(after.agent)}")
    if after.waited_s >= WAIT_WORTH_SAYING_S:
        words.append(f"waited {screen.duration(after.waited_s)}")
    return f'|"{", ".join(words)}"|' if words else ""


def _word(name: str) -> str:
    """A name that can't end a Mermaid label."""
    return "".join(c for c in name if c.isalnum() or c == "_") or "step"


def print_path(incident_id: str, steps: Sequence[PathStep]) -> None:
    """Markdown on standard output, so that it can be kept as a file or pasted into an issue."""
    if not steps:
        screen.line(f"{incident_id} has taken no step yet.")
        return
    for row in ("```mermaid", *mermaid(steps).split("\n"), "```"):
        screen.line(row)
    rows = [
        (
            str(number),
            screen.said(step.agent, screen.AGENT_STYLES.get(step.agent, "")),
            step.node,
            f"{step.at:%H:%M:%S}",
            "" if step.ms is None else f"{step.ms:.1f}",
            screen.duration(step.waited_s) if step.waited_s >= WAIT_WORTH_SAYING_S else "",
            step.text,
        )
        for number, step in enumerate(steps, 1)
    ]
    headings = ("", "agent", "node", "at", "ms", "waited before", "what happened")
    screen.out().print(screen.table(headings, rows))
    total = sum(step.ms or 0.0 for step in steps) / 1000
    waited = sum(step.waited_s for step in steps)
    screen.line(f"{screen.duration(total)} of work, {screen.duration(waited)} of waiting", "dim")
