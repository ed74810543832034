"""How drifted features moved: in each other's place, by whole hours, or still on the move."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.psi import psi

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agentops_graph.detection.affine import Affine
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.profile import FeatureProfile

NEARER = 0.4  # of its distance to its own reference a swapped feature keeps to the other's
WITHIN_H = 0.3  # of a whole hour; with 100 rows a median is that sure
MOST_HOURS = 14.0  # no two time zones are further apart
SAME_SCALE = 0.2
TIME_WORDS = re.compile(r"hour|time|since|age|clock|elapsed|duration|(?:^|_)h(?:$|_)", re.IGNORECASE)
GROWING_Z = 4.0  # of Spearman's rank correlation: one in 30,000 by chance
FEWEST = 60  # rows
SETTLED_IN = 4  # a first quarter of the rows is left out: an onset may be dated a little early


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


def hours_moved(name: str, affine: Affine | None) -> float | None:
    """By how many whole hours a feature that tells of time was moved; None for any other move."""
    if affine is None or not affine.is_shifted or abs(affine.scale - 1) > SAME_SCALE:
        return None
    hours = round(affine.shift)
    is_whole = abs(affine.shift - hours) <= WITHIN_H and 1 <= abs(hours) <= MOST_HOURS
    return float(hours) if is_whole and TIME_WORDS.search(name) else None


def still_moving(columns: Mapping[str, Floats], moved: Sequence[str]) -> bool:
    """Whether a drifted feature went on rising or falling after its onset: ranks of its values
    against their order in time (Spearman, Am. J. Psychol. 15, 1904)."""
    return any(_trend(columns[name]) > GROWING_Z for name in moved if name in columns)


def _trend(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    later = finite[len(finite) // SETTLED_IN :]
    if len(later) < FEWEST:
        return 0.0
    ranks = np.argsort(np.argsort(later, kind="stable"), kind="stable").astype(np.float64)
    order = np.arange(len(later), dtype=np.float64)
    return abs(float(np.corrcoef(order, ranks)[0, 1])) * float(np.sqrt(len(later) - 1))
