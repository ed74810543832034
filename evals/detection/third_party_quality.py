"""Scores the checks of batches: labelled errors in a flight table, and a feed that goes bad.

`python -m evals.detection.third_party_quality [--predictions FILE]`. The sets are read from
`../shared/data`, or from the folder that AGENTOPS_EVAL_DATA names; `--predictions` writes the lines
that their own scorer takes.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from agentops_graph.detection.contract_check import Checked, checked
from agentops_graph.detection.contract_inference import inferred
from agentops_graph.domain.component import Thresholds
from agentops_graph.domain.contract import Contract
from evals.shared_sets import scorer

SCORER = "score_data_quality"
LIMIT = Thresholds().quality_violations
CHUNK = 5000
# The set's own baseline: a cell that is empty or no time; recall over the three sizes of a list.
BASELINE = {"explicitmissingvalue": "1.00", "noise": ".52-.57", "typoGenerator": ".45-.59"}


@dataclass(frozen=True)
class Row:
    """One line of the table: what was scored, how well, and whether that is what was due."""

    name: str
    figures: dict[str, float]
    baseline: str
    is_right: bool
    prediction: dict[str, Any]


def rows(module: ModuleType) -> list[Row]:
    """Every line of the table, measured with the shipped defaults."""
    return [*flights(module), *held_out_flights(module), *car_loan(module)]


def flights(module: ModuleType) -> list[Row]:
    """A contract inferred from the clean table, then each of the 18 lists put into it."""
    folder = module.HERE / "data_quality" / "flights_typed"
    contract = inferred(module.read(folder / "clean.csv"), "flights")
    found = []
    for path in sorted(folder.glob("errors_*.csv")):
        seen = checked(module.dirty(path.name), contract)
        rate = seen.report.violation_rate
        found.append(_flight_row(module, path, seen.flagged, rate, ""))
    return found


def held_out_flights(module: ModuleType) -> list[Row]:
    """The same with contracts that never saw the rows they judge: the even rows make the contract
    of the odd ones, and the other way round."""
    folder = module.HERE / "data_quality" / "flights_typed"
    clean = module.read(folder / "clean.csv")
    even = np.arange(len(clean)) % 2 == 0
    contracts = [(inferred(clean[~part], "flights"), part) for part in (even, ~even)]
    found = []
    for path in sorted(folder.glob("errors_*.csv")):
        dirty = module.dirty(path.name)
        flagged, wrong = np.zeros(len(dirty), dtype=np.bool_), 0
        for contract, part in contracts:
            seen = checked(dirty[part], contract)
            flagged[part] = seen.flagged
            wrong += seen.report.violations
        found.append(_flight_row(module, path, flagged, wrong / len(dirty), "held out: "))
    return found


def _flight_row(
    module: ModuleType, path: Path, flagged: np.ndarray, rate: float, label: str
) -> Row:
    truth = {int(row) for row in module.read(path).row}
    called = {int(row) for row in np.flatnonzero(flagged)}
    _, percent, kind = path.stem.split("_")
    due = percent == "10" and kind in ("explicitmissingvalue", "noise")
    free = percent == "10" and not due  # what the scorer leaves open
    hit = len(called & truth)
    figures = {
        "precision": hit / len(called) if called else 1.0,
        "recall": hit / len(truth),
        "violations": rate,
        "alert": float(rate > LIMIT),
    }
    return Row(
        f"{label}{kind} {percent}%",
        figures,
        BASELINE.get(kind, "0"),
        free or (rate > LIMIT) == due,
        {"set": "flights_typed", "list": path.name, "rows": sorted(called)},
    )


def car_loan(module: ModuleType) -> list[Row]:
    """The contract of the reference's columns that the feed has (its label comes later), then the
    analysis rows in batches of 5,000."""
    import pandas as pd

    folder = module.HERE / "data_quality" / "car_loan_dq"
    reference = pd.read_csv(folder / "reference.csv.gz")
    analysis = pd.read_csv(folder / "analysis.csv.gz")
    contract = inferred(reference[list(analysis.columns)], "car_loan")
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    return [_loan_row(contract, analysis, chunk) for chunk in truth]


def _loan_row(contract: Contract, analysis: Any, chunk: dict[str, Any]) -> Row:
    start = chunk["start"]
    seen: Checked = checked(analysis[start : start + CHUNK], contract)
    report = seen.report
    exact = {
        kind: sum(getattr(report, kind).get(column) == count for column, count in named.items())
        for kind, named in chunk.items()
        if kind in ("missing", "unseen")
    }
    alert = report.violation_rate > LIMIT
    wanted = {kind: len(chunk[kind]) for kind in exact}
    return Row(
        f"car_loan rows {start}..{start + CHUNK}",
        {
            "exact missing": exact["missing"],
            "exact unseen": exact["unseen"],
            "violations": report.violation_rate,
            "alert": float(alert),
        },
        "-",
        exact == wanted and alert == (start >= 25_000),
        {
            "set": "car_loan_dq",
            "start": start,
            "missing": report.missing,
            "unseen": report.unseen,
            "alert": alert,
        },
    )


def told(row: Row) -> str:
    """One line of the table."""
    figures = "  ".join(
        f"{name} {'yes' if value else 'no ':3}" if name == "alert" else f"{name} {value:.3g}"
        for name, value in row.figures.items()
    )
    right = "right" if row.is_right else "WRONG"
    return f"{row.name:44} {figures:62} baseline recall {row.baseline:8} {right}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--predictions", type=Path)
    where = parser.parse_args().predictions
    module = scorer(SCORER)
    if module is None:
        print("SKIPPED: no labelled batches; set AGENTOPS_EVAL_DATA to their folder")
        return 0
    found = rows(module)
    for row in found:
        print(told(row))
    loan = [row for row in found if row.name.startswith("car_loan")]
    missing = sum(row.figures["exact missing"] for row in loan)
    unseen = sum(row.figures["exact unseen"] for row in loan)
    first = next((row.prediction["start"] for row in loan if row.figures["alert"]), None)
    print(f"car_loan: {missing:.0f} of 20 and {unseen:.0f} of 10 counts exact, first alert {first}")
    if where is not None:
        said = [row.prediction for row in found if not row.name.startswith("held out")]
        where.write_text("".join(json.dumps(p) + "\n" for p in said), encoding="utf-8")
    return 0 if all(row.is_right for row in found) else 1


if __name__ == "__main__":
    sys.exit(main())
