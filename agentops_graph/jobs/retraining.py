"""Retrains a scikit-learn model of the MLflow registry on labelled rows after the onset."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from agentops_graph.adapters.mlflow_registry.store import (
    KEY_TAG,
    MlflowStore,
    model_requirements,
    translated,
)
from agentops_graph.detection.profile import profile_of
from agentops_graph.detection.shift import numbers_only, words_only
from agentops_graph.domain.action import RetrainModel
from agentops_graph.domain.gate import Trial
from agentops_graph.errors import InputError, NotEnoughDataError
from agentops_graph.gathering.rows import picked
from agentops_graph.gathering.segment_baselines import with_segments
from agentops_graph.jobs.lessons import with_lessons
from agentops_graph.jobs.order import WorkOrder, WorkResult
from agentops_graph.jobs.scoring import (
    answers,
    as_learned,
    judged,
    positives,
    scores,
    standard_error,
)
from agentops_graph.jobs.slices import Slices, slices_of

if TYPE_CHECKING:
    import numpy as np
    from mlflow.tracking import MlflowClient
    from numpy.typing import NDArray

    from agentops_graph.domain.frames import Predictions
    from agentops_graph.domain.metric import Metric
    from agentops_graph.domain.profile import ReferenceProfile

    Floats = NDArray[np.float64]
    Words = NDArray[np.object_]

EXPERIMENT = "agentops-training"


@dataclass(frozen=True)
class Contest:
    """Candidate and incumbent on the same holdout, in all metrics of the primary one's family."""

    metric: str
    new: dict[str, float]
    old: dict[str, float]
    noise: float
    positives: int

    @property
    def wording(self) -> str:
        return f"{self.metric} {self.old[self.metric]:.3f} -> {self.new[self.metric]:.3f}"


def retrain(order: WorkOrder) -> WorkResult:
    """A new version and its trial against the incumbent on the approved holdout.

    Running it again under the same key returns the version that the first run registered. Raises
    InputError for an action or metric it can't do, NotEnoughDataError without rows to learn from,
    ConflictError when the holdout is no longer the one that was approved.
    """

    action = order.action
    if not isinstance(action, RetrainModel):
        raise InputError(f"the retraining was given {action.action}")
    store = MlflowStore(order.tracking_uri, order.home, allow_remote=True)
    order.report(0.05, "reading labelled rows")
    rows = order.warehouse.predictions(
        action.model, action.train_from, action.holdout_until, labelled=True
    )
    order.report(0.25, f"{len(rows)} labelled rows read, loading version {action.base_version}")
    incumbent = _loaded(store, action.model, action.base_version)
    slices = slices_of(rows, action, incumbent)
    order.report(0.4, f"training on {len(slices.train_label)} rows")
    version = _registered(store.client(), action.model, order.key)
    candidate = _loaded(store, action.model, version) if version else _fitted(incumbent, slices)
    order.report(0.6, f"judging both versions on {len(slices.holdout_label)} rows")
    contest = _contest(candidate, incumbent, slices, order.component.metric)
    if version is None:
        order.report(0.75, f"{contest.wording}, registering the new version")
        version = _register(store, order, action, candidate, slices, contest)
    order.report(0.85, "learning what its scores are worth and which features matter")
    profile = _profile(order, version, candidate, slices, contest)
    order.history.save_reference(_by_segment(profile, order, rows, slices, candidate))
    order.report(0.95, f"version {version} registered, its reference profile saved")
    baseline = _baseline(order, action, store.client())
    return _result(action, _trial(action, version, contest, slices, baseline), slices)


def _profile(
    order: WorkOrder, version: str, candidate: Any, slices: Slices, contest: Contest
) -> ReferenceProfile:
    import numpy as np

    profile = profile_of(
        order.component.name,
        version,
        numbers_only(slices.train_columns, slices.train_words),
        contest.new,
        datetime.now(UTC),
        categories=words_only(slices.train_columns, slices.train_words),
        outputs={
            "prediction": answers(candidate, slices.holdout),
            "label": np.concatenate([slices.train_label, slices.holdout_label]),
        },
    )
    return with_lessons(
        profile.model_copy(update={"metric_errors": {contest.metric: contest.noise}}),
        candidate,
        slices.holdout,
        slices.names,
        slices.holdout_label,
        order.component.metric,
    )


def _by_segment(
    profile: ReferenceProfile, order: WorkOrder, rows: Predictions, slices: Slices, candidate: Any
) -> ReferenceProfile:
    """The profile with the new version's metric by segment, on rows it was not trained on."""
    held_out = picked(rows, slices.held_out)
    predicted, confidence = judged(candidate, slices.holdout)
    answered = replace(held_out, prediction=predicted, confidence=confidence)
    return with_segments(profile, order.component, answered)


def _trial(
    action: RetrainModel,
    version: str,
    contest: Contest,
    slices: Slices,
    baseline: tuple[float, str],
) -> Trial:
    return Trial(
        metric=contest.metric,
        candidate=contest.new[contest.metric],
        incumbent=contest.old[contest.metric],
        baseline=baseline[0],
        baseline_source=baseline[1],
        holdout_rows=len(slices.holdout_label),
        holdout_positives=contest.positives,
        holdout_sha256=action.holdout_sha256,
        candidate_version=version,
        noise=contest.noise,
    )


def _contest(candidate: Any, incumbent: Any, slices: Slices, metric: Metric) -> Contest:
    rows, label = slices.holdout, slices.holdout_label
    return Contest(
        metric=metric.name,
        new=scores(candidate, rows, label, metric),
        old=scores(incumbent, rows, label, metric),
        noise=standard_error(candidate, rows, label, metric),
        positives=positives(label, metric),
    )


def _result(action: RetrainModel, trial: Trial, slices: Slices) -> WorkResult:
    train_rows = len(slices.train_label)
    name = trial.metric.upper()
    return WorkResult(
        summary=(
            f"{action.model} version {trial.candidate_version} trained on {train_rows} rows: "
            f"{name} {trial.candidate:.3f} on the holdout, the incumbent's "
            f"{trial.incumbent:.3f}, baseline {trial.baseline:.3f}"
        ),
        version=trial.candidate_version,
        trial=trial,
        details={"train_rows": train_rows, "holdout_rows": trial.holdout_rows},
    )


def _loaded(store: MlflowStore, model: str, version: str) -> Any:
    """Loading a model is executing it: done here, in the job, for the approved name only."""
    store.fluent(EXPERIMENT)
    import mlflow.sklearn

    with translated(f"loading version {version} of {model}"):
        return mlflow.sklearn.load_model(f"models:/{model}/{version}")


def _fitted(incumbent: Any, slices: Slices) -> Any:
    from sklearn.base import clone

    return clone(incumbent).fit(slices.train, as_learned(incumbent, slices.train_label))


def _registered(client: MlflowClient, model: str, key: str) -> str | None:
    """The version that an earlier run under the same key made."""
    with translated(f"versions of {model}"):
        held = client.search_model_versions(f"name = '{model}' and tags.`{KEY_TAG}` = '{key}'")
    return str(held[0].version) if held else None


def _register(
    store: MlflowStore,
    order: WorkOrder,
    action: RetrainModel,
    candidate: Any,
    slices: Slices,
    contest: Contest,
) -> str:
    experiment_id = store.fluent(EXPERIMENT)
    import mlflow
    import mlflow.sklearn

    client = store.client()
    tags = {KEY_TAG: order.key, "incident_id": order.incident_id}
    with translated(f"registering a version of {action.model}"):
        with mlflow.start_run(
            experiment_id=experiment_id, run_name=f"retrain {action.model}", tags=tags
        ) as run:
            mlflow.log_params(
                {
                    "base_version": action.base_version,
                    "train_from": action.train_from.isoformat(),
                    "train_until": action.train_until.isoformat(),
                    "train_rows": len(slices.train_label),
                    "holdout_rows": len(slices.holdout_label),
                    "holdout_sha256": action.holdout_sha256,
                }
            )
            mlflow.log_metrics(contest.new)
            mlflow.log_metrics({f"{name}_incumbent": v for name, v in contest.old.items()})
            logged = mlflow.sklearn.log_model(
                candidate, name="model", pip_requirements=model_requirements()
            )
        # The tag comes with the version, in one write, so that a second run finds it.
        made = client.create_model_version(
            action.model, logged.model_uri, run.info.run_id, tags=tags, model_id=logged.model_id
        )
    return str(made.version)


def _baseline(order: WorkOrder, action: RetrainModel, client: MlflowClient) -> tuple[float, str]:
    """The metric recorded for the base version while it was healthy, and where that stands."""
    metric = order.component.metric
    profile = order.warehouse.reference(action.model, action.base_version)
    recorded = None if profile is None else metric.among(profile.metrics)
    if recorded is not None:
        return recorded, "recorded while healthy"
    with translated(f"version {action.base_version} of {action.model}"):
        held = client.get_model_version(action.model, action.base_version)
        metrics = client.get_run(held.run_id).data.metrics if held.run_id else {}
    logged = metric.among(metrics)
    if logged is None:
        raise NotEnoughDataError(
            f"no {metric.name} is recorded for version {action.base_version} of {action.model}; "
            "log it on the version's run, or save a reference profile with it"
        )
    return float(logged), "logged with its training run"
