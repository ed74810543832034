"""Profiles a Parquet file piece by piece, in memory that does not grow with the file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agentops_graph.detection.cells import Bench, Tally
from agentops_graph.detection.profile import feature_profile, from_cells
from agentops_graph.domain.profile import ReferenceProfile
from agentops_graph.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agentops_graph.domain.profile import FeatureProfile

PIECE_ROWS = 1 << 17
PIECE_COLUMNS = 64  # of a wide table; with PIECE_ROWS the most that is held: 64 MB of floats

Piece = dict[str, "NDArray[np.generic]"]


def parquet_profile(
    path: Path, model: str, version: str, at: datetime, *, like: ReferenceProfile | None = None
) -> ReferenceProfile:
    """The profile of a file's numeric columns, read once.

    The first 131,072 rows place the edges, or `like` gives them: then the result is measured
    against it by `drift_between_profiles`, and merges with it. Booleans, text and times are left
    out. Raises InputError when the file is not Parquet, OSError when there is none.
    """
    from pyarrow import ArrowInvalid  # type: ignore[import-untyped] # noqa: PLC0415 - slow to import
    from pyarrow.parquet import ParquetFile  # type: ignore[import-untyped] # noqa: PLC0415 - slow to import

    known = like.features if like else {}
    features: dict[str, FeatureProfile] = {}
    try:
        # Mapped pages and whole row groups read ahead would both grow with the file.
        with ParquetFile(path, memory_map=False, pre_buffer=False) as file:
            names = _numeric(file.schema_arrow)
            for start in range(0, len(names), PIECE_COLUMNS):
                columns = names[start : start + PIECE_COLUMNS]
                features |= _profiled(_pieces(file, columns), columns, known)
            rows = file.metadata.num_rows
    except ArrowInvalid as error:
        raise InputError(f"{path.name} can't be read as Parquet: {error}", field="path") from error
    return ReferenceProfile(
        model_name=model, model_version=version, rows=rows, features=features, recorded_at=at
    )


def _profiled(
    pieces: Iterator[Piece], columns: list[str], known: dict[str, FeatureProfile]
) -> dict[str, FeatureProfile]:
    tallies: dict[str, Tally] = {}
    shapes: dict[str, FeatureProfile] = {}

    def place(name: str, values: NDArray[np.generic]) -> None:
        shape = known.get(name)
        if shape is None or shape.cells is None:
            shape = feature_profile(np.asarray(values, dtype=np.float64))
        shapes[name] = shape
        tallies[name] = Tally(shape.cells.edges if shape.cells else ())

    def count(piece: Piece, names: list[str]) -> None:
        bench = Bench()
        for name in names:
            if name not in tallies:
                place(name, piece[name])
            tallies[name].add(piece[name], bench)

    cores = os.cpu_count() or 1
    parts = [columns[n::cores] for n in range(cores)]
    with ThreadPoolExecutor(cores) as pool:
        for piece in pieces:
            list(pool.map(count, [piece] * cores, parts))
    found = {name: from_cells(tally.cells(), shapes[name].edges) for name, tally in tallies.items()}
    return {name: found.get(name, feature_profile(np.empty(0))) for name in columns}


def _pieces(file: Any, columns: list[str]) -> Iterator[Piece]:
    for batch in file.iter_batches(batch_size=PIECE_ROWS, columns=columns, use_threads=True):
        yield {
            name: column.to_numpy(zero_copy_only=False)
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        }


def _numeric(schema: Any) -> list[str]:
    from pyarrow import types  # noqa: PLC0415 - slow to import

    return [f.name for f in schema if types.is_floating(f.type) or types.is_integer(f.type)]
