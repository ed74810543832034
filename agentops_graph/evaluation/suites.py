"""The registry of evaluations: how each is called, and which figures need a third party's sets."""

import os
import re
from pathlib import Path

from agentops_graph.domain.record import Record
from agentops_graph.errors import InputError, NotFoundError


class Suite(Record):
    """One evaluation: a module under `evals/` that prints JSON with `--json`."""

    name: str
    about: str = ""  # one line
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
        about="whether a search of the runbooks finds the right section",
        small=("--embedding", "lexical", "--no-ablation"),
        third_party=r"(embeddings|ablation)/[^/]+/(?!own queries/)",
    ),
    Suite(
        name="diagnosis", about="whether the right cause is named, and how sure", small=("--quick",)
    ),
    Suite(
        name="grounding",
        about="whether what a diagnosis claims stands in its evidence",
        small=("--quick",),
    ),
    Suite(
        name="safety",
        about="whether words from outside change what is decided or told",
        small=("--quick",),
    ),
    Suite(name="chat", about="whether questions in plain words are answered"),
    Suite(
        name="detection",
        about="whether what is wrong is noticed, and nothing else",
        small=("--quick",),
    ),
    Suite(
        name="rca",
        about="whether the series where a fault began is ranked first",
        small=("--seeds", "1"),
        third_party=r"web_shop/",
    ),
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
    """The checkout that holds `evals/`: where we stand, or where the package lies."""
    for folder in (start, *start.parents, Path(__file__).parents[2]):
        if (folder / "evals").is_dir():
            return folder
    raise InputError(
        "no folder evals/ is here; run this in a checkout of agentops_graph, which has it",
        field="eval",
    )


def third_party_sets(root: Path) -> Path:
    """Where the suites look for them; it may not be there."""
    return Path(os.environ.get("AGENTOPS_EVAL_DATA", root.resolve().parent / "shared" / "data"))
