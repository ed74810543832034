"""Metrics of scores (AUC, Brier score, log loss) over labels that are only expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from agentops_graph.detection.expectation import Expectation
    from agentops_graph.domain.frames import Floats

SCORE_FIGURES = ("auc", "roc_auc", "brier", "log_loss")


def score_figures(name: str, seen: Expectation) -> tuple[float, Floats, Floats]:
    """The expected figure of a binary model, and what the two sets of draws make of it."""
    if name in ("auc", "roc_auc"):
        return _auc(seen)
    chance, score = seen.chances[:, 1], seen.rows.score
    if name == "brier":
        of_one, of_zero = (1 - score) ** 2, score**2
    else:
        tiny = np.finfo(np.float64).eps
        of_one, of_zero = -np.log(np.clip([score, 1 - score], tiny, 1.0))
    value = float(np.mean(chance * of_one + (1 - chance) * of_zero))
    one, zero = _per_cell(seen, chance, of_one), _per_cell(seen, 1 - chance, of_zero)
    total = len(score)
    drawn, worse = (
        (labels[:, :, 1] @ one + labels[:, :, 0] @ zero) / total
        for labels in (seen.drawn, seen.worse)
    )
    return value, drawn, worse


def _per_cell(seen: Expectation, weight: Floats, loss: Floats) -> Floats:
    """The mean loss of a cell's rows, each weighing as likely as it has the label."""
    size = len(seen.cells.rows)
    weights = np.bincount(seen.cells.place, weight, minlength=size)
    sums = np.bincount(seen.cells.place, weight * loss, minlength=size)
    return np.asarray(sums / np.maximum(weights, 1e-12))


def _auc(seen: Expectation) -> tuple[float, Floats, Floats]:
    """Row by row for the value; for the spread by cells, whose rows count as tied."""
    order = np.argsort(seen.rows.score, kind="stable")
    chance = seen.chances[order, 1]
    tie = np.unique(seen.rows.score[order], return_inverse=True)[1]
    ones, zeros = (np.asarray(np.bincount(tie, c), dtype=np.float64) for c in (chance, 1 - chance))
    value = float(_area(ones[None], zeros[None])[0])
    size = len(seen.cells.rows)
    mean = np.bincount(seen.cells.place, seen.rows.score, minlength=size)
    by_score = np.argsort(mean / np.maximum(seen.cells.rows, 1), kind="stable")
    best = seen.cells.chances * seen.cells.rows[:, None]
    coarse = float(_area(best[None, by_score, 1], best[None, by_score, 0])[0])
    drawn, worse = (
        _area(labels[:, by_score, 1], labels[:, by_score, 0]) + value - coarse
        for labels in (seen.drawn, seen.worse)
    )
    return value, drawn, worse


def _area(ones: Floats, zeros: Floats) -> Floats:
    """The area under the ROC curve of groups in order of score, (draws, groups)."""
    below = np.cumsum(zeros, axis=1) - zeros / 2
    pairs = ones.sum(axis=1) * zeros.sum(axis=1)
    won = (ones * below).sum(axis=1)
    return np.asarray(np.divide(won, pairs, out=np.full_like(won, 0.5), where=pairs > 0))
