"""Where Postgres and Snowflake say the same thing in other words; sqlglot writes out the rest."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlglot import exp, parse_one

LARGEST = "1e75"  # as for rows: what is larger is no measurement
WORD = 300  # characters of a category
LONGEST_FEATURES = 65_536  # characters of one row's
PLACEHOLDER = re.compile(r"(?<![:\w]):(p_\w+)")
TEXT_TYPES = ("char", "text", "string")


@dataclass(frozen=True)
class Dialect:
    """The words of one database, each a template over `{}`."""

    name: str
    moment: str  # a column as a moment, however it was stored
    micros: str  # of a moment, since the epoch
    document: str  # a column as JSON
    member: str  # `{1}` of the JSON `{0}`
    number: str  # of a member, NULL when it is none
    word: str  # of a member, NULL when it is missing
    text_number: str  # of a text
    types: Mapping[type, str]
    json_type: str
    time_type: str
    json_value: str  # of a text, for an insert
    keeps_steps: bool  # a step has to be kept from being computed once for each of its uses
    buckets: bool  # has WIDTH_BUCKET over a list of edges

    def piece(self, template: str, *parts: exp.Expr | str) -> exp.Expr:
        """One template, filled."""
        filled = template.format(*(p if isinstance(p, str) else self.sql(p) for p in parts))
        return parse_one(filled, dialect=self.name)

    def sql(self, expression: exp.Expr) -> str:
        return expression.sql(dialect=self.name)

    def statement(self, expression: exp.Expr) -> str:
        """For a cursor that takes `%(name)s`."""
        text = re.sub(r"%\((p_\w+)\)s", r":\1", self.sql(expression)).replace("%", "%%")
        return PLACEHOLDER.sub(r"%(\1)s", text)

    def cell(self, value: str, edges: Sequence[float]) -> exp.Expr:
        """How many of the rising edges lie below the value; one more than the cells when it is
        missing."""
        column = exp.column(value)
        known = self._bucket(value, edges) if self.buckets else _halved(column, edges, 0)
        case = exp.Case().when(column.copy().is_(exp.null()), exp.Literal.number(len(edges) + 1))
        return case.else_(known)

    def _bucket(self, value: str, edges: Sequence[float]) -> exp.Expr:
        if not edges:
            return exp.Literal.number(0)
        turned = ", ".join(f"CAST({_figure(-edge)} AS DOUBLE PRECISION)" for edge in edges[::-1])
        return self.piece(f"{len(edges)} - WIDTH_BUCKET(-{value}, ARRAY[{turned}])")

    @cached_property
    def integer(self) -> str:
        return self.types[int]


def placeholder(name: str) -> exp.Placeholder:
    """A value that is bound, never written into the statement."""
    return exp.Placeholder(this=f"p_{name}")


def quoted(name: str) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True))


def figure(value: float) -> exp.Expr:
    """A number as the database reads it back to the last bit."""
    return exp.Var(this=_figure(value))


def _figure(value: float) -> str:
    shown = repr(float(value))
    return shown if "e" in shown else f"{shown}e0"  # without an exponent it is a decimal


def _halved(value: exp.Expr, edges: Sequence[float], below: int) -> exp.Expr:
    """A search by halves: seven comparisons for 128 cells."""
    if not edges:
        return exp.Literal.number(below)
    middle = len(edges) // 2
    upto = exp.LTE(this=value.copy(), expression=figure(edges[middle]))
    left = _halved(value, edges[:middle], below)
    right = _halved(value, edges[middle + 1 :], below + middle + 1)
    return exp.Case().when(upto, left).else_(right)


_NUMERAL = r"'^\s*[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{{1,2}})?\s*$'"
_TEXT_NUMBER = (
    f"CASE WHEN {{0}} ~ {_NUMERAL} THEN CASE WHEN ABS(CAST({{0}} AS NUMERIC)) <= {LARGEST} "
    "THEN CAST(CAST({0} AS NUMERIC) AS DOUBLE PRECISION) END END"
)
# A number too large or too small for a double is an error in Postgres, not a missing value.
_JSON_NUMBER = (
    "CASE JSONB_TYPEOF({0}) WHEN 'number' THEN CASE "
    f"WHEN ABS(CAST({{0}} AS NUMERIC)) > {LARGEST} THEN NULL "
    "WHEN ABS(CAST({0} AS NUMERIC)) < 1e-300 THEN 0 ELSE CAST({0} AS DOUBLE PRECISION) END "
    "WHEN 'boolean' THEN CASE WHEN CAST({0} AS BOOLEAN) THEN 1 ELSE 0 END "
    f"WHEN 'string' THEN {_TEXT_NUMBER.replace('{0}', '({0} #>> ARRAY[]::TEXT[])')} END"
)

POSTGRES = Dialect(
    name="postgres",
    moment="CAST({} AS TIMESTAMPTZ)",
    micros="CAST(EXTRACT(EPOCH FROM {}) * 1000000 AS BIGINT)",
    document="CAST({} AS JSONB)",
    member="{} -> {}",
    number=_JSON_NUMBER,
    word="LEFT({} #>> ARRAY[]::TEXT[], " + f"{WORD})",
    text_number=_TEXT_NUMBER,
    types={str: "TEXT", float: "DOUBLE PRECISION", int: "BIGINT"},
    json_type="JSONB",
    time_type="TIMESTAMPTZ",
    json_value="CAST({} AS JSONB)",
    keeps_steps=True,
    buckets=True,
)
_TRIED = (
    "CASE WHEN LOWER({0}) = 'true' THEN 1 WHEN LOWER({0}) = 'false' THEN 0 "
    f"WHEN ABS(TRY_TO_DOUBLE({{0}})) <= {LARGEST} THEN TRY_TO_DOUBLE({{0}}) END"
)
SNOWFLAKE = Dialect(
    name="snowflake",
    moment="CAST({} AS TIMESTAMP_TZ)",
    micros="DATE_PART(EPOCH_MICROSECOND, {})",
    document="TRY_PARSE_JSON(CAST({} AS VARCHAR))",
    member="CAST({}[{}] AS VARCHAR)",
    number=_TRIED,
    word=f"LEFT({{}}, {WORD})",
    text_number=_TRIED,
    types={str: "VARCHAR", float: "DOUBLE", int: "BIGINT"},
    json_type="VARIANT",
    time_type="TIMESTAMP_TZ",
    json_value="TRY_PARSE_JSON({})",
    keeps_steps=False,
    buckets=False,
)
DIALECTS: dict[str, Dialect] = {"postgres": POSTGRES, "snowflake": SNOWFLAKE}
Parameters = dict[str, Any]
