"""Rows and batches that were loaded twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.intervals import wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agentops_graph.detection.triggers import Window
    from agentops_graph.domain.alert import Finding
    from agentops_graph.domain.frames import Floats, Predictions, Series

SURE = 1e-4  # a chance this small is a duplicate by itself
LIKELY, MUCH = 0.01, 1.5  # and this small when there are also that many times the usual records
FEWEST_BATCHES = 24  # of a feed, that tell how often two are alike by chance
ALIKE = ("record_count", "schema_violations", "null_rate")


@dataclass(frozen=True)
class Twins:
    """Batches of a window that repeat an earlier one of it."""

    batches: int
    records: float
    share: float  # of the window's records
    since: float  # seconds since the epoch, of the first batch that has a twin
    chance: float  # of so many without a second load


def repeated_rows(rows: Predictions) -> NDArray[np.bool_]:
    """True for a row that repeats an earlier one: same id, prediction and features.

    An id alone says little: some logs number the rows of each batch from 0.
    """
    again = np.zeros(len(rows), dtype=bool)
    # Nearly always; a sort of all ids would take ten times as long.
    if len(set(rows.ids)) == len(rows):
        return again
    _, codes, counts = np.unique(np.array(rows.ids), return_inverse=True, return_counts=True)
    suspects = np.flatnonzero(counts[codes] > 1)
    suspects = suspects[np.argsort(codes[suspects], kind="stable")]
    later, before = suspects[1:], suspects[:-1]
    same = codes[later] == codes[before]
    for values in (rows.prediction, *rows.features.values()):
        same &= (values[later] == values[before]) | (
            np.isnan(values[later]) & np.isnan(values[before])
        )
    again[later[same]] = True
    return again


def repeated(window: Window, rows: Predictions) -> tuple[float, Finding | None]:
    """The share of a model's rows that repeat another, and the finding when it is surely more than
    the share of violations that is borne."""
    if not len(rows):
        return 0.0, None
    again = repeated_rows(rows)
    share, limit = float(again.mean()), window.component.thresholds.quality_violations
    if wilson(share, len(rows))[0] <= limit:
        return share, None
    summary = f"{int(again.sum())} of {len(rows)} predictions are logged twice, limit {limit:.0%}"
    since = float(rows.timestamps[np.argmax(again)])
    return share, _finding(window, share, summary, since, len(rows))


def twins_of(batches: Series, earlier: Series) -> Twins | None:
    """The window's batches that equal another of it in records, violations and missing values.

    How likely that is by chance is learnt from the neighbours among the feed's earlier batches, so
    a feed of ever the same size has no twins. None without a twin or with too short a past.
    """
    if len(batches) < 2 or len(earlier) < FEWEST_BATCHES:
        return None
    table, past = _table(batches), _table(earlier)
    _, first, codes = np.unique(table, axis=0, return_index=True, return_inverse=True)
    again = first[codes.ravel()] != np.arange(len(table))
    again &= table[:, 0] > 0
    if not again.any():
        return None
    usual = (np.sum(np.all(past[1:] == past[:-1], axis=1)) + 1) / (len(past) + 1)
    known = batches.timestamps[first[codes.ravel()][again]]
    return Twins(
        batches=int(again.sum()),
        records=float(table[again, 0].sum()),
        share=float(table[again, 0].sum() / max(table[:, 0].sum(), 1)),
        since=float(known.min()),
        chance=_at_least(int(again.sum()), len(table) - 1, min(float(usual) * 2, 1.0)),
    )


def loaded_twice(window: Window, twins: Twins | None, volume_ratio: float) -> Finding | None:
    """More than the borne share of the records came in batches that are there twice."""
    limit = window.component.thresholds.quality_violations
    if twins is None or twins.share <= limit:
        return None
    if twins.chance > SURE and not (twins.chance <= LIKELY and volume_ratio >= MUCH):
        return None
    summary = f"{twins.batches} batches are loaded twice: {twins.share:.0%} of the records"
    return _finding(window, twins.share, summary, twins.since, int(twins.records))


def _finding(window: Window, share: float, summary: str, since: float, rows: int) -> Finding:
    limit = window.component.thresholds.quality_violations
    return window.finding(
        "data_quality",
        "warning",
        "duplicate_share",
        share,
        limit,
        summary,
        onset=since,
        rows=rows,
    )


def _table(batches: Series) -> Floats:
    return np.column_stack([np.nan_to_num(batches.columns[name], nan=-1.0) for name in ALIKE])


def _at_least(hits: int, tries: int, chance: float) -> float:
    """Upper tail of the binomial distribution, bounded by the chance of any so many together."""
    ways = 1.0
    for n in range(hits):
        ways *= (tries - n) / (n + 1)
    return float(min(1.0, ways * chance**hits))
