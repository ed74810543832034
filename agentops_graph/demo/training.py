"""Trains version 1 of the fraud detector and registers it as production."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from agentops_graph.adapters.mlflow_registry.store import (
    MlflowStore,
    model_requirements,
    translated,
)
from agentops_graph.demo.world import FEATURES, MODEL, Batch
from agentops_graph.detection.profile import profile_of
from agentops_graph.domain.metric import F1
from agentops_graph.domain.profile import ReferenceProfile
from agentops_graph.jobs.lessons import with_lessons

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

EXPERIMENT = "fraud-detector-training"


def frame(features: Floats) -> Any:
    """The transactions as the model takes them, with named columns."""
    import pandas as pd

    return pd.DataFrame(features, columns=list(FEATURES), copy=False)


def fitted(batch: Batch) -> Any:
    """Scaler and logistic regression; linear, so that MLflow stores it without pickles."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression()).fit(
        frame(batch.features), batch.fraud
    )


def figures(fraud: Floats, predicted: Floats, confidence: Floats) -> dict[str, float]:
    """F1, precision, recall and AUC; 0.5 for the AUC of a batch with one class."""
    from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score

    both = 0 < fraud.sum() < len(fraud)
    return {
        "f1": float(f1_score(fraud, predicted, zero_division=0.0)),
        "precision": float(precision_score(fraud, predicted, zero_division=0.0)),
        "recall": float(recall_score(fraud, predicted, zero_division=0.0)),
        "auc": float(roc_auc_score(fraud, confidence)) if both else 0.5,
    }


def train_first_version(
    store: MlflowStore, train: Batch, holdout: Batch, at: datetime
) -> tuple[Any, ReferenceProfile]:
    """The estimator and its reference profile, whose metrics are those of the holdout."""
    model = fitted(train)
    healthy = frame(holdout.features)
    predicted = model.predict(healthy)
    measured = figures(holdout.fraud, predicted, model.predict_proba(healthy)[:, 1])
    version = _registered(store, model, measured, len(train))
    outputs = {"prediction": predicted, "label": holdout.fraud}
    profile = profile_of(MODEL, version, train.columns(), measured, at, outputs=outputs)
    return model, with_lessons(profile, model, healthy, FEATURES, holdout.fraud, F1)


def _registered(store: MlflowStore, model: Any, measured: dict[str, float], rows: int) -> str:
    experiment_id = store.fluent(EXPERIMENT)
    import mlflow
    import mlflow.sklearn

    client = store.client()
    with translated(f"registering {MODEL}"):
        with mlflow.start_run(experiment_id=experiment_id, run_name=f"train {MODEL}") as run:
            mlflow.log_params(
                {"train_rows": rows, "estimator": "StandardScaler+LogisticRegression"}
            )
            mlflow.log_metrics(measured)
            logged = mlflow.sklearn.log_model(
                model, name="model", pip_requirements=model_requirements()
            )
        if not client.search_registered_models(f"name = '{MODEL}'"):
            client.create_registered_model(MODEL)
        made = client.create_model_version(
            MODEL, logged.model_uri, run.info.run_id, model_id=logged.model_id
        )
        client.set_registered_model_alias(MODEL, "production", made.version)
    return str(made.version)
