"""Weighs the features of a registered model on labelled rows of the warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_graph.adapters.mlflow_registry.store import MlflowStore, translated
from agentops_graph.errors import InputError, NotEnoughDataError
from agentops_graph.gathering.rows import picked
from agentops_graph.jobs.lessons import Coded, importance
from agentops_graph.jobs.slices import frame_for

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from agentops_graph.domain.component import Component
    from agentops_graph.ports import Warehouse

EXPERIMENT = "agentops-training"


def importance_of_version(
    store: MlflowStore,
    warehouse: Warehouse,
    component: Component,
    version: str,
    since: datetime,
    until: datetime,
) -> dict[str, float]:
    """Permutation importance of that version on its labelled rows in a stretch of time.

    Loading a model executes it, so this is done only for who asks. Raises NotFoundError for a
    version that the registry doesn't have, InputError for one that is no scikit-learn model over
    the logged features, NotEnoughDataError for too few labelled rows.
    """
    import numpy as np

    rows = warehouse.predictions(component.name, since, until, version=version, labelled=True)
    rows = picked(rows, np.isfinite(rows.label))
    needed = component.thresholds.drift_min_rows
    if len(rows) < needed:
        raise NotEnoughDataError(
            f"{len(rows)} of the {needed} labelled rows that importance takes; give the weights as "
            "`importance` in components.yaml instead"
        )
    estimator = _loaded(store, component.name, version)
    named = getattr(estimator, "feature_names_in_", None)
    names = tuple(rows.features) if named is None else tuple(str(name) for name in named)
    missing = [name for name in names if name not in rows.features]
    if missing or getattr(estimator, "n_features_in_", len(names)) != len(names):
        raise InputError(
            f"version {version} takes other features than are logged (missing: "
            f"{', '.join(missing[:5]) or 'names'}); give the weights as `importance` in "
            "components.yaml instead",
            field="importance",
        )
    frame = frame_for(estimator, rows, names, np.ones(len(rows), dtype=bool))
    return importance(estimator, Coded.of(frame, names), rows.label, component.metric)


def _loaded(store: MlflowStore, model: str, version: str) -> Any:
    store.fluent(EXPERIMENT)
    import mlflow.sklearn

    with translated(f"loading version {version} of {model}"):
        return mlflow.sklearn.load_model(f"models:/{model}/{version}")
