"""How drifted features moved: how far, in each other's place, or by whole hours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.affine import LEVELS
from agentops_graph.detection.psi import psi

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agentops_graph.detection.affine import Affine
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.profile import FeatureProfile

NEARER = 0.4  # of its distance to its own reference a swapped feature keeps to the other's
WITHIN_H = 0.3  # of a whole hour
MOST_HOURS = 14.0  # no two time zones are further apart
SAME_SCALE = 0.25
TIME_WORDS = re.compile(
    r"hour|time|since|age|clock|elapsed|duration|(?:^|_)h(?:$|_)", re.IGNORECASE
)


def swapped(
    reference: Mapping[str, FeatureProfile], columns: Mapping[str, Floats], moved: Sequence[str]
) -> tuple[str, str] | None:
    """Two drifted features of which each now looks like the other did."""
    numbers = [name for name in moved if name in reference and name in columns]
    own = {name: psi(reference[name], columns[name]) for name in numbers}
    for place, one in enumerate(numbers):
        for other in numbers[place + 1 :]:
            if (
                psi(reference[other], columns[one]) < NEARER * own[one]
                and psi(reference[one], columns[other]) < NEARER * own[other]
            ):
                return one, other
    return None


def hours_moved(name: str, affine: Affine | None, rows: int) -> float | None:
    """By how many hours a feature that tells of time was moved, when nothing speaks against a whole
    number of them; None for any other move. So many rows tell it only so well."""
    if affine is None or not affine.is_shifted or abs(affine.scale - 1) > SAME_SCALE:
        return None
    hours = round(affine.shift)
    error = 2 * affine.deviation / float(np.sqrt(max(rows, 1)))
    is_whole = abs(affine.shift - hours) <= max(WITHIN_H, error) and 1 <= abs(hours) <= MOST_HOURS
    return float(hours) if is_whole and TIME_WORDS.search(name) else None


def spreads_moved(profile: FeatureProfile, values: Floats) -> float:
    """How far a feature moved, in standard deviations of its reference, both without the outer
    percentiles: the mean distance of the quantiles (Wasserstein)."""
    finite = values[np.isfinite(values)]
    reference = np.asarray(profile.quantiles)[LEVELS]
    spread = float(reference.std())
    if not len(finite) or spread <= 0:
        return 0.0
    return float(np.abs(np.quantile(finite, LEVELS / 100) - reference).mean()) / spread
