"""From the columns of a source to those of a table: renamed, set, gathered into features."""

import difflib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_json

from agentops_graph.adapters.sqlite_warehouse.decimals import with_points
from agentops_graph.domain.row_kinds import REFUSED_COLUMN
from agentops_graph.domain.rows import ABSENT, Chunk, Reading
from agentops_graph.errors import InputError
from agentops_graph.warehouse.features import NOTHING

MOST_NAMED = 50  # unknown columns


@dataclass(frozen=True)
class Layout:
    """What a kind of row may and must have."""

    table: str
    known: tuple[str, ...]
    needed: tuple[str, ...]
    numeric: tuple[str, ...] = ()  # may hold numbers


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
        columns = {name: found.pop(name) for name in gathered}
        found["features"] = _features(_read(made, columns, reading), count)
    for name, value in reading.fixed.items():
        if name in found:
            raise InputError(f"{name} stands in the file too; take --set away", field=source)
        found[name] = [value] * count
    unknown = {name: values for name, values in found.items() if name not in layout.known}
    _refuse(made, unknown, found, layout, source, is_first=is_first)
    made.columns |= {name: v for name, v in found.items() if name in layout.known}
    made.columns |= _read(
        made, {n: v for n, v in made.columns.items() if n in layout.numeric}, reading
    )
    # A CSV's header stands also over rows none of which can be read.
    is_whole = is_first and bool(chunk.columns)
    _check_needed(made, layout, found, source, count, is_first=is_whole)
    return made


def _read(
    made: Arranged, columns: dict[str, Sequence[Any]], reading: Reading
) -> dict[str, Sequence[Any]]:
    """With the numbers in text as the person says they are written."""
    found: dict[str, Sequence[Any]] = {}
    for name, values in columns.items():
        found[name], faults = with_points(name, values, reading.decimal)
        for place, fault in faults.items():
            made.faults.setdefault(place, fault)
    return found


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
    unknown: dict[str, Sequence[Any]],
    found: dict[str, Sequence[Any]],
    layout: Layout,
    source: str,
    *,
    is_first: bool,
) -> None:
    """The whole source, when every row of its first chunk has a column that is not known."""
    everywhere: list[str] = []
    for name, values in unknown.items():
        holders = [place for place, value in enumerate(values) if value is not ABSENT]
        if is_first and len(holders) == len(values):
            everywhere.append(name)
        told = f"has the unknown column {repr(name)[:200]}{_nearest(name, layout.known)}"
        for place in holders:
            made.faults.setdefault(place, told)
    if everywhere:
        raise InputError(_unknown(everywhere, found, layout), field=source)


def _unknown(names: list[str], found: dict[str, Sequence[Any]], layout: Layout) -> str:
    """All of them, with one line of options that gets past them."""
    shown = names[:MOST_NAMED]
    told = ", ".join(f"{repr(name)[:200]}{_nearest(name, layout.known)}" for name in shown)
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    ways, free = [], [name for name in layout.known if name not in found]
    for name in shown:
        near = difflib.get_close_matches(name.lower(), free, n=1)
        if near:
            free.remove(near[0])
        way = f"--rename {shlex.quote(f'{name}={near[0]}')}" if near else ""
        ways.append(way or f"--leave-out {shlex.quote(name)}")
    features = "features" in layout.needed and "features" not in found
    also = ", or name those that are features (`--features A,B,V*`)" if features else ""
    return (
        f"has the unknown column{'s' if len(names) > 1 else ''} {told}{more}; {layout.table} has "
        f"{', '.join(layout.known)}; `--rename THEIRS=OURS` or leave out: `{' '.join(ways)}`{also}"
    )


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
        if is_first:
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
