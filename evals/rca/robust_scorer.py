"""Baselines: the robust scorer of BARO as its paper describes it, and a largest z score.

Pham, Ha, Zhang: BARO: Robust Root Cause Analysis for Microservices via Multivariate Bayesian
Online Change Point Detection, Proc. ACM Softw. Eng. 1 (FSE), 2024, arXiv:2405.09330. Written from
the paper: each series is scaled by median and quartile range of the time before the onset, and its
score is the largest value after it.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from agentops_graph.detection.root_causes.names import pair_of

Floats = NDArray[np.float64]


def robust_scorer(frame: Mapping[str, Floats], onset: float) -> list[str]:
    """Components, most likely first."""
    return _ranked(frame, onset, _robust)


def largest_z(frame: Mapping[str, Floats], onset: float) -> list[str]:
    """The same with mean and standard deviation, either direction."""
    return _ranked(frame, onset, _z)


def _ranked(frame: Mapping[str, Floats], onset: float, scored) -> list[str]:  # type: ignore[no-untyped-def]
    times = frame["time"]
    scores = {}
    for name, values in frame.items():
        before = values[(times < onset) & np.isfinite(values)]
        after = values[(times >= onset) & np.isfinite(values)]
        if name != "time" and len(before) and len(after):
            scores[name] = scored(before, after)
    ranked = sorted(scores, key=lambda name: -scores[name])
    named = [pair_of(name)[0] for name in ranked]
    left = [pair_of(name)[0] for name in frame if name != "time"]
    return list(dict.fromkeys(named + left))


def _robust(before: Floats, after: Floats) -> float:
    low, middle, high = np.quantile(before, (0.25, 0.5, 0.75))
    # A range of 0 divides by 1, as usual scalers do.
    return float((after.max() - middle) / ((high - low) or 1.0))


def _z(before: Floats, after: Floats) -> float:
    return float(np.abs(after - before.mean()).max() / (before.std() or 1.0))
