"""Words for what was read of runbooks: counts, refusals, folders that are gone."""

from collections.abc import Mapping, Sequence

from agentops_graph.cli import screen
from agentops_graph.domain.record import Scalar


def many(number: object, noun: str) -> str:
    """`1 section`, `2 sections`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def tell_changes(counts: Mapping[str, int]) -> None:
    """`1 new, 1 gone, 28 unchanged`."""
    said = [f"{n} {what}" for what, n in counts.items() if n or what == "unchanged"]
    screen.line(f"{', '.join(said)}.")


def tell_read(
    condition: Mapping[str, Scalar], refused: Sequence[str], missing: Sequence[str]
) -> None:
    """Refusals, folders that can't be seen, and how much is read."""
    for row in refused:
        screen.line(row, "bold red")
    for place in missing:
        screen.line(
            f"{place}: is gone; what was read from it is kept. Bring it back, or forget it with "
            f"`agentops runbooks remove`.",
            "yellow",
        )
    documents, sections = condition["documents"], condition["sections"]
    verb = "is" if documents == 1 else "are"
    screen.line(
        f"{many(documents, 'document')} with {many(sections, 'section')} {verb} read, "
        f"{len(refused)} refused.",
        "red" if refused else "green",
    )
