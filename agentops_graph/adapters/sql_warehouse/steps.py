"""The statements that count a window: from a row's JSON to the cells of its features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from sqlglot import exp

from agentops_graph.adapters.sql_warehouse.asking import count
from agentops_graph.adapters.sql_warehouse.dialect import Dialect, figure, placeholder
from agentops_graph.adapters.sql_warehouse.windows import Stretch
from agentops_graph.domain.profile import Cells

if TYPE_CHECKING:
    from agentops_graph.adapters.sql_warehouse.session import Bound, Rows
    from agentops_graph.domain.profile import FeatureProfile, ReferenceProfile

MARGIN = 0.25  # of the reference's span, as for rows
MOST_WORDS = 2000  # of one feature, the most frequent; a reference has 1000 at most
MOST_SETS = 100  # that one statement groups by; Snowflake takes 128
OUTPUT_COLUMNS = {"prediction": "prediction", "label": "actual_label"}


@dataclass(frozen=True)
class Steps:
    """From a row's JSON to the cell of each of its features, one step around the other."""

    dialect: Dialect
    stretch: Stretch
    reference: ReferenceProfile | None

    @cached_property
    def counted(self) -> dict[str, tuple[float, ...]]:
        """Edges by feature; outputs that are numbers stand behind the features."""
        if self.reference is None:
            return {}
        profiles = dict(self.reference.features)
        profiles |= {f"\0{name}": self.reference.outputs[name] for name in self.outputs}
        return {name: _edges(profile) for name, profile in profiles.items()}

    @cached_property
    def outputs(self) -> list[str]:
        if self.reference is None:
            return []
        layout = self.stretch.layout
        return [n for n in self.reference.outputs if not layout.is_text(OUTPUT_COLUMNS[n])]

    @cached_property
    def worded(self) -> list[str]:
        return list(self.reference.categories) if self.reference else []

    @cached_property
    def bound(self) -> Bound:
        """Every value of every step; a driver takes those that its statement names."""
        names = {f"p_f{n}": name for n, name in enumerate(self.counted) if name[0:1] != "\0"}
        words = {f"p_w{n}": name for n, name in enumerate(self.worded)}
        return self.stretch.bound | names | words

    def _rows(self, *more: exp.Expr) -> exp.Select:
        layout = self.stretch.layout
        document = self.dialect.piece(self.dialect.document, layout.column("features"))
        return self.stretch.select(exp.alias_(document, "doc"), *more)

    def _over(self, inner: exp.Select, *columns: exp.Expr | str) -> exp.Select:
        # Postgres would put the inner expressions wherever the outer ones use them.
        kept = inner.offset(0) if self.dialect.keeps_steps else inner
        return exp.select(*columns).from_(kept.subquery("step"))

    def _values(self) -> exp.Select:
        """One column `v0`, `v1` .. per counted feature, with what the summary needs."""
        layout, dialect = self.stretch.layout, self.dialect
        own = [("failed", layout.text("prediction")), ("ms", layout.number("latency_ms"))]
        numbers = {n: f"v{i}" for i, n in enumerate(self.counted)}
        outside = {f"\0{n}": layout.number(OUTPUT_COLUMNS[n]) for n in self.outputs}
        taken = [exp.alias_(outside[n], v) for n, v in numbers.items() if n in outside]
        rows = self._rows(*(exp.alias_(value, name) for name, value in own), *taken)
        inside = [(n, v) for n, v in numbers.items() if n not in outside]
        carried = ["failed", "ms", *(numbers[n] for n in outside)]
        members = [exp.alias_(self._member(f"f{v[1:]}"), f"j{v[1:]}") for _, v in inside]
        parsed = self._over(rows, *carried, *members)
        values = [exp.alias_(dialect.piece(dialect.number, f"j{v[1:]}"), v) for _, v in inside]
        return self._over(parsed, *carried, *values)

    def _member(self, name: str) -> exp.Expr:
        return self.dialect.piece(self.dialect.member, exp.column("doc"), placeholder(name))

    def summary(self) -> exp.Select:
        """Rows, failed, anomalous, known latencies; then low and high of each counted feature."""
        ends = [
            exp.func(end, exp.Case().when(is_known(exp.column(v)), exp.column(v)))
            for v in (f"v{i}" for i in range(len(self.counted)))
            for end in ("MIN", "MAX")
        ]
        return self._over(
            self._values(),
            exp.func("COUNT", exp.Star()),
            _sum(self._fails()),
            _sum(self._outside()),
            _sum(is_known(exp.column("ms"))),
            *ends,
        )

    def _fails(self) -> exp.Expr:
        """A prediction that is NULL, or empty text, or no number."""
        column, bad = exp.column("failed"), ("", "NaN", "Infinity", "-Infinity", "nan", "inf")
        empty = exp.In(this=column.copy(), expressions=[exp.Literal.string(b) for b in bad])
        return exp.or_(column.is_(exp.null()), empty)

    def _outside(self) -> exp.Expr:
        """A feature beyond the reference's range widened by a quarter."""
        found: list[exp.Expr] = []
        profiles = self.reference.features if self.reference else {}
        for number, name in enumerate(self.counted):
            profile = profiles.get(name)
            if profile is None or not profile.quantiles:
                continue
            low, high = profile.quantiles[0], profile.quantiles[-1]
            margin, value = MARGIN * (high - low), exp.column(f"v{number}")
            found.append(exp.LT(this=value, expression=figure(low - margin)))
            found.append(exp.GT(this=value.copy(), expression=figure(high + margin)))
        return exp.or_(*found) if found else exp.false()

    def cells(self, numbers: Sequence[int]) -> exp.Select:
        """Number of the feature, its cell, and the rows in it; of the features so numbered."""
        edges = list(self.counted.values())
        columns = [
            exp.alias_(self.dialect.cell(f"v{number}", edges[number]), f"c{number}")
            for number in numbers
        ]
        return self._grouped(self._over(self._values(), *columns), numbers)

    def words(self, numbers: Sequence[int]) -> exp.Select:
        """Number of the feature, a word of it (NULL for all others), and the rows with it."""
        members = [exp.alias_(self._member(f"w{n}"), f"j{n}") for n in numbers]
        parsed = self._over(self._rows(), *members)
        texts = [self.dialect.piece(self.dialect.word, f"j{n}") for n in numbers]
        nothing = exp.Literal.string("")
        words = [
            exp.alias_(exp.func("COALESCE", text, nothing.copy()), f"c{n}")
            for n, text in zip(numbers, texts, strict=True)
        ]
        grouped = self._grouped(self._over(parsed, *words), numbers)
        order = exp.Order(
            expressions=[exp.Ordered(this=exp.column("n"), desc=True), exp.column("cell")]
        )
        turn = exp.Window(
            this=exp.func("ROW_NUMBER"), partition_by=[exp.column("which")], order=order
        )
        ranked = exp.select("which", "cell", "n", exp.alias_(turn, "turn"))
        ranked = ranked.from_(grouped.subquery("counted"))
        kept = exp.Case().when(f"turn <= {MOST_WORDS}", exp.column("cell"))
        return (
            exp.select("which", exp.alias_(kept, "word"), exp.alias_("SUM(n)", "n"))
            .from_(ranked.subquery("ranked"))
            .group_by("which", kept.copy())
        )

    def _grouped(self, inner: exp.Select, numbers: Sequence[int]) -> exp.Select:
        """One pass for all columns: every set groups by one of them, and leaves the others NULL."""
        names = [f"c{number}" for number in numbers]
        sets = exp.GroupingSets(expressions=[exp.Tuple(expressions=[exp.column(n)]) for n in names])
        each = exp.select(*names, exp.alias_("COUNT(*)", "n")).from_(inner.subquery("placed"))
        each.set("group", exp.Group(grouping_sets=[sets]))
        which = exp.Case()
        for number, name in zip(numbers, names, strict=True):
            which = which.when(f"NOT {name} IS NULL", exp.Literal.number(number))
        cells = [exp.column(name) for name in names]
        cell = exp.func("COALESCE", *cells) if len(cells) > 1 else cells[0]
        chosen = exp.select(exp.alias_(which, "which"), exp.alias_(cell, "cell"), "n")
        return chosen.from_(each.subquery("sets"))

    def cells_of(self, counts: Mapping[int, Rows], summary: tuple[object, ...]) -> dict[str, Cells]:
        found = {}
        for number, (name, edges) in enumerate(self.counted.items()):
            placed = np.zeros(len(edges) + 2, dtype=np.int64)
            for cell, rows in counts.get(number, []):
                placed[min(count(cell), len(edges) + 1)] += count(rows)
            low, high = summary[4 + 2 * number : 6 + 2 * number]
            found[name] = Cells(
                edges=edges,
                counts=tuple(placed[:-1].tolist()),
                missing=int(placed[-1]),
                low=None if low is None else float(low),  # type: ignore[arg-type]
                high=None if high is None else float(high),  # type: ignore[arg-type]
            )
        return found


def _edges(profile: FeatureProfile) -> tuple[float, ...]:
    return profile.edges if profile.cells is None else profile.cells.edges


def is_known(column: exp.Expr) -> exp.Expr:
    """Neither missing nor NaN nor infinite; in both databases NaN is above every number."""
    return exp.LTE(this=exp.func("ABS", column.copy()), expression=exp.Var(this="1e75"))


def _sum(condition: exp.Expr) -> exp.Expr:
    one, none = exp.Literal.number(1), exp.Literal.number(0)
    return exp.func("SUM", exp.Case().when(condition, one).else_(none))
