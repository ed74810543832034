"""The registry of evaluations: how each is called, and which figures need a third party's sets."""

import os
import re
from pathlib import Path

from agentops_graph.domain.record import Record
from agentops_graph.errors import InputError, NotFoundError

PACKAGE = Path(__file__).absolute().parents[1]


class Suite(Record):
    """One evaluation: a module under `evals/` that prints JSON with `--json`."""

    name: str
    small: tuple[str, ...] = ()  # arguments of the small set
    third_party: str | None = None  # a pattern of figures that only those sets give

    @property
    def module(self) -> str:
        return f"evals.{self.name}"

    def is_third_party(self, figure: str) -> bool:
        return self.third_party is not None and re.match(self.third_party, figure) is not None


SUITES = (
    Suite(
        name="retrieval",
        small=("--embedding", "lexical", "--no-ablation"),
        third_party=r"(embeddings|ablation)/[^/]+/(?!own queries/)",
    ),
    Suite(name="diagnosis", small=("--quick",)),
    Suite(name="grounding", small=("--quick",)),
    Suite(name="safety", small=("--quick",)),
    Suite(name="chat"),
    Suite(name="detection", small=("--quick",)),
    Suite(name="rca", small=("--seeds", "1"), third_party=r"web_shop/"),
)


def chosen(root: Path, names: tuple[str, ...]) -> tuple[list[Suite], list[str]]:
    """The suites that were asked for and are present under `root`, and the names of the others."""
    known = {suite.name: suite for suite in SUITES}
    for name in names:
        if name not in known:
            raise NotFoundError(f"no evaluation {name!r}; known: {', '.join(known)}")
    wanted = [known[name] for name in dict.fromkeys(names)] if names else list(SUITES)
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


def third_party_sets(root: Path) -> Path:
    """Where the suites look for them; it may not be there."""
    return Path(os.environ.get("AGENTOPS_EVAL_DATA", root.resolve().parent / "shared" / "data"))
