"""Counts a window where it lies: four statements, whose answers don't grow with its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from agentops_graph.adapters.sql_warehouse.asking import count
from agentops_graph.adapters.sql_warehouse.dialect import Dialect
from agentops_graph.adapters.sql_warehouse.outcomes import outcomes_of, output_cells
from agentops_graph.adapters.sql_warehouse.steps import MOST_SETS, Steps, is_known
from agentops_graph.adapters.sql_warehouse.windows import Stretch
from agentops_graph.detection.intervals import percentile_rank
from agentops_graph.domain.categories import word_of
from agentops_graph.domain.profile import CategoryProfile
from agentops_graph.domain.tally import Latencies, Tally
from agentops_graph.warehouse.features import NOTHING

if TYPE_CHECKING:
    from agentops_graph.adapters.sql_warehouse.session import Rows, Session
    from agentops_graph.domain.metric import Metric
    from agentops_graph.domain.profile import ReferenceProfile

OTHERS = "(other values)"
PERCENTILES = (50, 95, 99)


@dataclass(frozen=True)
class Counting:
    """Tallies of one database."""

    session: Session
    dialect: Dialect

    def of(self, stretch: Stretch, reference: ReferenceProfile | None, metric: Metric) -> Tally:
        steps = Steps(self.dialect, stretch, reference)
        summary = self._ask(steps.summary(), steps)[0]
        outcomes = outcomes_of(self.session, self.dialect, stretch, metric)
        counts = self._by_feature(steps, steps.cells, len(steps.counted))
        words = self._by_feature(steps, steps.words, len(steps.worded))
        features = steps.cells_of(counts, summary)
        outputs = {name: features.pop(f"\0{name}") for name in steps.outputs}
        if outcomes is not None and reference is not None:
            outputs |= output_cells(outcomes, reference, count(summary[0]))
        return Tally(
            rows=count(summary[0]),
            failed=count(summary[1] or 0),
            anomalous=count(summary[2] or 0),
            features=features,
            categories=_categories(steps, words, count(summary[0])),
            outputs=outputs,
            latency=self._latency(stretch, count(summary[3] or 0)),
            outcomes=None if outcomes is None else outcomes.both,
        )

    def _by_feature(
        self, steps: Steps, query: Callable[[Sequence[int]], exp.Select], width: int
    ) -> dict[int, Rows]:
        parts = [range(n, min(n + MOST_SETS, width)) for n in range(0, width, MOST_SETS)]
        return _by_number([row for part in parts for row in self._ask(query(part), steps)])

    def _ask(self, query: exp.Select, steps: Steps) -> Rows:
        return self.session.read(self.dialect.statement(query), steps.bound)

    def _latency(self, stretch: Stretch, rows: int) -> Latencies | None:
        if not rows:
            return None
        value = stretch.layout.number("latency_ms")
        known = stretch.select(exp.alias_(value, "ms")).subquery("known")
        levels = [p / 100 for p in PERCENTILES]
        parts = [_percentile(exp.PercentileCont, level) for level in levels]
        rank = percentile_rank(rows, 0.99)
        if rank is not None:
            parts.append(_percentile(exp.PercentileDisc, (rank - 0.5) / rows))
        query = exp.select(exp.func("AVG", exp.column("ms")), *parts).from_(known)
        query = query.where(is_known(exp.column("ms")))
        row = self.session.read(self.dialect.statement(query), stretch.bound)[0]
        mean, *values = (float(v) for v in row)
        names = {f"latency_p{p}": v for p, v in zip(PERCENTILES, values[:3], strict=True)}
        return Latencies(rows, mean, names, values[3] if rank is not None else None)


def _percentile(kind: type[exp.Expr], level: float) -> exp.Expr:
    order = exp.Order(expressions=[exp.column("ms")])
    share = exp.Literal.number(f"{level:.17f}")
    return exp.WithinGroup(this=kind(this=share), expression=order)


def _by_number(rows: Rows) -> dict[int, Rows]:
    found: dict[int, Rows] = {}
    for which, cell, many in rows:
        found.setdefault(count(which), []).append((cell, many))
    return found


def _categories(steps: Steps, words: Mapping[int, Rows], rows: int) -> dict[str, CategoryProfile]:
    if steps.reference is None:
        return {}
    return {
        name: _category(steps.reference.categories[name], words.get(number, []), rows)
        for number, name in enumerate(steps.worded)
    }


def _category(known: CategoryProfile, words: Rows, rows: int) -> CategoryProfile:
    counts: dict[str, int] = {}
    for word, many in words:
        name = OTHERS if word is None else _spelled(known, str(word))
        if name is not None:
            counts[name] = counts.get(name, 0) + count(many)
    return CategoryProfile(
        counts=dict(sorted(counts.items())), missing=max(0, rows - sum(counts.values()))
    )


def _spelled(known: CategoryProfile, word: str) -> str | None:
    """As rows spell it: numbers in one form; None for what says that there is no value."""
    if word.strip().casefold() in NOTHING:
        return None
    if word in known.counts:
        return word
    try:
        return word_of(float(word)) or word
    except ValueError:
        return word
