"""Contracts as YAML that people read and edit: written with comments, read with line numbers."""

import json
import re
import textwrap
from pathlib import Path

from pydantic import ValidationError

from agentops_graph.detection.shapes import format_name
from agentops_graph.domain.contract import ColumnRule, Contract
from agentops_graph.errors import InputError
from agentops_graph.marked_yaml import read_marked

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
WORDS_OF_YAML = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
WIDTH = 96


def read_contract(path: Path) -> Contract:
    """Raises InputError with file, line and what is wrong there."""
    if not path.exists():
        raise InputError("the contract can't be read: there is no such file", field=str(path))
    read = read_marked(path)
    if not isinstance(read.document, dict):
        raise InputError("must hold `name:` and `columns:`", field=path.name)
    try:
        return Contract.model_validate(read.document)
    except ValidationError as error:
        raise read.refusal(error, kind=Contract) from None


def contract_text(contract: Contract, *, source: str, on: str) -> str:
    """The contract as commented YAML, which reads back as the same contract."""
    lines = [
        f"# The contract of {_comment(contract.name)}, inferred from {_comment(source)} on {on}.",
        "# A draft: what stands here is what every batch has to be. Edit it and keep it with the",
        "# code; docs/contracts.md explains each key. `agentops contract check FILE` uses it.",
        f"name: {_scalar(contract.name)}",
        f"rows: {contract.rows}  # of the reference; the rates are as sure as it is large",
        f"allowed_rate: {contract.allowed_rate:.4g}  # share of rows that may break it",
        f"more_columns: {_word(contract.more_columns)}  # false: any other column is a breach",
        *_keys(contract),
        *_freshness(contract),
        "columns:",
    ]
    for name, rule in contract.columns.items():
        lines += [f"  {_key(name)}:", *(f"    {line}" for line in _rule(rule))]
    return "\n".join(lines) + "\n"


def _keys(contract: Contract) -> list[str]:
    keys = json.dumps([list(key) for key in contract.keys], ensure_ascii=False)
    rate = contract.duplicate_rate
    usual = "null" if rate is None else f"{rate:.4g}"
    return [
        f"keys: {keys}  # columns that no two rows share",
        f"duplicate_rate: {usual}  # usual share of rows that repeat another; null: not judged",
    ]


def _freshness(contract: Contract) -> list[str]:
    fresh = contract.freshness
    if fresh is None:
        return [
            "# freshness: {column: created_at, max_age: 26h}  # newest time when a batch arrives"
        ]
    age = f"{fresh.max_age_s / 3600:.6g}h"
    return [f"freshness: {{column: {_scalar(fresh.column)}, max_age: {age}}}"]


def _rule(rule: ColumnRule) -> list[str]:
    lines = [f"dtype: {rule.dtype}"]
    if not rule.required:
        lines.append("required: false")
    if not rule.nullable:
        lines.append("nullable: false  # none was missing")
    else:
        lines.append(f"null_rate: {rule.null_rate:.4g}  # usual share of missing values")
    if rule.range is not None:
        low, high = rule.range
        lines.append(f"range: [{low!r}, {high!r}]  # a quarter wider than what was seen")
    if rule.dtype in ("number", "integer"):
        lines.append(f"unit: {_scalar(rule.unit)}" if rule.unit else "# unit: EUR")
    if rule.categories is not None:
        lines += _list("categories", [_scalar(text) for text in rule.categories])
        lines.append(f"new_category_rate: {rule.new_category_rate:.4g}  # usual share of others")
    lines += _formats(rule)
    if rule.quantiles:
        lines.append(
            "# every 5%, from the smallest to the largest; units and renames are told by it"
        )
        lines += _list("quantiles", [repr(value) for value in rule.quantiles])
    return lines


def _formats(rule: ColumnRule) -> list[str]:
    if not rule.formats:
        return []
    lines = ["formats:  # regular expressions; a value is one of them as a whole"]
    for expression in rule.formats:
        name = format_name(expression)
        quoted = "'" + expression.replace("'", "''") + "'"
        if not expression.isprintable():
            quoted = _scalar(expression)
        lines.append(f"  - {quoted}" + (f"  # {name}" if name else ""))
    return [*lines, f"off_format: {rule.off_format:.4g}  # usual share of values that are none"]


def _list(name: str, entries: list[str]) -> list[str]:
    whole = f"{name}: [{', '.join(entries)}]"
    if len(whole) <= WIDTH:
        return [whole]
    if any(len(entry) > WIDTH // 2 for entry in entries):
        return [f"{name}:", *(f"  - {entry}" for entry in entries)]
    # Blanks inside of a value must not become places to break at.
    joined = ", ".join(entry.replace(" ", "\x00") for entry in entries)
    wrapped = textwrap.wrap(joined, WIDTH - 2, break_long_words=False, break_on_hyphens=False)
    return [f"{name}: [", *(f"  {line}".replace("\x00", " ") for line in wrapped), "]"]


def _key(name: str) -> str:
    plain = PLAIN.fullmatch(name) and name.casefold() not in WORDS_OF_YAML
    return name if plain else _scalar(name)


def _scalar(text: str) -> str:
    """A text in double quotes; what can't be printed is escaped."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in quoted)


def _comment(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def _word(yes: bool) -> str:
    return "true" if yes else "false"
