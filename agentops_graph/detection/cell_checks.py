"""Checks the cells of one column: missing, wrong, out of range, in another unit, off format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.contract_schema import failing
from agentops_graph.detection.typed import shown
from agentops_graph.detection.units import mixed_in, unit_change
from agentops_graph.detection.violations import excess

if TYPE_CHECKING:
    from agentops_graph.detection.typed import Mask, Typed
    from agentops_graph.detection.units import KnownMap
    from agentops_graph.detection.violations import Violations
    from agentops_graph.domain.contract import BreachKind, ColumnRule, Contract

EXAMPLES = 3
RARE = 0.01  # what is usual in fewer rows than that is not taken off the count
FEWEST_FOR_UNITS = 200  # rows; as for drift, fewer say too little of a whole distribution
UNIT_ROWS = 100_000  # a sample of them places the quantiles closely enough


@dataclass(frozen=True)
class Seen:
    """The figures of one column: exact counts, and missing cells beyond what was usual."""

    missing: int
    excess_missing: float
    unseen: int


def judge_column(found: Violations, contract: Contract, name: str, column: Typed) -> Seen:
    """Writes down what is wrong with a column's cells."""
    rule = contract.columns[name]
    missing = int(column.missing.sum())
    over = _missing(found, contract, name, column.missing, missing)
    if column.wrong.any():
        said = f"{name}: {int(column.wrong.sum())} values are no {rule.dtype}"
        found.keep("wrong_type", column.wrong, said, column=name)
    unit = _unit(found, rule, name, column)
    outside = failing(rule, column)
    if "out_of_range" in outside and unit is None:
        _range(found, rule, name, column, outside["out_of_range"])
    unseen = outside.get("unseen_category")
    if unseen is not None:
        said = "{count} rows with values never seen, such as {example}"
        _texts(
            found, contract, (name, "unseen_category", rule.new_category_rate), column, unseen, said
        )
    if "off_format" in outside:
        said = "{count} values off the format, such as {example}"
        mask = outside["off_format"]
        _texts(found, contract, (name, "off_format", rule.off_format), column, mask, said)
    return Seen(missing, over * missing, 0 if unseen is None else int(unseen.sum()))


def _missing(found: Violations, contract: Contract, name: str, mask: Mask, count: int) -> float:
    """Returns the share of the missing cells that is more than usual."""
    rule, rows = contract.columns[name], max(found.rows, 1)
    weight = 1.0
    if rule.nullable:
        weight = excess(count, rows, rule.null_rate, contract.rows, len(contract.columns))
    usually = f"usually {rule.null_rate:.1%}" if rule.nullable else "none may be"
    said = f"{name}: {count / rows:.1%} missing, {usually}"
    if count and (weight > 0 or not rule.nullable):
        found.keep("missing_values", mask, said, column=name, weight=weight, usual=rule.null_rate)
    return weight if count else 0.0


def _unit(found: Violations, rule: ColumnRule, name: str, column: Typed) -> KnownMap | None:
    if rule.dtype not in ("number", "integer") or found.rows < FEWEST_FOR_UNITS:
        return None
    values = column.numbers[:: max(1, len(column.numbers) // UNIT_ROWS)]
    if np.isfinite(values).sum() < FEWEST_FOR_UNITS:
        return None
    unit = unit_change(rule.quantiles, values)
    if unit is not None:
        was = f" (the contract says {rule.unit})" if rule.unit else ""
        said = f"{name} is {times(unit)}: unit changed, such as {unit.meaning}?{was}"
        found.keep("unit_change", ~column.missing, said, column=name)
    return unit


def times(known: KnownMap) -> str:
    """A map in words: "100 times what it was"."""
    if known.shift:
        scale = "" if known.scale == 1 else f"{known.scale:.3g} times "
        return f"{scale}what it was {'plus' if known.shift > 0 else 'minus'} {abs(known.shift):.4g}"
    if known.scale == -1:
        return "of the other sign than it was"
    if 0 < known.scale < 1 and abs(1 / known.scale - round(1 / known.scale)) < 1e-9:
        return f"a {round(1 / known.scale)}th of what it was"
    return f"{known.scale:.6g} times what it was"


def _range(found: Violations, rule: ColumnRule, name: str, column: Typed, mask: Mask) -> None:
    low, high = rule.range or (0.0, 0.0)
    said = f"{name}: {int(mask.sum())} values outside {low:g} .. {high:g}"
    mixed = mixed_in(rule.quantiles, column.numbers[mask])
    if mixed is not None:
        said += f"; they are {times(mixed)}: another unit in a part, such as {mixed.meaning}?"
    found.keep("out_of_range", mask, said, column=name, examples=_examples(column, mask))


def _texts(
    found: Violations,
    contract: Contract,
    what: tuple[str, BreachKind, float],
    column: Typed,
    mask: Mask,
    said: str,
) -> None:
    """Texts that are not of the usual ones: each is wrong, but for the share that always was."""
    name, kind, usual = what
    count, weight = int(mask.sum()), 1.0
    if usual:
        weight = excess(count, found.rows, usual, contract.rows, len(contract.columns))
    if usual < RARE and weight:
        weight = 1.0
    examples = _examples(column, mask)
    summary = f"{name}: {said.format(count=count, example=examples[0])}"
    found.keep(kind, mask, summary, column=name, weight=weight, usual=usual, examples=examples)
    found.flagged |= mask


def _examples(column: Typed, mask: Mask) -> tuple[str, ...]:
    """The first distinct values among these rows."""
    if not len(column.codes):
        return tuple(dict.fromkeys(shown(float(v)) for v in column.numbers[mask][:100]))[:EXAMPLES]
    codes = dict.fromkeys(column.codes[mask][:1000].tolist())
    return tuple(shown(column.texts[code]) for code in list(codes)[:EXAMPLES])
