"""Infers a contract from a reference batch: a first draft that people edit."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from agentops_graph.detection.duplicates import repeated, repeats
from agentops_graph.detection.shapes import known_format, learnt
from agentops_graph.detection.typed import as_texts, has_padding, typed
from agentops_graph.domain.contract import ColumnRule, Contract, Freshness
from agentops_graph.errors import InputError, NotEnoughDataError

if TYPE_CHECKING:
    from datetime import datetime

    from agentops_graph.detection.typed import Typed
    from agentops_graph.domain.contract import ColumnType
    from agentops_graph.domain.frames import Floats

FEWEST_ROWS = 30
SURE_ROWS = 100  # none missing in so many: surely fewer than 3% are (rule of three)
MOST_CATEGORIES = 50  # longer lists are of things that come and go
NEW_CATEGORY = 0.005  # chance that the next value is a new one; above it they are no fixed set
OFTEN = 5  # rows per category, on average, that make a set of them
MARGIN = 0.25  # of the span, on either side of the seen range
ALLOWED = 0.001  # of the rows; a range that was seen once is no law
LEVELS = 21  # quantiles, 5% apart
SAMPLE = 1000  # distinct texts that rule a type out
LARGEST = 1e300  # beyond it differences overflow
MOSTLY = 0.95  # of the cells that have to be of a type
DENSE = 20  # ids that were counted up leave few numbers out
KEY_NAME = re.compile(r"(^|[_\W])(id|key|uuid|guid)$|[a-z](Id|ID|Key|Uuid)$", re.IGNORECASE)
TYPES: tuple[ColumnType, ...] = ("boolean", "integer", "number", "time")


def inferred(table: Any, name: str, *, arrived_at: datetime | None = None) -> Contract:
    """The contract of a table that is known to be good; values may all be text.

    Raises NotEnoughDataError for fewer than 30 rows, InputError for a table without columns or
    with one name twice.
    """
    if not len(table.columns):
        raise InputError("the reference batch has no column", field=name)
    if table.columns.duplicated().any():
        twice = str(table.columns[table.columns.duplicated()][0])
        raise InputError(f"the column {twice} stands twice; rename one of them", field=name)
    if len(table) < FEWEST_ROWS:
        raise NotEnoughDataError(
            f"{len(table)} rows make no contract; give a reference batch of {FEWEST_ROWS} rows or "
            "more, better some thousands"
        )
    rules: dict[str, ColumnRule] = {}
    columns: dict[str, Typed] = {}
    for column in table.columns:
        rule, values = _rule(table[column])
        rules[str(column)], columns[str(column)] = rule, values
    keys = tuple((key,) for key in columns if _is_key(key, rules[key], columns[key]))
    for (key,) in keys:
        # An id goes on where the last batch ended.
        rules[key] = rules[key].model_copy(update={"range": None, "quantiles": ()})
    again = 0.0 if keys else float(repeated(columns.values(), len(table)).mean())
    return Contract(
        name=name,
        rows=len(table),
        allowed_rate=ALLOWED,
        columns=rules,
        keys=keys,
        duplicate_rate=again,
        freshness=_freshness(rules, columns, arrived_at),
    )


def _rule(column: Any) -> tuple[ColumnRule, Typed]:
    dtype, values = _best_type(column)
    missing = float(values.missing.mean())
    some: dict[str, Any] = {
        "dtype": dtype,
        "nullable": missing > 0 or len(values.missing) < SURE_ROWS,
        "null_rate": _rounded(missing),
    }
    if missing == 1:
        return ColumnRule(**some), values
    if dtype == "text":
        return ColumnRule(**some, **_text_rule(values)), values
    if dtype in ("number", "integer"):
        some |= _number_rule(values.numbers[np.isfinite(values.numbers)])
    return ColumnRule(**some), values


def _best_type(column: Any) -> tuple[ColumnType, Typed]:
    from pandas.api import types  # noqa: PLC0415 - slow to import

    if types.is_bool_dtype(column.dtype):
        return "boolean", typed(column, "boolean")
    if types.is_datetime64_any_dtype(column.dtype):
        return "time", typed(column, "time")
    if types.is_numeric_dtype(column.dtype) and not types.is_complex_dtype(column.dtype):
        whole = typed(column, "integer")
        return ("number", typed(column, "number")) if whole.wrong.any() else ("integer", whole)
    return _best_of_texts(column)


def _best_of_texts(column: Any) -> tuple[ColumnType, Typed]:
    """Numbers and times may come as text, as in a CSV."""
    import pandas as pd  # noqa: PLC0415 - slow to import

    _, texts, _ = as_texts(column)
    some = pd.Series(texts[:SAMPLE], dtype=object)
    for dtype in TYPES:
        if dtype != "time" and any(map(has_padding, texts)):
            continue  # 007 is a name and no number
        if typed(some, dtype).wrong.sum() > len(some) / 2:
            continue
        values = typed(column, dtype)
        held = int((~values.missing).sum())
        if dtype == "boolean" and len({t.strip().casefold() for t in texts} - {"0", "1"}) < 2:
            continue
        if held and values.wrong.sum() <= (1 - MOSTLY) * held:
            return dtype, values
    return "text", typed(column, "text")


def _number_rule(finite: Floats) -> dict[str, Any]:
    if not len(finite):
        return {}
    finite = np.clip(finite, -LARGEST, LARGEST)
    points = np.quantile(finite, np.linspace(0, 1, LEVELS))
    return {"range": _range(finite), "quantiles": tuple(float(f"{p:.6g}") for p in points)}


def _text_rule(values: Typed) -> dict[str, Any]:
    counts = {text: n for text, n in values.counts().items() if n}
    total = sum(counts.values())
    once = Counter(counts.values())[1]
    # Good, Biometrika 40 (1953): the share of values seen once is the chance of a new one; one
    # more is added, because none seen once is no proof of none to come.
    fixed = len(counts) * OFTEN <= total and once <= NEW_CATEGORY * total
    # A time that was never seen is still a time.
    fixed = fixed and len(counts) <= MOST_CATEGORIES and known_format(counts) is None
    if fixed and total >= FEWEST_ROWS:
        return {
            "categories": tuple(sorted(counts)),
            "new_category_rate": _rounded((once + 1) / total),
        }
    formats = learnt(counts)
    if formats is None:
        return {}
    return {"formats": formats.expressions, "off_format": _rounded(formats.off)}


def _range(values: Floats) -> tuple[float, float]:
    """The seen range and a quarter more, or twice of it where the tail is long.

    What was never negative stays so, and shares stay shares.
    """
    low, high = float(values.min()), float(values.max())
    margin = MARGIN * (high - low)
    if low == high:
        margin = abs(low)
    # The largest value of a long tail says little of the next one: then twice as far is usual.
    bulk_low, bulk_high = np.quantile(values, [0.05, 0.95])
    tail_low, tail_high = (
        high - low if gap > bulk_high - bulk_low else margin
        for gap in (bulk_low - low, high - bulk_high)
    )
    below = max(low - tail_low, 0.0) if low >= 0 else low - tail_low
    above = high + tail_high
    if low >= 0 and high <= 1 and high - low > 0.5:
        above = 1.0
    elif high <= 0:
        above = min(above, 0.0)
    return float(f"{below:.6g}"), float(f"{above:.6g}")


def _is_key(name: str, rule: ColumnRule, values: Typed) -> bool:
    if rule.dtype not in ("integer", "text") or len(values.missing) < SURE_ROWS:
        return False
    if values.missing.any() or values.wrong.any():
        return False
    marks = values.numbers if rule.dtype == "integer" else values.codes
    if repeats(marks).any():
        return False
    if rule.dtype == "integer" and float(np.ptp(marks)) < DENSE * len(marks):
        return True
    return KEY_NAME.search(name) is not None


def _freshness(
    rules: dict[str, ColumnRule], columns: dict[str, Typed], arrived_at: datetime | None
) -> Freshness | None:
    """Twice as late as the reference came, when it came about as late as it is long."""
    if arrived_at is None:
        return None
    for name, rule in rules.items():
        if rule.dtype != "time" or rule.null_rate == 1:
            continue
        times = columns[name].numbers[np.isfinite(columns[name].numbers)]
        span, lag = float(np.ptp(times)), arrived_at.timestamp() - float(times.max())
        if 0 <= lag <= 3 * max(span, 3600.0):
            return Freshness(column=name, max_age_s=float(round(2 * (lag + max(span, 3600.0)))))
    return None


def _rounded(share: float) -> float:
    return min(1.0, float(f"{share:.4g}"))
