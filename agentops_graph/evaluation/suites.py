"""The registry of evaluations: how each is called, and which of its figures are better low."""

import re
from pathlib import Path
from typing import Any

from agentops_graph.domain.record import Record
from agentops_graph.errors import InputError, NotFoundError

PACKAGE = Path(__file__).absolute().parents[1]
LOW_IS_BETTER = (
    "wrong",
    "error",
    "false",
    "ece",
    "brier",
    "delay",
    "missed",
    "unsafe",
    "fault",
    "leak",
)
# Counts of what was asked, and times of a machine that others use, are no merit.
NO_MERIT = frozenset(
    "seconds ms memory questions outcomes seeds n cases count healthy".split()  # noqa: SIM905
)


class Suite(Record):
    """One evaluation: a module under `evals/` that prints JSON with `--json`."""

    name: str
    small: tuple[str, ...] = ()  # arguments of the small set

    @property
    def module(self) -> str:
        return f"evals.{self.name}"


SUITES = (
    Suite(name="retrieval"),
    Suite(name="diagnosis", small=("--quick",)),
    Suite(name="grounding", small=("--quick",)),
    Suite(name="safety", small=("--quick",)),
    Suite(name="chat"),
    Suite(name="detection", small=("--quick",)),
    Suite(name="rca", small=("--seeds", "1")),
)


def chosen(root: Path, names: tuple[str, ...]) -> tuple[list[Suite], list[str]]:
    """The suites that were asked for and are present under `root`, and the names of the others."""
    known = {suite.name: suite for suite in SUITES}
    for name in names:
        if name not in known:
            raise NotFoundError(f"no evaluation {name!r}; known: {', '.join(known)}")
    wanted = [known[name] for name in names] if names else list(SUITES)
    there = [suite for suite in wanted if (root / "evals" / suite.name / "__main__.py").exists()]
    return there, [suite.name for suite in wanted if suite not in there]


def root_of(start: Path) -> Path:
    """The checkout that this package runs from. Another folder's `evals/`, where we happen to
    stand, may be anybody's and is never run. Raises InputError."""
    own = PACKAGE.parent
    around = next((f for f in (start, *start.parents) if (f / "evals").is_dir()), own)
    if not around.samefile(own):
        raise InputError(
            f"{around / 'evals'} is not this package's; run it in the checkout that the package "
            f"is installed from, {own}",
            field="eval",
        )
    if not (own / "evals").is_dir():
        raise InputError(
            f"{own} has no folder evals/; install the package from a checkout of agentops_graph "
            "(pip install -e), which has it",
            field="eval",
        )
    return own


def figures_of(document: Any) -> dict[str, float]:
    """Every number in what a suite printed, under the words that lead to it."""
    found: dict[str, float] = {}
    _collect(document, (), found)
    return found


def merit(name: str) -> int:
    """1 where more is better, -1 where less is, 0 where the figure is no merit."""
    last = name.rsplit("/", 1)[-1].lower()
    if NO_MERIT & set(re.split(r"[^a-z0-9]+", last)):
        return 0
    return -1 if any(word in last for word in LOW_IS_BETTER) else 1


def _collect(value: Any, way: tuple[str, ...], found: dict[str, float]) -> None:
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int | float):
        found["/".join(way)] = float(value)
    elif isinstance(value, dict):
        named = [str(v) for v in value.values() if isinstance(v, str)]
        own = way if not named or len(named) > 4 else (*way, *named)
        for key, held in value.items():
            if not isinstance(held, str):
                _collect(held, (*(own if _is_row(value) else way), str(key)), found)
    elif isinstance(value, list):
        for held in value:
            _collect(held, way, found)


def _is_row(value: dict[str, Any]) -> bool:
    """A row of a table: words that name it beside its numbers, and nothing deeper."""
    return any(isinstance(v, str) for v in value.values()) and not any(
        isinstance(v, dict | list) for v in value.values()
    )
