"""Evidence from the machines around a component: declared figures before and since the onset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.changepoint import onset_of
from agentops_graph.errors import NotEnoughDataError, UnavailableError
from agentops_graph.gathering.case import BEFORE, SLACK, Case, Gatherer, Observed, seen, typed_read

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.record import Scalar

CLEAR = 1.25  # times the level before; less is the daily breath of a machine
FEWEST = 3  # points on either side of the onset that make a level


@dataclass(frozen=True)
class Move:
    """One figure's level before and since the onset, and whether it moved with it."""

    before: float
    after: float
    moved: bool


def infrastructure(case: Case) -> Observed:
    """What each declared figure was before the onset and is since, and which moved with it."""
    around, name = case.ports.surroundings(), case.component.name
    around = None if around is None else case.counted(around, "surroundings")
    start, end = case.window.start - BEFORE, case.window.end
    query = typed_read("figures", start, end, component=name)
    values: dict[str, Scalar] = {}
    told, moved, read = [], [], 0
    for figure in around.figures(name) if around else ():
        try:
            series = around.figure(name, figure, start, end) if around else None
        except (UnavailableError, NotEnoughDataError) as error:
            told.append(f"{figure}: not read: {error}")
            continue
        found = None if series is None else _move(case, series.timestamps, series.columns[figure])
        if found is None:
            told.append(f"{figure}: too few points")
            continue
        read += 1
        values |= {f"{figure}_before": found.before, figure: found.after}
        told.append(f"{figure} {found.before:.3g} -> {found.after:.3g}")
        moved += [figure] if found.moved else []
    signals = {"infrastructure_moved": seen(bool(moved))} if read else {}
    said = "; ".join(told) or "no figure is declared"
    said += f"; moved with the onset: {', '.join(moved)}" if moved else ""
    return Observed("Prometheus", query, said, values, signals, found=read > 0)


INFRASTRUCTURE = Gatherer("infrastructure", "Prometheus", infrastructure)


def _move(case: Case, times: Floats, values: Floats) -> Move | None:
    """Levels are medians, but for a figure that is mostly zero, such as restarts: its mean."""
    since = times >= case.onset.timestamp()
    if since.sum() < FEWEST or (~since).sum() < FEWEST:
        return None
    level = np.median if np.median(np.abs(values)) > 0 else np.mean
    before, after = float(level(values[~since])), float(level(values[since]))
    return Move(before, after, _is_clear(before, after) and _is_timely(case, times, values))


def _is_clear(before: float, after: float) -> bool:
    low, high = sorted((abs(before), abs(after)))
    return high > 0 and (before * after < 0 or high > CLEAR * low)


def _is_timely(case: Case, times: Floats, values: Floats) -> bool:
    """Moved by itself about when the trouble began. Rare events have no level to leave, only
    that they came."""
    if np.median(np.abs(values)) == 0:
        return True
    change = onset_of(times, values)
    if change is None:
        return False
    off = case.onset.timestamp() - change.at
    return abs(off) <= 2 * SLACK.total_seconds()
