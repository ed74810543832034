"""Puts the best pages of a search into the order of a model that reads query and text together."""

import logging
import time
from collections.abc import Sequence
from typing import Protocol

from agentops_graph.domain.knowledge import Page
from agentops_graph.errors import InputError, UnavailableError

log = logging.getLogger(__name__)

BEST = 30  # pages that are read; a right one below them is seldom found by more reading
BUDGET_S = 1.0
PART = 5  # pages between two looks at the clock
LONGEST_QUERY = 1000
LONGEST_TEXT = 3000


class PairScorer(Protocol):
    """Says how well each text answers a query; higher is better, no scale is promised."""

    @property
    def name(self) -> str: ...

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """Raises InputError and UnavailableError."""
        ...


class Rerank:
    """The best pages in the order of a `PairScorer`, or as they were when it fails or takes more
    than `budget_s`; each page says which. Failures are told once in the log."""

    def __init__(self, scorer: PairScorer, *, budget_s: float = BUDGET_S) -> None:
        self._scorer, self._budget_s = scorer, budget_s
        self._told: set[str] = set()

    def reordered(self, query: str, pages: Sequence[Page]) -> list[Page]:
        """The scores of the first `BEST` pages are dealt out anew, so that what is known of a page
        (its alert type, its component) weighs as it did before."""
        best, rest = pages[:BEST], pages[BEST:]
        try:
            found = self._scored(query, best)
        except (InputError, UnavailableError) as error:
            return self._as_they_were(pages, f"not reranked: {error}")
        if found is None:
            reason = f"not reranked: {self._scorer.name} took more than {self._budget_s:g} s"
            return self._as_they_were(pages, reason)
        order = sorted(range(len(best)), key=lambda place: -found[place])
        dealt = sorted((page.score for page in best), reverse=True)
        said = f"reranked by {self._scorer.name}"
        first = [
            best[place].model_copy(update={"score": score, "rerank": said})
            for place, score in zip(order, dealt, strict=True)
        ]
        return [*first, *rest]

    def condition(self) -> str:
        """The model's name, or what is wrong with it."""
        try:
            self._scorer.scores("query", ["text"])
        except (InputError, UnavailableError) as error:
            return f"fails: {error}"
        return self._scorer.name

    def _scored(self, query: str, pages: Sequence[Page]) -> list[float] | None:
        """None when the time is over before all are read."""
        ends_at = time.monotonic() + self._budget_s
        found: list[float] = []
        for start in range(0, len(pages), PART):
            if time.monotonic() >= ends_at:
                return None
            part = pages[start : start + PART]
            texts = [f"{page.title}\n{page.text}"[:LONGEST_TEXT] for page in part]
            found += self._scorer.scores(query[:LONGEST_QUERY], texts)
        return found

    def _as_they_were(self, pages: Sequence[Page], reason: str) -> list[Page]:
        if reason not in self._told:
            self._told.add(reason)
            log.warning("search results are %s", reason)
        return [page.model_copy(update={"rerank": reason}) for page in pages]
