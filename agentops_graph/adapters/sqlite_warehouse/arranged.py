"""From the columns of a source to those of a table: renamed, set, gathered into features."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_json

from agentops_graph.domain.row_kinds import REFUSED_COLUMN
from agentops_graph.domain.rows import ABSENT, Chunk, Reading
from agentops_graph.errors import InputError
from agentops_graph.warehouse.features import NOTHING


@dataclass(frozen=True)
class Layout:
    """What a kind of row may and must have."""

    table: str
    known: tuple[str, ...]
    needed: tuple[str, ...]


@dataclass
class Arranged:
    """The rows of a chunk under the table's names; `faults` by place in the chunk."""

    columns: dict[str, Sequence[Any]]
    faults: dict[int, str] = field(default_factory=dict)


def arranged(
    chunk: Chunk, layout: Layout, reading: Reading, source: str, *, is_first: bool
) -> Arranged:
    """InputError when the columns of the whole source are wrong, which shows in its first chunk;
    what is wrong with some rows is their fault."""
    found = _named(chunk, layout, reading, source)
    count = len(chunk.lines)
    made = Arranged({}, {})
    gathered = _gathered(found, reading, layout)
    if gathered:
        if "features" in found:
            raise InputError("features stands in the file too; name no --features", field=source)
        found["features"] = _features({name: found.pop(name) for name in gathered}, count)
    for name, value in reading.fixed.items():
        if name in found:
            raise InputError(f"{name} stands in the file too; take --set away", field=source)
        found[name] = [value] * count
    for name, values in found.items():
        if name in layout.known:
            made.columns[name] = values
        else:
            _refuse(
                made, values, f"has the unknown column {name!r}", name, layout, source, is_first
            )
    _check_needed(made, layout, found, source, count, is_first=is_first)
    return made


def _named(chunk: Chunk, layout: Layout, reading: Reading, source: str) -> dict[str, Sequence[Any]]:
    found: dict[str, Sequence[Any]] = {}
    for column, values in zip(chunk.columns, chunk.values, strict=True):
        if column in (*reading.left_out, REFUSED_COLUMN):
            continue
        name = reading.renamed.get(column, column).strip()
        name = name.lower() if name.lower() in layout.known else name
        if name in found:
            raise InputError(f"two of its columns are {name!r}", field=source)
        found[name] = values
    return found


def _gathered(found: dict[str, Any], reading: Reading, layout: Layout) -> list[str]:
    """Names of the columns that are features; one that is named as such always is."""
    wanted = [name for name in reading.features if not name.endswith("*")]
    starts = tuple(name[:-1] for name in reading.features if name.endswith("*"))
    return [
        name
        for name in found
        if name in wanted or (starts and name.startswith(starts) and name not in layout.known)
    ]


def _features(columns: dict[str, Sequence[Any]], count: int) -> list[str]:
    """One JSON object per row. Text that is a number becomes one, and what is empty is null."""
    names = list(columns)
    if not names:
        return ["{}"] * count
    values = [_feature(column) for column in columns.values()]
    return [
        to_json(dict(zip(names, row, strict=True)), inf_nan_mode="null", fallback=str).decode()
        for row in zip(*values, strict=True)
    ]


def _feature(column: Sequence[Any]) -> list[Any]:
    held = {value: _as_feature(value) for value in set(column) if isinstance(value, str)}
    return [held[v] if isinstance(v, str) else None if v is ABSENT else v for v in column]


def _as_feature(text: str) -> object:
    try:
        if "_" not in text:
            return float(text)
    except ValueError:
        pass
    return None if text.strip().casefold() in NOTHING else text


def _refuse(
    made: Arranged,
    values: Sequence[Any],
    fault: str,
    name: str,
    layout: Layout,
    source: str,
    is_first: bool,
) -> None:
    """The whole source, when every row of its first chunk has the column."""
    holders = [place for place, value in enumerate(values) if value is not ABSENT]
    told = f"{fault[:200]}{_nearest(name, layout.known)}"
    if is_first and holders and len(holders) == len(values):
        raise InputError(
            f"{told}; {layout.table} has {', '.join(layout.known)}; rename it, or leave it out "
            f"(`--rename {name[:80]}=COLUMN`, `--leave-out {name[:80]}`)",
            field=source,
        )
    for place in holders:
        made.faults.setdefault(place, told)


def _nearest(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name.lower(), known, n=1)
    return f" (nearest: {near[0]})" if near else ""


def _way(name: str) -> str:
    if name == "features":
        return "name the columns that are features (`--features A,B,V*`)"
    return f"rename one, or give all rows the same (`--rename THEIRS={name}`, `--set {name}=VALUE`)"


def _check_needed(
    made: Arranged,
    layout: Layout,
    found: dict[str, Sequence[Any]],
    source: str,
    count: int,
    *,
    is_first: bool,
) -> None:
    for name in layout.needed:
        if name in made.columns:
            continue
        if is_first and count:
            others = [other for other in found if other not in layout.known]
            near = _nearest(name, others)
            raise InputError(
                f"lacks the column {name!r}{near}; {layout.table} needs "
                f"{', '.join(layout.needed)}; {_way(name)}",
                field=source,
            )
        made.columns[name] = [ABSENT] * count


def raw_of(chunk: Chunk, place: int) -> dict[str, Any]:
    """A row as it came, by the source's own names."""
    pairs = zip(chunk.columns, chunk.values, strict=True)
    return {name: values[place] for name, values in pairs if values[place] is not ABSENT}
