"""One source of rows: a file, standard input or a request's body, known by its content."""

import gzip
import hashlib
import io
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

from agentops_graph.adapters.row_files.csv_rows import CsvRows
from agentops_graph.adapters.row_files.json_rows import array_chunks, line_chunks
from agentops_graph.adapters.row_files.parquet_rows import parquet_chunks
from agentops_graph.domain.rows import Chunk
from agentops_graph.errors import InputError

T = TypeVar("T")

FORMATS = ("csv", "tsv", "jsonl", "json", "parquet")
ENDINGS = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json",
           ".parquet": "parquet", ".pq": "parquet"}  # fmt: skip
GZIP, PARQUET = b"\x1f\x8b", b"PAR1"
PIECE = 1 << 20
HEAD = 1 << 16
# What files begin with that are no rows, however they are named.
FOREIGN = {
    b"SQLite format 3": "a SQLite database; export its table as CSV",
    b"PK\x03\x04": "a ZIP archive or a spreadsheet; unpack it, or save it as CSV",
    b"BZh": "packed with bzip2; unpack it, or pack it with gzip",
    b"\x28\xb5\x2f\xfd": "packed with zstd; unpack it, or pack it with gzip",
    b"\xfd7zXZ": "packed with xz; unpack it, or pack it with gzip",
    b"\xff\xfe": "UTF-16; write it anew as UTF-8: `iconv -f UTF-16 -t UTF-8`",
    b"\xfe\xff": "UTF-16; write it anew as UTF-8: `iconv -f UTF-16 -t UTF-8`",
}


class FileRows:
    """Implements `RowSource` over an open, seekable stream."""

    def __init__(self, raw: BinaryIO, name: str, form: str | None) -> None:
        self.name = name
        self._raw = raw
        self._size = raw.seek(0, os.SEEK_END)
        if not self._size:
            raise InputError("is empty: 0 bytes", field=name)
        self._seen = _state(raw)
        raw.seek(0)
        self._is_packed = raw.read(2) == GZIP
        self._form = self._format(form)
        self.stamp = self._digest()

    def chunks(self) -> Iterator[Chunk]:
        """Raises InputError for what is no such file, or was written to since it was opened."""
        for chunk in self._read():
            if _state(self._raw) != self._seen:
                raise InputError(
                    "was written to while it was read; load it when it is complete",
                    field=self.name,
                )
            yield chunk

    def _read(self) -> Iterator[Chunk]:
        stream = self._content()
        if self._form == "parquet":
            return parquet_chunks(stream, self.name)
        if self._form in ("csv", "tsv"):
            return CsvRows(stream, self.name, "\t" if self._form == "tsv" else None).chunks(
                self._done
            )
        if self._form == "json":
            return array_chunks(stream, self.name, self._done)
        return line_chunks(stream, self._done)

    def _content(self) -> BinaryIO:
        """From its beginning, unpacked."""
        self._raw.seek(0)
        return cast(BinaryIO, gzip.open(self._raw)) if self._is_packed else self._raw

    def _done(self) -> float:
        return self._raw.tell() / self._size

    def _format(self, asked: str | None) -> str:
        head = self._unpacked(lambda stream: stream.read(HEAD))
        for start, seen in FOREIGN.items():
            if head.startswith(start):
                raise InputError(f"is {seen}", field=self.name)
        if head.startswith(PARQUET):
            return "parquet"
        path = Path(self.name.removesuffix(".gz"))
        form = asked or ENDINGS.get(path.suffix.lower())
        if form == "parquet":
            raise InputError("is no Parquet file; it does not begin as one", field=self.name)
        if form is None or form.startswith("json"):
            first = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
            if form is None and first not in (b"{", b"[") and path.suffix:
                endings = ", ".join(ENDINGS)
                raise InputError(
                    f"is no file of rows by its name; one of {endings} (each also .gz), or say "
                    "which with --format",
                    field=self.name,
                )
            return "json" if first == b"[" else "jsonl" if form or first == b"{" else "csv"
        return form

    def _digest(self) -> str:
        """Of the unpacked content, so that a file and its .gz are the same; also proves that a
        packed file is whole, before a row of it is loaded."""

        def digested(stream: BinaryIO) -> str:
            digest = hashlib.sha256()
            while piece := stream.read(PIECE):
                digest.update(piece)
            return digest.hexdigest()

        return str(self._unpacked(digested))

    def _unpacked(self, use: Callable[[BinaryIO], T]) -> T:
        try:
            return use(self._content())
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InputError(
                f"can't be unpacked: {error}; deliver the file again", field=self.name
            ) from error


def body_rows(body: bytes, name: str) -> FileRows:
    """Rows of a request: a JSON array or one object a line."""
    start = body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if start not in (b"{", b"["):
        raise InputError(
            "is neither a JSON array nor JSON lines; HTTP takes JSON only (CSV and Parquet are "
            "loaded from files, with `agentops ingest`)",
            field=name,
        )
    return FileRows(io.BytesIO(body), name, "json")


@contextmanager
def open_rows(path: Path, form: str | None, stdin: BinaryIO) -> Iterator[FileRows]:
    """The rows of a file, or with `-` of `stdin`, which is put aside on the disk first: what has
    to be known by its content can't be read once only."""
    if str(path) == "-":
        with tempfile.TemporaryFile() as spooled:
            shutil.copyfileobj(stdin, spooled, PIECE)
            yield FileRows(cast(BinaryIO, spooled), "standard input", form)
        return
    if path.is_dir():
        raise InputError("is a folder; name the files in it", field=str(path))
    try:
        file = path.open("rb")
    except OSError as error:
        raise InputError(f"can't be read: {error.strerror}", field=str(path)) from None
    with file:
        if not file.seekable():
            raise InputError("is no file; pipe it in and name `-`", field=str(path))
        yield FileRows(file, path.name, form)


def _state(raw: BinaryIO) -> tuple[int, int] | None:
    try:
        seen = os.fstat(raw.fileno())
    except io.UnsupportedOperation:
        return None  # in memory
    return seen.st_size, seen.st_mtime_ns
