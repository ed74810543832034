"""Reads a batch file (CSV, JSON lines, Parquet) into a table; what can't be read is said."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agentops_graph.adapters.pandas_batches.size import check_size
from agentops_graph.errors import InputError

COMPRESSED = (".gz", ".bz2", ".zst")
SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": ","}
KINDS = ".csv, .tsv, .jsonl, .ndjson, .json or .parquet (text may be .gz)"
NULLS = ["", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None", "none", "nil"]
RETRIES = 5  # columns whose first block looked like numbers; then all are read as text


@dataclass(frozen=True)
class BatchFile:
    """A table, and the rows that could not be read into it."""

    table: Any
    malformed: int = 0


def read_batch(path: Path, *, as_text: Collection[str] | None = ()) -> BatchFile:
    """The rows of a file; `as_text` names the columns that stay text, with None all of them do.

    Only CSV has no types of its own. Raises InputError with the file's name, what was seen and how
    to mend it.
    """
    if not path.exists():
        raise InputError("there is no such file", field=str(path))
    if path.is_dir():
        raise InputError("is a folder; name one file of it", field=str(path))
    if path.stat().st_size == 0:
        raise InputError("is empty: 0 bytes; a batch has at least a header", field=path.name)
    kind = Path(path.name.removesuffix(path.suffix)).suffix if path.suffix in COMPRESSED else ""
    kind = (kind or path.suffix).lower()
    try:
        check_size(path, kind)
        if kind in SEPARATORS:
            return _csv(path, SEPARATORS[kind], as_text)
        if kind in (".jsonl", ".ndjson", ".json"):
            return BatchFile(_json(path, kind))
        if kind in (".parquet", ".pq"):
            return BatchFile(_parquet(path))
    except OSError as error:
        raise InputError(f"can't be read: {error}", field=path.name) from error
    raise InputError(f"is no batch file by its name; one of {KINDS}", field=path.name)


def arrival(path: Path) -> datetime:
    """When the file was last written to."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _csv(path: Path, separator: str, as_text: Collection[str] | None) -> BatchFile:
    from pyarrow import ArrowException  # type: ignore[import-untyped]

    header = _header(path)
    if separator == "," and header.count(";") > header.count(","):
        separator = ";"
    try:
        text = set(_names(path, separator) if as_text is None else as_text)
        return _retried(path, separator, text)
    except (ArrowException, UnicodeError) as error:
        raise _unreadable(path, str(error)) from error


def _retried(path: Path, separator: str, text: set[str]) -> BatchFile:
    """Arrow takes a column's type from its first block; one that clashes later is text."""
    from pyarrow import ArrowInvalid

    for _ in range(RETRIES):
        try:
            return _arrow_csv(path, separator, text)
        except ArrowInvalid as error:
            clash = re.search(r"In CSV column #(\d+): .*conversion error", str(error))
            if clash is None or "invalid UTF8" in str(error):
                raise
            text.add(_names(path, separator)[int(clash[1])])
    return _arrow_csv(path, separator, set(_names(path, separator)))


def _header(path: Path) -> str:
    from pyarrow import input_stream

    with input_stream(str(path)) as stream:
        start: bytes = stream.read(1 << 16)
    return start.split(b"\n", 1)[0].decode("utf-8", "replace").removeprefix("\ufeff").strip()


def _names(path: Path, separator: str) -> list[str]:
    from pyarrow import csv

    with csv.open_csv(path, parse_options=_parsing(separator, [])) as reader:
        return list(reader.schema.names)


def _parsing(separator: str, bad: list[int]) -> Any:
    from pyarrow import csv

    def skip(row: Any) -> str:
        bad.append(row.number or 0)
        return "skip"

    return csv.ParseOptions(delimiter=separator, newlines_in_values=True, invalid_row_handler=skip)


def _arrow_csv(path: Path, separator: str, text: set[str]) -> BatchFile:
    from pyarrow import csv, string, types

    bad: list[int] = []
    converting = csv.ConvertOptions(
        column_types=dict.fromkeys(text, string()),
        null_values=NULLS,
        strings_can_be_null=True,
    )
    table = csv.read_csv(path, parse_options=_parsing(separator, bad), convert_options=converting)
    if any(types.is_binary(field.type) for field in table.schema):
        raise _unreadable(path, "invalid UTF8 data")
    return BatchFile(table.to_pandas(date_as_object=False), len(bad))


def _json(path: Path, kind: str) -> Any:
    import pandas as pd
    from pyarrow import ArrowException
    from pyarrow import json as arrow_json

    if kind != ".json":
        try:
            return arrow_json.read_json(path).to_pandas(date_as_object=False)
        except ArrowException:
            pass  # a column of mixed types, or a broken line: read below, which can say which
    rows = _json_rows(path, kind)
    if not all(isinstance(row, dict) for row in rows):
        raise _unreadable(path, "each row has to be a JSON object")
    try:
        return pd.DataFrame.from_records(rows)
    except UnicodeError as error:
        raise _unreadable(path, f"half of a character, no UTF8: {error}") from error


def _json_rows(path: Path, kind: str) -> list[Any]:
    from pyarrow import input_stream

    with input_stream(str(path)) as stream:
        try:
            text = stream.read().decode("utf-8")
        except UnicodeDecodeError as error:
            raise _unreadable(path, f"invalid UTF8 data at byte {error.start}") from error
    if kind == ".json" and text.lstrip().startswith("["):
        return list(_parsed(path, text, 1))
    lines = enumerate(text.splitlines(), start=1)
    return [_parsed(path, line, number) for number, line in lines if line.strip()]


def _parsed(path: Path, text: str, line: int) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"is no JSON: {error}", field=f"{path.name}:{line}") from None


def _parquet(path: Path) -> Any:
    from pyarrow import ArrowException
    from pyarrow.parquet import read_table  # type: ignore[import-untyped]

    try:
        return read_table(path, partitioning=None).to_pandas(date_as_object=False)
    except (ArrowException, UnicodeError) as error:
        raise _unreadable(path, str(error)) from error


def _unreadable(path: Path, seen: str) -> InputError:
    first = seen.splitlines()[0]
    mend = "write it anew, as UTF-8" if "UTF8" in seen else "deliver the file again"
    return InputError(f"can't be read: {first}; {mend}", field=path.name)
