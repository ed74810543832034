"""Rows of Parquet files, a batch at a time."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from agentops_graph.domain.rows import Chunk
from agentops_graph.errors import InputError

ROWS = 20_000
MOST_CHARS = 64 << 20  # rows times the longest value: a dictionary holds that value only once
MOST_GROUP_BYTES = 2 << 30  # unpacked; a few kilobytes can unpack to more than the machine has


def parquet_chunks(stream: BinaryIO, name: str) -> Iterator[Chunk]:
    """The number of a row, from 1, stands for its line."""
    from pyarrow import ArrowException  # type: ignore[import-untyped]
    from pyarrow.parquet import ParquetFile  # type: ignore[import-untyped]

    try:
        file = ParquetFile(stream)
        _check_size(file.metadata, name)
        # Read anew: texts as they are stored, each different one once.
        file = ParquetFile(stream, read_dictionary=_texts(file))
        total, first = file.metadata.num_rows, 1
        for batch in file.iter_batches(batch_size=ROWS, use_threads=False):
            for piece in _pieces(batch):
                values = [_plain(column) for column in piece.columns]
                lines = range(first, first + piece.num_rows)
                first += piece.num_rows
                yield Chunk(tuple(piece.schema.names), values, lines, done=(first - 1) / total)
    except (ArrowException, OSError, UnicodeError) as error:
        said = str(error).partition("\n")[0][:200]
        raise InputError(f"can't be read: {said}; deliver the file again", field=name) from error


def _check_size(metadata: Any, name: str) -> None:
    groups = [metadata.row_group(n).total_byte_size for n in range(metadata.num_row_groups)]
    if max(groups, default=0) > MOST_GROUP_BYTES:
        raise InputError(
            f"has a row group of more than {MOST_GROUP_BYTES >> 30} GB; write smaller ones",
            field=name,
        )


def _texts(file: Any) -> list[str]:
    """The columns of texts; lists and structures of them are read as they are."""
    return [field.name for field in file.schema_arrow if _is_text(field.type)]


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    kinds = (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
    return any(is_one(kind) for is_one in kinds)


def _pieces(batch: Any) -> Iterator[Any]:
    size = max(1, min(ROWS, MOST_CHARS // max(1, sum(map(_longest, batch.columns)))))
    for start in range(0, batch.num_rows, size):
        yield batch.slice(start, size)


def _longest(column: Any) -> int:
    from pyarrow import compute, types

    if not types.is_dictionary(column.type) or not _is_text(column.type.value_type):
        return 0
    return int(compute.max(compute.binary_length(column.dictionary)).as_py() or 0)


def _plain(column: Any) -> list[Any]:
    from pyarrow import timestamp, types

    kind = column.type
    if types.is_dictionary(kind):
        held = column.dictionary.to_pylist()
        return [None if place is None else held[place] for place in column.indices.to_pylist()]
    if types.is_timestamp(kind) and kind.unit == "ns":
        # The warehouse keeps microseconds, and so does Python's own type.
        column = column.cast(timestamp("us", tz=kind.tz), safe=False)
    values: list[Any] = column.to_pylist()
    return values
