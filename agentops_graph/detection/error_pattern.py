"""Where a model's new errors lie: anywhere, as wrong labels do, or in one part of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentops_graph.domain.frames import Floats

FEWEST = 40  # rows that are wrong, and rows that are right
USUAL = 0.9  # errors of numbers above this share of those before are called wrong
# A feature parts wrong from right when their distribution functions lie this far apart beyond
# chance (Kolmogorov-Smirnov); wrong labels fall on every kind of row alike.
APART = 0.15
CHANCE = 0.01  # of all features together
MORE_WRONG = 1.5  # times as often as before


@dataclass(frozen=True)
class ErrorPattern:
    """`apart` is the largest KS distance of a feature between wrong and right rows, `noise` what
    chance gives; `sure` the share of wrong rows among the surest predictions."""

    wrong: float
    before: float
    apart: float
    noise: float
    feature: str | None

    @property
    def is_worse(self) -> bool:
        return self.wrong > max(MORE_WRONG * self.before, 0.1)

    @property
    def is_everywhere(self) -> bool:
        return self.apart <= self.noise

    @property
    def is_concentrated(self) -> bool:
        return self.apart > self.noise + APART


def error_pattern(
    losses: Floats, usual: Floats, features: Mapping[str, Floats], *, of_numbers: bool
) -> ErrorPattern | None:
    """The pattern of losses (0 or 1 of classes, absolute errors of numbers) against the usual ones;
    None with too few wrong or right rows."""
    known, before = np.isfinite(losses), usual[np.isfinite(usual)]
    if not len(before):
        return None
    line = float(np.quantile(before, USUAL)) if of_numbers else 0.5
    wrong, right = known & (losses > line), known & (losses <= line)
    if min(wrong.sum(), right.sum()) < FEWEST:
        return None
    distances = {n: _ks(values[wrong], values[right]) for n, values in features.items()}
    feature = max(distances, key=lambda n: distances[n], default=None)
    rows = wrong.sum() * right.sum() / (wrong.sum() + right.sum())
    chance = CHANCE / max(len(distances), 1)
    return ErrorPattern(
        wrong=float(wrong.sum() / known.sum()),
        before=float((before > line).mean()),
        apart=distances[feature] if feature is not None else 0.0,
        noise=float(np.sqrt(-np.log(chance / 2) / 2 / rows)),
        feature=feature,
    )


def _ks(one: Floats, other: Floats) -> float:
    one, other = np.sort(one[np.isfinite(one)]), np.sort(other[np.isfinite(other)])
    if not len(one) or not len(other):
        return 0.0
    places = np.concatenate([one, other])
    shares = [np.searchsorted(v, places, side="right") / len(v) for v in (one, other)]
    return float(np.abs(shares[0] - shares[1]).max())
