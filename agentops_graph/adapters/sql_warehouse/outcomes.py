"""How often each prediction met each label, counted in the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlglot import exp

from agentops_graph.adapters.sql_warehouse.asking import count
from agentops_graph.domain.classes import class_code
from agentops_graph.domain.profile import Cells

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentops_graph.adapters.sql_warehouse.dialect import Dialect
    from agentops_graph.adapters.sql_warehouse.session import Session
    from agentops_graph.adapters.sql_warehouse.windows import Stretch
    from agentops_graph.domain.metric import Metric
    from agentops_graph.domain.profile import FeatureProfile, ReferenceProfile

CLASSES = ("binary", "multiclass")
MOST_PAIRS = 10_000  # more are no classes
LONGEST = 200  # characters of a class's name


@dataclass(frozen=True)
class Outcomes:
    """Rows by prediction and label, NaN where one is missing."""

    pairs: dict[tuple[float, float], int]

    @property
    def both(self) -> dict[tuple[float, float], int]:
        """Those with a prediction and a label."""
        return {pair: rows for pair, rows in self.pairs.items() if np.isfinite(pair).all()}

    def of(self, place: int) -> Iterator[tuple[float, int]]:
        return ((pair[place], rows) for pair, rows in self.pairs.items())


def outcomes_of(
    session: Session, dialect: Dialect, stretch: Stretch, metric: Metric
) -> Outcomes | None:
    """None for a model whose outputs are no classes."""
    if metric.task not in CLASSES:
        return None
    layout = stretch.layout
    names = ("prediction", "actual_label")
    parts = [layout.text(n, LONGEST) if layout.is_text(n) else layout.number(n) for n in names]
    rows = stretch.select(exp.alias_(parts[0], "called"), exp.alias_(parts[1], "labelled"))
    query = exp.select("called", "labelled", exp.alias_("COUNT(*)", "n"))
    query = query.from_(rows.subquery("outcomes")).group_by("called", "labelled")
    found = session.read(dialect.statement(query.limit(MOST_PAIRS + 1)), stretch.bound)
    if len(found) > MOST_PAIRS:
        return None
    pairs: dict[tuple[float, float], int] = {}
    for called, labelled, many in found:
        pair = (_code(called), _code(labelled))
        # No NaN equals another, but each of a pair is one object here.
        pairs[pair] = pairs.get(pair, 0) + count(many)
    return Outcomes(pairs)


NAN = float("nan")


def _code(value: object) -> float:
    found = class_code(value)
    return found if abs(found) <= 1e75 else NAN


def output_cells(outcomes: Outcomes, reference: ReferenceProfile, rows: int) -> dict[str, Cells]:
    """The predictions and labels over the cells of the reference's."""
    places = {"prediction": 0, "label": 1}
    return {
        name: _cells(profile, list(outcomes.of(places[name])), rows)
        for name, profile in reference.outputs.items()
    }


def _cells(profile: FeatureProfile, values: list[tuple[float, int]], rows: int) -> Cells:
    edges = profile.edges if profile.cells is None else profile.cells.edges
    placed = np.zeros(len(edges) + 1, dtype=np.int64)
    known = [(value, many) for value, many in values if np.isfinite(value)]
    for value, many in known:
        placed[np.searchsorted(np.asarray(edges), value, side="left")] += many
    seen = [value for value, _ in known]
    return Cells(
        edges=edges,
        counts=tuple(placed.tolist()),
        missing=rows - int(placed.sum()),
        low=min(seen, default=None),
        high=max(seen, default=None),
    )
