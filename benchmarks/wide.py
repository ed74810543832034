"""Profiles and measures 3,000,000 x 1,000 from Parquet, and says how much memory that took.

`python -m benchmarks.detection --wide` runs it: one row group of 125,000 rows, read 24 times, so
that the disk need not hold 24 GB; the counts of the passes are merged as partitions are.
"""

import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from agentops_graph.detection.drift import drift_between_profiles
from agentops_graph.detection.parquet import parquet_profile
from agentops_graph.detection.profile import merged
from benchmarks.peak import peak_mb

AT = datetime(2026, 2, 28, tzinfo=UTC)
GROUP_ROWS, COLUMNS, PASSES = 125_000, 1_000, 24
PIECE = 25_000  # rows drawn at once, so that writing takes no more room than reading
AIM_MB = 1000


def write(path: Path, rows: int = GROUP_ROWS, columns: int = COLUMNS) -> None:
    """One row group of normal columns."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    rng = np.random.default_rng(0)
    names = [f"f{n}" for n in range(columns)]
    pieces = [rng.normal(size=(columns, min(PIECE, rows - at))) for at in range(0, rows, PIECE)]
    table = pa.concat_tables(pa.table(dict(zip(names, piece, strict=True))) for piece in pieces)
    with ParquetWriter(path, table.schema, compression="none", use_dictionary=False) as writer:
        writer.write_table(table.combine_chunks(), row_group_size=rows)


def measured(path: Path, passes: int) -> None:
    """Prints the seconds of the profile and of the passes, and the peak of this process."""
    began = time.perf_counter()
    reference = parquet_profile(path, "m", "1", AT)
    made = time.perf_counter() - began
    began = time.perf_counter()
    total = parquet_profile(path, "m", "1", AT, like=reference)
    for _ in range(passes - 1):
        total = merged(total, parquet_profile(path, "m", "1", AT, like=reference))
    found = drift_between_profiles(reference, total)
    taken = time.perf_counter() - began
    worst = max(one.psi for one in found.values())
    print(
        f"{total.rows:,} x {len(found):,} from Parquet: {made:.1f} s to profile one row group, "
        f"{taken:.0f} s to measure all ({time.process_time():.0f} s of processor for both), "
        f"peak {peak_mb():.0f} MB (aim: < {AIM_MB}), worst PSI {worst:.4f}"
    )


def report(passes: int = PASSES, rows: int = GROUP_ROWS, columns: int = COLUMNS) -> None:
    """Writing and measuring in processes of their own, so that each peak is its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "rows.parquet")
        for step in (["write", path, str(rows), str(columns)], ["measure", path, str(passes)]):
            subprocess.run([sys.executable, "-m", "benchmarks.wide", *step], check=True)


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        measured(Path(sys.argv[2]), int(sys.argv[3]))
