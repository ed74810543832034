"""Scores drift detection with the shipped defaults on the labelled third-party sets.

`python -m evals.detection.third_party_drift`. The sets are read from `../shared/data`, or from the
folder that AGENTOPS_EVAL_DATA names.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from agentops_graph.detection.profile import profile_of
from agentops_graph.detection.shift import shift_of
from agentops_graph.detection.together import pairs_of
from evals.detection.concept import LINES, alarms_of
from evals.shared_sets import scorer

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats, Words

SCORER = "score_drift"
AT = datetime(2026, 1, 1, tzinfo=UTC)
# From the sets' own description.
BASELINES = {
    "car_loan": {
        "PSI > 0.3": "25/40", "PSI > 0.1": "40/40", "KS or chi-square, Bonferroni": "40/40",
    },
    "menelaus": {
        "PSI > 0.3": "18/20", "PSI > 0.1": "18/20", "KS or chi-square, Bonferroni": "19/20",
    },
    "control": {
        "PSI > 0.3": "0/80", "PSI > 0.1": "0/80", "KS or chi-square, Bonferroni": "3/80",
    },
    "stable features": {
        "PSI > 0.3": "0/416", "PSI > 0.1": "0/416", "KS or chi-square, Bonferroni": "3/416",
    },
    "concept": {"accuracy of a chunk 5% lower": "12/12, 1 false chunk of 228, 499 rows late"},
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One line of the table: what was asked of ours, and of those before."""

    of: str
    ours: int  # found, or false alarms
    total: int
    note: str = ""

    @property
    def baselines(self) -> dict[str, str]:
        return BASELINES.get(self.of.split(",")[0], {})


def rows(module: ModuleType) -> list[Row]:
    """Every figure of the covariate and the concept sets."""
    return [*covariate(module), *concept(module)]


def covariate(module: ModuleType) -> list[Row]:
    """Features named as drifted, and pairs of features that changed together."""
    said: dict[str, tuple[str, ...]] = {}
    apart: dict[str, bool] = {}
    pairs = module.pairs()
    for pair in pairs:
        said[pair["id"]], apart[pair["id"]] = _judged(*module.windows(pair))
    found = module.score_covariate(said)
    control = found[found.index.str.startswith("control")]
    joint = [p["id"] for p in pairs if p["drift"] and not p["drifted"]]
    quiet = [p["id"] for p in pairs if not p["drift"]]
    return [
        *(
            Row(of, int(found.loc[of, "found"]), int(found.loc[of, "drifted"]), "features found")
            for of in ("car_loan", "menelaus")
        ),
        Row("control", int(control.quiet_alarms.sum()), int(control.pairs.sum()), "false alarms"),
        Row("stable features", int(found.false.sum()), int(found.stable.sum()), "called drifted"),
        Row("changed together", sum(apart[i] for i in joint), len(joint), "pairs found"),
        Row("changed together, quiet", sum(apart[i] for i in quiet), len(quiet), "false alarms"),
    ]


def concept(module: ModuleType, streams: tuple[str, ...] = ()) -> list[Row]:
    """Alarms of the metrics of a model that is trained anew after each; all streams or some."""
    told = []
    for line in LINES:
        alarms = {name: alarms_of(*_stream(path), line) for name, path in _streams(module, streams)}
        found = module.score_concept(alarms).loc[list(alarms)]
        note = (
            f"found, {int(found.false.sum())} false chunks of {int(found.quiet_chunks.sum())}, "
            f"{_median_delay(module, alarms):.0f} rows late"
        )
        told.append(Row(f"concept, {line}", int(found.found.sum()), int(found.drifts.sum()), note))
    return told


def _judged(reference: Any, current: Any, names: list[str]) -> tuple[tuple[str, ...], bool]:
    features, categories = _columns(reference, names)
    profile = profile_of("third party", "1", features, {}, AT, categories=categories)
    now, words = _columns(current, names)
    shift = shift_of(profile, now, words, len(current))
    pairs = pairs_of(profile.together, now) if profile.together else []
    apart = any(
        p.is_clear and p.first not in shift.drifted and p.second not in shift.drifted for p in pairs
    )
    return shift.drifted, apart


def _columns(table: Any, names: list[str]) -> tuple[dict[str, Floats], dict[str, Words]]:
    from pandas.api.types import is_numeric_dtype

    numbers = [name for name in names if is_numeric_dtype(table[name])]
    return (
        {name: table[name].to_numpy(dtype=np.float64) for name in numbers},
        {
            name: np.array([v if isinstance(v, str) else None for v in table[name]], dtype=object)
            for name in names
            if name not in numbers
        },
    )


def _streams(module: ModuleType, wanted: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    for path in sorted((module.HERE / "drift" / "concept").glob("*.csv.gz")):
        if not wanted or path.name in wanted:
            yield path.name, path


def _stream(path: Path) -> tuple[Floats, Floats]:
    import pandas as pd

    table = pd.read_csv(path)
    return (
        table.filter(regex="^X").to_numpy(dtype=np.float64),
        table["class"].to_numpy(dtype=np.float64),
    )


def _median_delay(module: ModuleType, alarms: dict[str, list[int]]) -> float:
    """Over all drifts that were found, as the sets' baseline counts it."""
    import json

    late: list[int] = []
    truth = json.loads((module.HERE / "drift" / "concept" / "truth.json").read_text())
    for name, raised in alarms.items():
        starts = truth[name]["drift_rows"]
        for start, until in zip(starts, [*starts[1:], truth[name]["rows"]], strict=True):
            end = min(start + truth[name]["width"] + 3000, until)
            late += [alarm - start for alarm in raised if start <= alarm < end][:1]
    return float(np.median(late)) if late else float("nan")


def main() -> int:
    module = scorer(SCORER)
    if module is None:
        print("SKIPPED: no labelled drift sets; set AGENTOPS_EVAL_DATA to their folder")
        return 0
    for row in rows(module):
        print(f"{row.of:42} {row.ours:3}/{row.total:<3} {row.note}")
        for name, figure in row.baselines.items():
            print(f"    {name:38} {figure}")
    print("in-sample: the line of PSI 0.05 and the second line of the concept streams were chosen")
    print("with these sets in view")
    return 0


if __name__ == "__main__":
    sys.exit(main())
