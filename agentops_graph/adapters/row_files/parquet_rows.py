"""Rows of Parquet files, a batch at a time."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from agentops_graph.domain.rows import Chunk
from agentops_graph.errors import InputError

ROWS = 20_000
MOST_GROUP_BYTES = 2 << 30  # unpacked; a few kilobytes can unpack to more than the machine has


def parquet_chunks(stream: BinaryIO, name: str) -> Iterator[Chunk]:
    """The number of a row, from 1, stands for its line."""
    from pyarrow import ArrowException  # type: ignore[import-untyped]
    from pyarrow.parquet import ParquetFile  # type: ignore[import-untyped]

    try:
        file = ParquetFile(stream)
        _check_size(file.metadata, name)
        total, first = file.metadata.num_rows, 1
        for batch in file.iter_batches(batch_size=ROWS, use_threads=False):
            values = [_plain(column) for column in batch.columns]
            lines = range(first, first + batch.num_rows)
            first += batch.num_rows
            yield Chunk(tuple(batch.schema.names), values, lines, done=(first - 1) / total)
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


def _plain(column: Any) -> list[Any]:
    from pyarrow import timestamp, types

    kind = column.type
    if types.is_timestamp(kind) and kind.unit == "ns":
        # The warehouse keeps microseconds, and so does Python's own type.
        column = column.cast(timestamp("us", tz=kind.tz), safe=False)
    values: list[Any] = column.to_pylist()
    return values
