"""Whether a feature moved as a whole: multiplied by a factor, shifted by a constant, or gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.profile import FeatureProfile

# The outer percentiles follow the tails' luck, not the transformation.
LEVELS = np.arange(5, 96)
MIN_ROWS = 50
GOOD_FIT = 0.95
SCALE_NOISE = 0.15  # with 200 rows the factor of an unmoved feature stays inside 0.85 .. 1.15
SHIFT_NOISE = 0.25  # of a standard deviation


@dataclass(frozen=True)
class Affine:
    """Current quantiles = `scale` * reference quantiles + `shift`; `fit` is the R squared."""

    scale: float
    shift: float
    fit: float
    deviation: float  # robust standard deviation of the reference

    @property
    def is_scaled(self) -> bool:
        return self.fit >= GOOD_FIT and abs(self.scale - 1) > SCALE_NOISE

    @property
    def is_shifted(self) -> bool:
        limit = SHIFT_NOISE * self.deviation * max(1.0, abs(self.scale))
        return self.fit >= GOOD_FIT and abs(self.shift) > limit


def affine_of(profile: FeatureProfile, values: Floats) -> Affine | None:
    """Least squares on the quantile-quantile line (Wilk and Gnanadesikan, Biometrika 55, 1968).

    None for a constant reference or fewer than 50 finite values.
    """
    finite = values[np.isfinite(values)]
    if len(finite) < MIN_ROWS or len(profile.quantiles) != 101:
        return None
    reference = np.asarray(profile.quantiles)[LEVELS]
    deviation = (profile.quantiles[75] - profile.quantiles[25]) / 1.349
    x = reference - reference.mean()
    if deviation <= 0 or float(x @ x) <= 0:
        return None
    current = np.quantile(finite, LEVELS / 100)
    y = current - current.mean()
    scale = float(x @ y) / float(x @ x)
    shift = float(current.mean() - scale * reference.mean())
    total = float(y @ y)
    fit = 1.0 - float(np.sum((y - scale * x) ** 2)) / total if total > 0 else 0.0
    return Affine(scale, shift, fit, float(deviation))
