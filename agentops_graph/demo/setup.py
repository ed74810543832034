"""Makes the demo's whole world in a data folder: model, registry, warehouse, configuration."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agentops_graph.adapters.mlflow_registry.store import MlflowStore
from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.demo.traffic import Span, Traffic
from agentops_graph.demo.training import train_first_version
from agentops_graph.demo.world import MODEL, PIPELINE, transactions

TRAIN_ROWS = 30_000
HOLDOUT_ROWS = 100_000  # 14,000 frauds: sampling leaves the baseline F1 within +-0.003
HOURS = 3.0
FAULT_AGE = timedelta(minutes=55)
# Expected rows lie between the 60,000 an hour of the past and the 162,000 of live traffic.
COMPONENTS = {
    "components": [
        {
            "name": MODEL,
            "kind": "model",
            "metric": {"name": "f1"},
            "feeds": [PIPELINE],
            "expected_rows_per_hour": 90_000,
            "health": {"seconds": 6, "every_s": 1, "looks": 3},
            "entry_points": {"retrain_model": "agentops_graph.jobs.retraining:retrain"},
        },
        {
            "name": PIPELINE,
            "kind": "pipeline",
            "expected_rows_per_hour": 90_000,
            "entry_points": {"rerun_pipeline": "agentops_graph.demo.pipeline:rerun"},
        },
    ]
}


@dataclass(frozen=True)
class DemoFacts:
    """What was made, and what it measures."""

    home: Path
    tracking_uri: str
    version: str
    baseline: dict[str, float]
    predictions: int
    began_at: datetime
    until: datetime
    fault_at: datetime | None
    took_s: float


def prepare(
    home: Path,
    tracking_uri: str | None = None,
    *,
    seed: int = 7,
    fault: bool = True,
    hours: float = HOURS,
    now: datetime | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> DemoFacts:
    """A trained and registered model with `hours` of scored traffic that ends now.

    With `fault` the vendor's change came 55 minutes ago. `say` gets a line at each step. Raises
    InputError for a store that can't be used.
    """
    import numpy as np

    started = time.monotonic()
    rng = np.random.default_rng([seed, 2026])
    warehouse = SqliteWarehouse(home / "warehouse.db")
    _configure(home, warehouse)
    say("opening the MLflow store")
    store = MlflowStore(tracking_uri, home)
    store.client()
    now = now or datetime.now(UTC)
    began = now - timedelta(hours=hours)
    say(f"training {MODEL} on {TRAIN_ROWS} transactions")
    model, profile = train_first_version(
        store, transactions(TRAIN_ROWS, rng), transactions(HOLDOUT_ROWS, rng), began
    )
    warehouse.save_reference(profile)
    say(f"version {profile.model_version} is production, F1 {profile.metrics['f1']:.3f}")
    span = Span(since=began, until=now, changed_from=now - FAULT_AGE if fault else None)
    written = Traffic(warehouse, rng).back_fill(span, model, profile.model_version)
    say(f"{written} predictions of the last {hours:g} hours are in the warehouse")
    return DemoFacts(
        home=home,
        tracking_uri=store.uri,
        version=profile.model_version,
        baseline=dict(profile.metrics),
        predictions=written,
        began_at=began,
        until=now,
        fault_at=span.changed_from,
        took_s=time.monotonic() - started,
    )


def _configure(home: Path, warehouse: SqliteWarehouse) -> None:
    """The folder, its tables, and a components file unless the user has one."""
    import yaml

    home.mkdir(parents=True, exist_ok=True)
    warehouse.create_tables()
    path = home / "components.yaml"
    if not path.exists():
        document: Any = COMPONENTS
        path.write_text(yaml.safe_dump(document, sort_keys=False))
