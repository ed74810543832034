"""How large a batch file is once it is unpacked, before anything of it is held in memory."""

from pathlib import Path

from agentops_graph.errors import InputError

MOST_BYTES = 2 << 30  # unpacked; a table of it takes a few times that
PIECE = 1 << 20


def check_size(path: Path, kind: str) -> None:
    """Raises InputError for a file that holds more than two gigabytes: a few hundred kilobytes can
    unpack to more memory than the machine has."""
    if unpacked_size(path, kind) > MOST_BYTES:
        raise InputError(
            f"holds more than {MOST_BYTES >> 30} GB unpacked; deliver it in parts", field=path.name
        )


def unpacked_size(path: Path, kind: str) -> int:
    """In bytes; of text no more is read than tells that it is too much."""
    if kind in (".parquet", ".pq"):
        return _of_parquet(path)
    if kind == path.suffix.lower():
        return path.stat().st_size
    from pyarrow import input_stream  # type: ignore[import-untyped]

    size = 0
    with input_stream(str(path)) as stream:  # unpacks by the file's name
        while size <= MOST_BYTES and (piece := stream.read(PIECE)):
            size += len(piece)
    return size


def _of_parquet(path: Path) -> int:
    from pyarrow import ArrowException
    from pyarrow.parquet import read_metadata  # type: ignore[import-untyped]

    try:
        groups = read_metadata(path)
        sizes = [groups.row_group(n).total_byte_size for n in range(groups.num_row_groups)]
    except ArrowException:
        return 0  # no Parquet; who reads it says so
    return sum(sizes)
