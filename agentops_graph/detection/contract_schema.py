"""A contract as a pandera schema: one check a rule, each on a whole column."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from agentops_graph.detection.shapes import matching

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agentops_graph.detection.typed import Typed
    from agentops_graph.domain.contract import ColumnRule, Contract


def schema_of(contract: Contract) -> Any:
    """The `pandera.pandas.DataFrameSchema` of a contract, for use in a pipeline of your own.

    `schema_of(contract).validate(table, lazy=True)` raises pandera's `SchemaErrors` with every
    failing cell. Rates, units, renames, duplicates and freshness are facts of a whole batch and no
    part of it; `checked` judges these too.
    """
    import pandera.pandas as pa  # noqa: PLC0415 - slow to import

    columns = {
        name: pa.Column(
            checks=list(checks_of(rule).values()), nullable=rule.nullable, required=rule.required
        )
        for name, rule in contract.columns.items()
    }
    return pa.DataFrameSchema(columns, strict=not contract.more_columns, name=contract.name)


def checks_of(rule: ColumnRule) -> dict[str, Any]:
    """The pandera checks of a column's cells, by the kind of breach that they find."""
    import pandera.pandas as pa  # noqa: PLC0415 - slow to import

    checks: dict[str, Any] = {}
    if rule.range is not None and rule.dtype in ("number", "integer"):
        checks["out_of_range"] = pa.Check.in_range(*rule.range, name="out_of_range")
    if rule.dtype == "text" and rule.categories is not None:
        checks["unseen_category"] = pa.Check(
            partial(_known, categories=frozenset(rule.categories)), name="unseen_category"
        )
    elif rule.dtype == "text" and rule.formats:
        checks["off_format"] = pa.Check(
            partial(_formed, formats=rule.formats), name="off_format", error="none of the formats"
        )
    return checks


def failing(rule: ColumnRule, column: Typed) -> dict[str, NDArray[np.bool_]]:
    """Per kind of breach, the rows of a typed column whose cell fails; missing ones don't.

    Each check runs on the column as pandera runs it, but pandera's table of failing cells is not
    made: of a batch that is wrong all over it costs a hundred times the check.
    """
    import pandas as pd  # noqa: PLC0415 - slow to import

    found: dict[str, NDArray[np.bool_]] = {}
    for kind, check in checks_of(rule).items():
        if rule.dtype == "text":
            # Distinct texts are few: each is judged once.
            held = check(pd.Series(column.texts, dtype=object)).check_output
            mask = column.among(~np.asarray(held, dtype=np.bool_))
        else:
            known = np.isfinite(column.numbers)
            held = check(pd.Series(column.numbers[known])).check_output
            mask = known.copy()
            mask[known] = ~np.asarray(held, dtype=np.bool_)
        if mask.any():
            found[kind] = mask
    return found


def _known(texts: Any, *, categories: frozenset[str]) -> Any:
    return texts.isin(categories)


def _formed(texts: Any, *, formats: tuple[str, ...]) -> Any:
    distinct = dict.fromkeys(texts.dropna().astype(str), 1)
    return texts.isin(set(matching(formats, distinct)))
