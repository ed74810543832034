"""Finds the newest rows of a model whose labels have come in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.late_labels import (
    BACK,
    WHOLE,
    full_from,
    is_level,
    labelled_share,
    settled_until,
    stamps_before,
)
from agentops_graph.detection.triggers import Window
from agentops_graph.gathering.rows import picked

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentops_graph.domain.frames import Predictions
    from agentops_graph.gathering.model_measures import ModelCase

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Settled:
    """Rows that the primary metric is judged on, and the stretch of time they are of."""

    rows: Predictions
    window: Window
    share: float  # of the measured window's rows that have a label
    is_old: bool = False  # they lie before the measured window
    is_thin: bool = False  # labels of the window are still coming, and none older will do

    @property
    def note(self) -> str | None:
        """What people have to know of it."""
        name, start, end = self.window.component.metric.name, self.window.start, self.window.end
        if self.is_thin:
            return (
                f"{name}: labels come late, {self.share:.0%} of the window's rows have one so far; "
                "the first ones need not be like the rest, so nothing is judged by them"
            )
        if self.is_old:
            return (
                f"{name}: labels come late, {self.share:.0%} of the window's rows have one so far; "
                f"judged on the rows of {start:%Y-%m-%d %H:%M}..{end:%H:%M} UTC"
            )
        return None


def settled_labels(case: ModelCase, repaired: Callable[[], datetime | None]) -> Settled:
    """The measured window, as long as its labels are in, or never more of them come; else its older
    part or, up to a week back, the newest window that has them.

    How many labels will come is learnt from the log, of every version. A component whose reference
    had no labels is not looked back for, and rows from before it was `repaired` tell nothing new.
    """
    window, needed = case.window, case.window.component.thresholds.drift_min_rows
    share = labelled_share(case.everything)
    present = Settled(case.rows, window, labelled_share(case.rows))
    if window.component.labels_within_s is not None:
        return _as_said(case, present, window.component.labels_within_s, repaired())
    if share >= WHOLE or not len(case.rows) or not _had_labels(case):
        return present
    start, end = window.start.timestamp(), window.end.timestamp()
    until = settled_until(case.rows, start, end)
    if until is not None:
        older = picked(case.rows, stamps_before(case.rows, until))
        if int(np.isfinite(older.label).sum()) >= needed:
            cut = Window(window.component, window.start, datetime.fromtimestamp(until, UTC))
            return Settled(older, cut, present.share)
    return _looked_back(case, present, share, repaired())


def _had_labels(case: ModelCase) -> bool:
    metric, reference = case.window.component.metric, case.reference
    return reference is not None and metric.among(reference.metrics) is not None


def _as_said(case: ModelCase, present: Settled, within_s: float, since: datetime | None) -> Settled:
    """Labels are in after so long, the team says."""
    if present.share >= WHOLE:
        return present
    window, late = case.window, timedelta(seconds=within_s)
    moved = Window(window.component, window.start - late, window.end - late)
    rows = _of_version(case, moved)
    needed = window.component.thresholds.drift_min_rows
    if _is_over(moved, since) or int(np.isfinite(rows.label).sum()) < needed:
        return Settled(case.rows, window, present.share, is_thin=present.share > 0)
    return Settled(rows, moved, present.share, is_old=True)


def _looked_back(
    case: ModelCase, present: Settled, share: float, since: datetime | None
) -> Settled:
    windows, shares, counts = [case.window], [share], [len(case.everything)]
    for moved in _earlier(case.window):
        seen = _share_of(case, moved, counts[0])
        if seen is None:
            continue
        windows.append(moved)
        shares.append(seen[0])
        counts.append(seen[1])
        if is_level(shares, counts):
            break
    full = full_from(shares, counts)
    if full is None and max(shares) == shares[0]:
        return present  # nothing older has more: these are all the labels there will be
    if full == 0:
        return present
    needed = case.window.component.thresholds.drift_min_rows
    for moved in windows[full:] if full is not None else []:
        rows = _of_version(case, moved)
        if not _is_over(moved, since) and int(np.isfinite(rows.label).sum()) >= needed:
            return Settled(rows, moved, present.share, is_old=True)
    return Settled(case.rows, case.window, present.share, is_thin=present.share > 0)


def _is_over(moved: Window, since: datetime | None) -> bool:
    """What the window shows was repaired."""
    return since is not None and moved.start < since


def _earlier(window: Window) -> list[Window]:
    length = window.end - window.start
    moved = [(window.start - back * length, window.end - back * length) for back in BACK]
    near = [ends for ends in moved if window.end - ends[1] <= WEEK]
    return [Window(window.component, start, end) for start, end in near]


def _share_of(case: ModelCase, moved: Window, usual: int) -> tuple[float, int] | None:
    """Labelled share and rows of a window; None where nothing was predicted.

    Rows without labels are read only where there are labels at all: most logs have none, and
    reading every row seven times over would cost more than the look itself.
    """
    name, needed = case.window.component.name, case.window.component.thresholds.drift_min_rows
    labelled = case.warehouse.predictions(name, moved.start, moved.end, labelled=True)
    if len(labelled) < min(needed, WHOLE * usual):
        return (len(labelled) / usual, usual) if usual and len(labelled) else (0.0, usual)
    rows = case.warehouse.predictions(name, moved.start, moved.end)
    return (labelled_share(rows), len(rows)) if len(rows) else None


def _of_version(case: ModelCase, moved: Window) -> Predictions:
    rows = case.warehouse.predictions(case.window.component.name, moved.start, moved.end)
    measured = case.rows.version[-1] if len(case.rows) else None
    return picked(rows, np.array([v == measured for v in rows.version], dtype=bool))
