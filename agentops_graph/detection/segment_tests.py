"""Is a segment's metric surely worse than is borne? One test for each, many segments at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agentops_graph.detection.segment_levels import Levels
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.metric import Metric

# Of a look at all segments together. A component has 8,760 hourly looks a year.
LEVEL = 1e-4
GRID = 64  # baselines tried


def bearable(metric: Metric, baseline: Floats, share: float) -> Floats:
    """`Metric.bearable` of many baselines: the loss that raises no alert."""
    sizes = np.abs(baseline)
    allowed = metric.tolerance * (sizes if metric.tolerance_of == "baseline" else 1.0)
    return np.asarray(np.maximum(share * sizes, allowed))


def loss(metric: Metric, value: Floats, baseline: Floats) -> Floats:
    """`Metric.loss` of many values."""
    return baseline - value if metric.direction == "higher_is_better" else value - baseline


def evidence(metric: Metric, now: Levels, baseline: Levels, share: float) -> Floats:
    """How surely each set lost more than is borne, in standard deviations; 0 for one that did not.

    The signed root of the likelihood ratio (Wilks, Ann. Math. Stat. 9, 1938): how much less likely
    the rows become at the best baseline and value for which the loss is just borne. For shares
    the likelihood is the binomial one, whose ratio bounds the true tail however few the rows are
    (Chernoff, Ann. Math. Stat. 23, 1952), for means Student's t as a normal (Wallace, 1959).
    """
    if now.hits is not None and now.trials is not None:
        found = _of_shares(metric, now, baseline, share)
    else:
        found = _of_values(metric, now, baseline, share)
    worse = loss(metric, now.value, baseline.value) > bearable(metric, baseline.value, share)
    return np.where(worse & np.isfinite(found), found, 0.0)


def surely(strength: Floats, level: float = LEVEL) -> NDArray[np.bool_]:
    """Which of the tests hold when the chance of any false one is to stay under `level`.

    Holm, Scand. J. Statist. 6 (1979): it needs nothing of how segments overlap.
    """
    order = np.argsort(-strength, kind="stable")
    held = np.zeros(len(strength), dtype=bool)
    for place, i in enumerate(order):
        if chance(float(strength[i])) > level / (len(strength) - place):
            break
        held[i] = True
    return held


def chance(strength: float) -> float:
    """The share of a normal beyond so many standard deviations."""
    return math.erfc(strength / math.sqrt(2)) / 2


def _of_shares(metric: Metric, now: Levels, baseline: Levels, share: float) -> Floats:
    assert now.hits is not None
    assert now.trials is not None
    # Between the recorded baseline and the one for which the value is just borne lies the best.
    excuse = np.minimum(_excuse(metric, now.value, share), baseline.value)
    steps = np.linspace(0, 1, GRID)
    tried = excuse[:, None] + (baseline.value - excuse)[:, None] * steps
    limit = np.clip(tried - bearable(metric, tried, share), 0.0, 1.0)
    at = limit / (2 - limit) if now.of_f1 else limit
    seen = np.divide(now.hits, now.trials, out=np.zeros_like(now.hits), where=now.trials > 0)
    apart = 2 * now.trials[:, None] * _divergence(seen[:, None], np.maximum(at, seen[:, None]))
    return np.asarray(np.sqrt(np.min(apart + _strain(baseline, tried, now.of_f1), axis=1)))


def _excuse(metric: Metric, value: Floats, share: float) -> Floats:
    """The baseline for which a value has lost just what is borne; of a share."""
    if metric.tolerance_of == "baseline":
        share = max(share, metric.tolerance)
    by_tolerance = value + (metric.tolerance if metric.tolerance_of == "unit" else 0.0)
    return np.asarray(np.maximum(value / max(1 - share, 1e-9), by_tolerance))


def _strain(baseline: Levels, tried: Floats, of_f1: bool) -> Floats:
    """How unlikely the baseline's own rows are, were it one of those tried instead."""
    away = (baseline.value[:, None] - tried) / np.maximum(baseline.error, 1e-12)[:, None]
    if baseline.hits is None or baseline.trials is None:
        return np.asarray(away**2)
    at = tried / (2 - tried) if of_f1 else tried
    known = baseline.trials > 0
    seen = np.divide(baseline.hits, baseline.trials, out=np.zeros_like(away[:, 0]), where=known)
    counted = 2 * baseline.trials[:, None] * _divergence(seen[:, None], np.clip(at, 0.0, 1.0))
    return np.where(known[:, None], counted, away**2)


def _divergence(seen: Floats, at: Floats) -> Floats:
    """Kullback and Leibler's, of one share from another."""
    safe = np.clip(at, 1e-12, 1 - 1e-12)
    no = 1 - seen
    yes = np.where(seen > 0, seen * np.log(np.maximum(seen, 1e-300) / safe), 0.0)
    both = yes + np.where(no > 0, no * np.log(np.maximum(no, 1e-300) / (1 - safe)), 0.0)
    return np.asarray(np.maximum(both, 0.0))


def _of_values(metric: Metric, now: Levels, baseline: Levels, share: float) -> Floats:
    borne = bearable(metric, baseline.value, share)
    over = loss(metric, now.value, baseline.value) - borne
    recorded = (1 + share) * baseline.error
    error = np.hypot(now.error, recorded)
    with np.errstate(divide="ignore", invalid="ignore"):
        student = np.where(error > 0, over / error, np.where(over > 0, np.inf, 0.0))
        # Of two spreads that were both estimated: Welch, Biometrika 34 (1947).
        parts = now.error**4 / now.freedom + recorded**4 / baseline.freedom
        freedom = np.where(parts > 0, error**4 / parts, now.freedom)
    return _as_normal(np.minimum(student, 1e6), np.maximum(freedom, 1.0))


def _as_normal(student: Floats, freedom: Floats) -> Floats:
    size = np.sqrt(freedom * np.log1p(student**2 / freedom))
    return np.asarray(np.sign(student) * size * (8 * freedom + 1) / (8 * freedom + 3))
