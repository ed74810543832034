"""Times one drift library on the benchmark's table, in the environment of peers.sh.

Prints JSON: `seconds`, and `figures`, its PSI or Jensen-Shannon distance by column.

Usage: PEER_PYTHON benchmarks/peer_drift.py evidently|nannyml ROWS COLUMNS
"""

import json
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd


def table(rows: int, columns: int, seed: int) -> pd.DataFrame:
    """The rows that benchmarks/detection.py makes from the same seed."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame({f"f{n}": rng.normal(0.1 * seed, size=rows) for n in range(columns)})


def evidently_psi(reference: pd.DataFrame, current: pd.DataFrame) -> Callable[[], object]:
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    shape = DataDefinition(numerical_columns=list(reference))
    before = Dataset.from_pandas(reference, data_definition=shape)
    now = Dataset.from_pandas(current, data_definition=shape)
    return lambda: Report([DataDriftPreset(method="psi")]).run(now, before)


def evidently_figures(found: Any) -> dict[str, float]:
    metrics = found.dict()["metrics"]
    return {m["config"]["column"]: float(m["value"]) for m in metrics if "column" in m["config"]}


def nannyml_js(reference: pd.DataFrame, current: pd.DataFrame) -> Callable[[], object]:
    from nannyml import UnivariateDriftCalculator

    def run() -> object:
        calculator = UnivariateDriftCalculator(
            column_names=list(reference), continuous_methods=["jensen_shannon"], chunk_number=1
        )
        return calculator.fit(reference).calculate(current)

    return run


def nannyml_figures(found: Any) -> dict[str, float]:
    last = found.to_df().iloc[-1]  # the reference's own chunks stand before it
    return {key[0]: float(value) for key, value in last.items() if key[2] == "value"}


def main() -> None:
    warnings.filterwarnings("ignore")
    name, rows, columns = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    make, read = {
        "evidently": (evidently_psi, evidently_figures),
        "nannyml": (nannyml_js, nannyml_figures),
    }[name]
    run = make(table(rows, columns, 0), table(rows, columns, 1))
    began = time.perf_counter()
    found = run()
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "figures": read(found)}))


if __name__ == "__main__":
    main()
