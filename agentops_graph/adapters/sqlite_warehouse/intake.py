"""Takes rows into the embedded warehouse: each checked, each once, the bad ones put aside."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from agentops_graph.adapters.sqlite_warehouse import loads
from agentops_graph.adapters.sqlite_warehouse.arranged import arranged, raw_of
from agentops_graph.adapters.sqlite_warehouse.doubles import add_labels, add_predictions, insert
from agentops_graph.adapters.sqlite_warehouse.layout import columns_in, further_columns, store_times
from agentops_graph.adapters.sqlite_warehouse.layouts import SUBJECT, TABLE, checked, layout_of
from agentops_graph.adapters.sqlite_warehouse.tables import create_tables, reading, writing
from agentops_graph.adapters.sqlite_warehouse.times import AHEAD, Times
from agentops_graph.domain.redaction import redacted
from agentops_graph.domain.row_kinds import RowKind
from agentops_graph.domain.rows import (
    RAW_LIMIT,
    BadRow,
    Chunk,
    Quarantine,
    Quarantined,
    Reading,
    Taken,
)
from agentops_graph.errors import ConflictError, InputError, NotEnoughDataError
from agentops_graph.warehouse.tables import NEEDED, TABLES
from agentops_graph.warehouse_ports import RowSource

CACHE_KB = 64 << 10  # of pages: ids come in no order, and their index is touched everywhere
OnChunk = Callable[[Taken, float], None]


@dataclass(frozen=True)
class Sorted:
    """The rows of a chunk that can go in, and those that can't."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    places: list[int]  # of each row in the chunk
    bad: list[BadRow]


@dataclass
class _Load:
    """One run over one source."""

    source: RowSource
    kind: RowKind
    reading: Reading
    only: frozenset[str] | None
    own: tuple[str, ...]
    times: Times
    most_aside: int | None = None
    is_first: bool = True

    def sorted(self, chunk: Chunk) -> Sorted:
        """InputError when the source as a whole is not what the kind needs."""
        layout = layout_of(self.kind, self.own)
        found = arranged(chunk, layout, self.reading, self.source.name, is_first=self.is_first)
        # A chunk without a good line says nothing of the columns.
        self.is_first = self.is_first and not chunk.lines
        stored = checked(self.kind, found, self.times)
        self._check_tenant(stored, found.faults)
        places = [n for n in range(len(chunk.lines)) if n not in found.faults]
        rows = list(zip(*stored.values(), strict=True)) if stored else []
        if found.faults:
            rows = [rows[place] for place in places]
        bad = [_bad(chunk, place, fault) for place, fault in found.faults.items()]
        bad += [BadRow(row.line, redacted(row.reason), row.raw) for row in chunk.bad]
        return Sorted(tuple(stored), rows, places, sorted(bad, key=lambda row: row.line))

    def _check_tenant(self, stored: dict[str, list[Any]], faults: dict[int, str]) -> None:
        subject = SUBJECT[self.kind]
        if self.only is None or subject not in stored:
            return
        for place, name in enumerate(stored[subject]):
            if name is not None and name not in self.only:
                faults.setdefault(place, f"{subject} is no component (seen: {name[:40]})")


class SqliteIntake:
    """Implements `Intake` over the warehouse's file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def take(
        self,
        source: RowSource,
        kind: RowKind,
        reading: Reading,
        *,
        at: datetime,
        owner: str = "",
        only: frozenset[str] | None = None,
        key: str | None = None,
        again: bool = False,
        most_aside: int | None = None,
        on_chunk: OnChunk | None = None,
    ) -> Taken:
        load = self._load(source, kind, reading, only, at)
        load.most_aside = most_aside
        stamp = _stamp(kind, reading, owner, key, source.stamp)
        taken = Taken(source=source.name, kind=kind)
        known = loads.known_load(self.path, stamp, most_aside)
        if known and known[1] != source.stamp:
            raise ConflictError("this Idempotency-Key came with other rows before; take a new one")
        if known and again:
            self._forget(stamp)
            known = None
        if known:
            before, _, load.times.has_offset, has_ended = known
            if has_ended:
                return before.model_copy(update={"is_known": True})
            taken = before.model_copy(update={"resumed_at": before.read})
            load.is_first = False
        if not loads.is_prepared(self.path):
            create_tables(self.path)
        for chunk, is_last in _marked(_after(source.chunks(), taken.read)):
            found = load.sorted(chunk)
            taken = self._write(load, stamp, taken, found, chunk, at, is_last, known is None)
            known = known or (taken, "", None, False)
            if on_chunk:
                on_chunk(taken, chunk.done)
        return taken

    def check(
        self,
        source: RowSource,
        kind: RowKind,
        reading: Reading,
        *,
        at: datetime,
        only: frozenset[str] | None = None,
        on_chunk: OnChunk | None = None,
    ) -> Taken:
        load = self._load(source, kind, reading, only, at)
        taken = Taken(source=source.name, kind=kind)
        for chunk in source.chunks():
            found = load.sorted(chunk)
            taken = taken.plus(loaded=len(found.rows), repeated=0, bad=found.bad)
            if on_chunk:
                on_chunk(taken, chunk.done)
        return taken

    def condition(self, kind: str | None = None) -> Quarantine:
        return loads.condition(self.path, kind)

    def quarantined(
        self, kind: str | None = None, limit: int | None = None
    ) -> Iterator[Quarantined]:
        return loads.quarantined(self.path, kind, limit)

    def remove(self, numbers: Sequence[int]) -> None:
        with writing(self.path) as database:
            loads.remove(database, numbers)

    def _load(
        self,
        source: RowSource,
        kind: RowKind,
        reading: Reading,
        only: frozenset[str] | None,
        at: datetime,
    ) -> _Load:
        if reading.own and kind != "metrics":
            raise InputError("only metrics have columns of your own", field="--own")
        own = tuple(dict.fromkeys((*reading.own, *self._own_columns(kind))))
        return _Load(source, kind, reading, only, own, Times(at + AHEAD))

    def _own_columns(self, kind: RowKind) -> list[str]:
        """Metrics of the team's own that the table has."""
        if kind != "metrics" or not self.path.exists():
            return []
        with reading(self.path, TABLE[kind]) as connection:
            try:
                return further_columns(TABLE[kind], columns_in(connection, self.path, TABLE[kind]))
            except NotEnoughDataError:
                return []  # it is made, or filled up, before the first row

    def _forget(self, stamp: str) -> None:
        with writing(self.path) as database:
            loads.forget_load(database, stamp)

    def _write(
        self,
        load: _Load,
        stamp: str,
        taken: Taken,
        found: Sorted,
        chunk: Chunk,
        at: datetime,
        is_last: bool,
        is_new: bool,
    ) -> Taken:
        """A chunk, its bad rows and how far the load came, in one transaction."""
        with writing(self.path) as database:
            database.execute(f"PRAGMA cache_size=-{CACHE_KB}")
            loads.make_tables(database)
            if is_new:
                loads.begin_load(database, stamp, load.source.stamp, taken, at)
            loaded, repeated, faults = self._add(database, load, found)
            bad = list(found.bad)
            bad += [_bad(chunk, found.places[place], why) for place, why in faults.items()]
            now = taken.plus(loaded=loaded, repeated=repeated, bad=bad, most_aside=load.most_aside)
            kept = len(bad) - (now.unkept - taken.unkept)
            loads.put_aside(database, stamp, taken, bad[:kept], at)
            ended_at = at if is_last else None
            loads.note_load(database, stamp, taken.read, now, load.times.has_offset, ended_at)
        return now

    def _add(self, database: Any, load: _Load, found: Sorted) -> tuple[int, int, dict[int, str]]:
        if not found.rows:
            return 0, 0, {}
        table = TABLE[load.kind]
        _fill_up(database, table, found.columns)
        store_times(database, table)
        if load.kind == "labels":
            return add_labels(database, found.columns, found.rows, load.only)
        if load.kind == "predictions":
            return add_predictions(database, found.columns, found.rows)
        insert(database, table, found.columns, found.rows)
        return len(found.rows), 0, {}


def _fill_up(database: Any, table: str, columns: Sequence[str]) -> None:
    """Adds the columns that the table lacks."""
    there = {column.name.lower() for column in database[table].columns}
    compared = ("actual_label",) if table == "PREDICTION_LOGS" else ()
    for name in dict.fromkeys((*columns, *NEEDED[table], *compared)):
        if name.lower() not in there:
            database[table].add_column(name, TABLES[table].get(name, float))


def _stamp(kind: RowKind, reading: Reading, owner: str, key: str | None, content: str) -> str:
    """What makes two loads the same: the sender's own key, or what was read and how."""
    # Said only where it was: loads of before there was a `decimal` stay the same.
    silent = {"decimal"} if reading.decimal is None else set()
    how = reading.model_dump_json(exclude=silent)
    parts = [kind, owner, "key", key] if key else [kind, owner, how, content]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _bad(chunk: Chunk, place: int, fault: str) -> BadRow:
    raw = to_json(
        raw_of(chunk, place), inf_nan_mode="strings", bytes_mode="base64", fallback=str
    ).decode()
    return BadRow(chunk.lines[place], redacted(fault), raw[:RAW_LIMIT])


def _after(chunks: Iterator[Chunk], count: int) -> Iterator[Chunk]:
    """Without the first so many rows."""
    for chunk in chunks:
        if chunk.count <= count:
            count -= chunk.count
            continue
        yield chunk.without(count) if count else chunk
        count = 0


def _marked(chunks: Iterator[Chunk]) -> Iterator[tuple[Chunk, bool]]:
    """With whether it is the last one."""
    held: Chunk | None = None
    for chunk in chain(chunks, [None]):
        if held is not None:
            yield held, chunk is None
        held = chunk
