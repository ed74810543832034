"""Rows of CSV text; a line that is broken takes no other with it."""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import BinaryIO

from agentops_graph.adapters.row_files.lines import Lines, fault_of, kept, lines_of
from agentops_graph.domain.rows import LONGEST_ROW, BadRow, Chunk
from agentops_graph.errors import InputError

csv.field_size_limit(LONGEST_ROW + 1)
SEPARATOR_SAID = re.compile(r'"?sep=([,;|\t])"?[;,|\t]*\r?', re.IGNORECASE)  # by Excel
NOT_CLOSED = "a quote is not closed"
END = Lines([], is_plain=True)


class CsvRows:
    """One reading of a CSV stream."""

    def __init__(self, stream: BinaryIO, name: str, separator: str | None) -> None:
        self._stream, self._name, self._separator = stream, name, separator
        self._header: list[str] | None = None
        self._line = 1  # of the first line that waits
        self._waiting: list[str] = []
        self._is_plain = True
        self._open_until = 0  # the line before which a quote was found open at every line's end

    def chunks(self, done: Callable[[], float]) -> Iterator[Chunk]:
        """A chunk per block. The header is the first line that is not blank."""
        for lines in chain(lines_of(self._stream), [END]):
            # A line that waited from the block before may be no plain one.
            self._is_plain = lines.is_plain and (self._is_plain or not self._waiting)
            self._waiting += lines.texts
            if self._header is None and not self._take_header():
                continue
            chunk = self._fast(done()) if self._is_plain else None
            chunk = chunk or self._slow(done(), is_last=lines is END)
            if chunk.count:
                yield chunk
        if self._header is None:
            raise InputError(
                "holds only blank lines; a CSV file begins with its header", field=self._name
            )

    def _take_header(self) -> bool:
        while self._waiting and self._is_no_header(self._waiting[0]):
            self._drop(1)
        if not self._waiting:
            return False
        line = self._waiting[0]
        fault = fault_of(line)
        if fault or "\0" in line:
            raise InputError(
                f"{fault or 'its header holds NUL bytes'}; is it a CSV file? Write it anew, as "
                "UTF-8",
                field=f"{self._name}:{self._line}",
            )
        if self._separator is None:
            self._separator = max(",;\t|", key=line.count)
        names = [name.strip() for name in next(self._parsed([line]), [])]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise InputError(
                f"its header names the column {twice[0]!r} twice",
                field=f"{self._name}:{self._line}",
            )
        self._header = names
        self._drop(1)
        return True

    def _is_no_header(self, line: str) -> bool:
        """A blank line, or one that only says how the fields are separated."""
        said = SEPARATOR_SAID.fullmatch(line)
        if said:
            self._separator = said[1]
        return said is not None or not line.strip()

    def _drop(self, count: int) -> None:
        del self._waiting[:count]
        self._line += count

    def _parsed(self, lines: list[str]) -> Iterator[list[str]]:
        return csv.reader(lines, delimiter=self._separator or ",", strict=True)

    def _fast(self, done: float) -> Chunk | None:
        """All that waits at once; None when not every line is a row of its own."""
        assert self._header is not None
        lines, first = self._waiting, self._line
        try:
            rows = list(self._parsed(lines))
        except csv.Error:
            return None
        if len(rows) != len(lines):
            return None
        width = len(self._header)
        numbers: Sequence[int] = range(first, first + len(rows))
        bad: list[BadRow] = []
        if set(map(len, rows)) - {width}:
            odd = [n for n, row in zip(numbers, rows, strict=True) if len(row) != width]
            bad = [
                BadRow(n, self._miscounted(rows[n - first]), kept(lines[n - first]))
                for n in odd
                if lines[n - first].strip("\r ")
            ]
            rows = [row for row in rows if len(row) == width]
            left = set(odd)
            numbers = [n for n in numbers if n not in left]
        self._drop(len(lines))
        return self._chunk(rows, numbers, bad, done)

    def _miscounted(self, row: list[str]) -> str:
        return f"has {len(row)} fields where the header has {len(self._header or ())}"

    def _slow(self, done: float, *, is_last: bool) -> Chunk:
        """Record by record. One that is still open at the end waits for the next block."""
        rows: list[list[str]] = []
        numbers: list[int] = []
        bad: list[BadRow] = []
        place, lines = 0, self._waiting
        while place < len(lines):
            line, number = lines[place], self._line + place
            row, span, reason = self._record(place, is_last=is_last)
            if span == 0:
                break
            place += span
            if reason:
                bad.append(BadRow(number, reason, kept(line)))
            elif row:
                rows.append(row)
                numbers.append(number)
        self._drop(place)
        return self._chunk(rows, numbers, bad, done)

    def _record(self, place: int, *, is_last: bool) -> tuple[list[str], int, str]:
        """The record that begins there, how many lines it has, and what is wrong with it; no
        fields for a blank line, no lines for one that waits. Only the first line is lost to a
        fault, and those after it are tried again."""
        assert self._header is not None
        # An open one would be read from there on as the one before it was, to the same end.
        fault = fault_of(self._waiting[place]) or (NOT_CLOSED if self._is_open(place) else None)
        if fault:
            return [], 1, fault
        feed = _Feed(self._waiting, place)
        reader = csv.reader(feed, delimiter=self._separator or ",", strict=True)
        try:
            row = next(reader)
        except csv.Error as error:
            if feed.is_out and not is_last:
                return [], 0, ""
            if not feed.is_out and not feed.is_full:
                return [], 1, f"no CSV: {error}"
            self._open_until = self._line + feed.place
            return [], 1, NOT_CLOSED
        span = reader.line_num
        faults = map(fault_of, self._waiting[place : place + span])
        if fault := next(filter(None, faults), None):
            return [], 1, fault
        if not any(row) and span == 1 and not self._waiting[place].strip("\r "):
            return [], 1, ""
        if len(row) != len(self._header):
            return [], 1, self._miscounted(row)
        return row, span, ""

    def _is_open(self, place: int) -> bool:
        """Whether a quote is open at its end, in a stretch where the one before it was too."""
        if self._line + place >= self._open_until:
            return False
        feed = _Feed([self._waiting[place]], 0)
        try:
            next(csv.reader(feed, delimiter=self._separator or ",", strict=True))
        except csv.Error:
            return feed.is_out
        return False

    def _chunk(
        self, rows: list[list[str]], lines: Sequence[int], bad: list[BadRow], done: float
    ) -> Chunk:
        header = self._header or []
        values = list(zip(*rows, strict=True)) if rows else [() for _ in header]
        return Chunk(tuple(header), values, lines, bad, done)


class _Feed:
    """Lines from a place on, as many as one row may have."""

    def __init__(self, lines: list[str], place: int) -> None:
        self._lines, self.place, self._size = lines, place, 0
        self.is_out = self.is_full = False  # why it ended

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.is_out = self.place >= len(self._lines)
        self.is_full = self._size > LONGEST_ROW
        if self.is_out or self.is_full:
            raise StopIteration
        line = self._lines[self.place]
        self.place += 1
        self._size += len(line)
        return f"{line}\n"
