"""A metric of every segment at once: from counts that add up, so that the rest is a subtraction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np

from agentops_graph.detection.intervals import Z
from agentops_graph.detection.labelled import shares
from agentops_graph.detection.performance import Estimate, appraise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agentops_graph.domain.frames import Floats, Predictions
    from agentops_graph.domain.metric import Metric

    Codes = NDArray[np.int32]
    Places = NDArray[np.intp]

MOST_ROWS = 200_000  # of a metric that has to be computed set by set; the others count every row
REST_ROWS = 20_000
FEW_SETS = 10


@dataclass(frozen=True)
class Levels:
    """One metric over several sets of rows; NaN where a set doesn't give it.

    For a metric that is a share, or F1, `hits` of `trials` are known. `freedom` are the degrees of
    freedom of `error`.
    """

    rows: Floats  # with a label
    value: Floats
    error: Floats
    freedom: Floats
    hits: Floats | None = None
    trials: Floats | None = None
    of_f1: bool = False

    def at(self, chosen: Places) -> Levels:
        """Those of the chosen sets."""
        return Levels(
            self.rows[chosen],
            self.value[chosen],
            self.error[chosen],
            self.freedom[chosen],
            None if self.hits is None else self.hits[chosen],
            None if self.trials is None else self.trials[chosen],
            self.of_f1,
        )


class Tally(Protocol):
    """What was counted of the segments of one dimension."""

    def inside(self) -> Levels: ...
    def outside(self, chosen: Places) -> Levels:
        """Of all rows but a segment's, for each of the chosen ones."""
        ...


@dataclass(frozen=True)
class Shares:
    """Hits and trials per segment, and of all rows."""

    rows: Floats
    hits: Floats
    trials: Floats
    total: tuple[float, float, float]  # rows, hits, trials
    of_f1: bool

    def inside(self) -> Levels:
        return self._levels(self.rows, self.hits, self.trials)

    def outside(self, chosen: Places) -> Levels:
        rows, hits, trials = self.total
        return self._levels(
            rows - self.rows[chosen], hits - self.hits[chosen], trials - self.trials[chosen]
        )

    def _levels(self, rows: Floats, hits: Floats, trials: Floats) -> Levels:
        part, low, high = shares(hits, trials)
        if self.of_f1:
            part, low, high = (2 * s / (1 + s) for s in (part, low, high))
        value = np.where(trials > 0, part, np.nan)
        error = (high - low) / (2 * Z)
        return Levels(rows, value, error, trials, hits, trials, self.of_f1)


@dataclass(frozen=True)
class Means:
    """Sums of a loss per segment; `root` for a metric that is the root of the mean."""

    rows: Floats
    sums: Floats
    squares: Floats
    follows: Floats  # autocorrelation of a segment's losses
    total: tuple[float, float, float]
    follow: float
    root: bool

    def inside(self) -> Levels:
        return self._levels(self.rows, self.sums, self.squares, self.follows)

    def outside(self, chosen: Places) -> Levels:
        rows, sums, squares = self.total
        n, s, q = rows - self.rows[chosen], sums - self.sums[chosen], squares - self.squares[chosen]
        return self._levels(n, s, q, np.full(len(n), self.follow))

    def _levels(self, rows: Floats, sums: Floats, squares: Floats, follows: Floats) -> Levels:
        seen = np.maximum(rows, 1.0)
        mean = sums / seen
        spread = np.maximum(squares / seen - mean**2, 0.0)
        counted = np.maximum(2.0, rows * (1 - follows) / (1 + follows))
        error = np.sqrt(spread * seen / np.maximum(seen - 1, 1.0) / counted)
        value = np.where(rows >= 2, mean, np.nan)
        if self.root:
            value = np.sqrt(value)
            error = np.divide(error, 2 * value, out=np.zeros_like(error), where=value > 0)
        return Levels(rows, value, error, counted - 1)


@dataclass(frozen=True)
class Apart:
    """A metric that doesn't add up, such as AUC: judged on the rows of each set by itself."""

    rows: Floats
    judged: Callable[[Places], Estimate | None]
    codes: Codes  # -1 for rows without a label, too

    def inside(self) -> Levels:
        places = self._thinned(MOST_ROWS)
        codes = self.codes[places]
        order = _in_order(codes)
        starts = np.searchsorted(codes[order], np.arange(len(self.rows) + 1))
        return self._levels([places[order[a:b]] for a, b in pairwise(starts)])

    def outside(self, chosen: Places) -> Levels:
        places = self._thinned(REST_ROWS if len(chosen) > FEW_SETS else MOST_ROWS)
        codes = self.codes[places]
        return self._levels([places[codes != code] for code in chosen])

    def _thinned(self, most: int) -> Places:
        return np.arange(0, len(self.codes), max(1, len(self.codes) // most))

    def _levels(self, sets: list[Places]) -> Levels:
        found = [self.judged(each) if len(each) else None for each in sets]
        rows = np.array([0 if each is None else each.rows for each in found], dtype=np.float64)
        value = np.array([np.nan if each is None else each.value for each in found])
        error = np.array([0.0 if each is None else each.error for each in found])
        return Levels(rows, value, error, np.maximum(rows - 1, 1.0))


class Scorer:
    """The labelled rows of a log, ready to be counted by any dimension."""

    def __init__(self, metric: Metric, rows: Predictions) -> None:
        self.metric = metric
        self._known = np.isfinite(rows.label) & np.isfinite(rows.prediction)
        self._all = bool(self._known.all())
        self._rows = rows
        self._label = rows.label[self._known]
        self._prediction = rows.prediction[self._known]
        self._shares = self._share_rows()
        self._loss = None if self._shares else self._loss_rows()

    def __len__(self) -> int:
        return len(self._label)

    def tally(self, codes: Codes, size: int) -> Tally:
        """Counts by a code per row of the log; -1 is in none of the `size` segments."""
        known = codes if self._all else codes[self._known]
        rows = _counts(known, size)
        if self._shares is not None:
            return self._shares_of(known, size, rows)
        if self._loss is not None:
            return self._means_of(known, size, rows)
        return Apart(rows, self._judged, codes)

    def _share_rows(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]] | None:
        """Which rows are trials and which hits, for a metric that is a share of rows."""
        name, label, called = self.metric.name, self._label, self._prediction
        if name == "accuracy" and self.metric.task in ("binary", "multiclass"):
            return np.ones(len(label), dtype=bool), label == called
        if self.metric.task != "binary" or not _are_binary(label, called):
            return None
        yes, said = label == 1, called == 1
        trials = {"f1": yes | said, "precision": said, "recall": yes}.get(name)
        return None if trials is None else (trials, yes & said)

    def _loss_rows(self) -> Floats | None:
        if self.metric.task not in ("regression", "forecast"):
            return None
        off = self._label - self._prediction
        if self.metric.name == "mae":
            return np.abs(off)
        return off**2 if self.metric.name in ("mse", "rmse") else None

    def _shares_of(self, known: Codes, size: int, rows: Floats) -> Shares:
        assert self._shares is not None
        trials, hits = self._shares
        return Shares(
            rows,
            _counts(known[hits], size),
            _counts(known[trials], size),
            (float(len(known)), float(hits.sum()), float(trials.sum())),
            self.metric.name == "f1",
        )

    def _means_of(self, known: Codes, size: int, rows: Floats) -> Means:
        loss = self._loss
        assert loss is not None
        every = np.zeros(len(loss), dtype=np.int32)
        return Means(
            rows,
            _counts(known, size, loss),
            _counts(known, size, loss**2),
            _follows(known, size, loss),
            (float(len(loss)), float(loss.sum()), float(loss @ loss)),
            float(_follows(every, 1, loss)[0]),
            self.metric.name == "rmse",
        )

    def _judged(self, places: Places) -> Estimate | None:
        rows = self._rows
        ids: Sequence[str] = ()
        if self.metric.task == "ranking":
            ids = [rows.ids[i] for i in places]
        found = appraise(
            self.metric,
            rows.label[places],
            rows.prediction[places],
            rows.confidence[places],
            ids,
        )
        return found if isinstance(found, Estimate) else None


def _counts(codes: Codes, size: int, weights: Floats | None = None) -> Floats:
    found = np.bincount(codes + 1, weights=weights, minlength=size + 1)[1:]
    return np.asarray(found, dtype=np.float64)


def _in_order(codes: Codes) -> Places:
    """Rows by segment, in order of time within each; counted out instead of sorted, being short."""
    return np.argsort(codes.astype(np.int16), kind="stable")


def _are_binary(*columns: Floats) -> bool:
    return all(bool(((values == 0) | (values == 1)).all()) for values in columns)


def _follows(codes: Codes, size: int, loss: Floats) -> Floats:
    """Autocorrelation at lag 1 of each segment's losses in order of time, 0 to 0.98."""
    order = _in_order(codes)
    sorted_codes, values = codes[order], loss[order]
    rows = np.maximum(_counts(sorted_codes, size), 1.0)
    means = np.append(_counts(sorted_codes, size, values) / rows, 0.0)
    off = values - means[sorted_codes]
    same = sorted_codes[1:] == sorted_codes[:-1]
    moved = _counts(sorted_codes[1:][same], size, (off[1:] * off[:-1])[same])
    power = _counts(sorted_codes, size, off**2)
    part = np.divide(moved, power, out=np.zeros_like(moved), where=power > 0)
    return np.asarray(np.clip(part, 0.0, 0.98))
