"""Counts the rows of a batch that are wrong, each once, and keeps what was wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.intervals import wilson
from agentops_graph.domain.contract import Breach

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agentops_graph.detection.typed import Mask
    from agentops_graph.domain.contract import BreachKind

# One verdict "more than chance" in 10,000 looks at a healthy feed, over all of its columns.
FAMILY_WISE = 1e-4
HAND_WRITTEN_ROWS = 1_000_000  # a rate that a person wrote is meant as it stands


def excess(count: int, rows: int, usual: float, reference_rows: int, columns: int) -> float:
    """The part of `count` that is more than `usual` and chance explain, as a share of `count`.

    0 unless the interval of the difference of the two shares (Newcombe, Statistics in Medicine 17,
    1998, method 10) lies above 0, at a level shared by all columns (Bonferroni). Then it is the
    attributable fraction, (share - usual) / share.
    """
    if not rows or not count:
        return 0.0
    share = count / rows
    if share <= usual:
        return 0.0
    z = NormalDist().inv_cdf(1 - FAMILY_WISE / max(columns, 1))
    low = wilson(share, rows, z)[0]
    high = wilson(usual, reference_rows or HAND_WRITTEN_ROWS, z)[1]
    if (share - usual) <= sqrt((share - low) ** 2 + (high - usual) ** 2):
        return 0.0
    return (share - usual) / share


@dataclass
class Violations:
    """What is wrong with the rows of one batch."""

    rows: int
    breaches: list[Breach] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Per row the largest share of one violation that any of its cells makes it.
        self.weights: NDArray[np.float32] = np.zeros(self.rows, dtype=np.float32)
        self.flagged: Mask = np.zeros(self.rows, dtype=np.bool_)

    def keep(
        self,
        kind: BreachKind,
        mask: Mask,
        summary: str,
        *,
        column: str | None = None,
        weight: float = 1.0,
        usual: float = 0.0,
        examples: tuple[str, ...] = (),
    ) -> None:
        """Rows of a breach; `weight` is the share of them that is more than usual."""
        count = int(mask.sum())
        if not count:
            return
        np.maximum(self.weights, np.where(mask, np.float32(weight), 0), out=self.weights)
        if weight > 0:
            self.flagged |= mask
        share = count / self.rows
        breach = Breach(
            kind=kind, column=column, rows=count, share=share, usual=usual, counted=weight > 0,
            summary=summary, examples=examples,
        )  # fmt: skip
        self.breaches.append(breach)

    def keep_whole(self, kind: BreachKind, summary: str, column: str | None = None) -> None:
        """A breach that every row shows."""
        every = np.ones(self.rows, dtype=np.bool_)
        if self.rows:
            self.keep(kind, every, summary, column=column)
        else:
            self.breaches.append(Breach(kind=kind, column=column, rows=0, share=0, summary=summary))

    def note(self, kind: BreachKind, summary: str, column: str | None = None) -> None:
        """Worth knowing; no row is wrong for it."""
        self.breaches.append(
            Breach(kind=kind, column=column, rows=0, share=0, counted=False, summary=summary)
        )

    @property
    def count(self) -> int:
        return round(float(self.weights.sum(dtype=np.float64)))
