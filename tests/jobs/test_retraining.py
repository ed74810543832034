"""A retrain on a team's own rows: a real model, a frozen holdout, and one version per approval."""

import sqlite3
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agentops_graph.adapters.mlflow_registry import MlflowModels
from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.domain.action import RerunPipeline, RetrainModel
from agentops_graph.domain.component import Component
from agentops_graph.domain.frames import Predictions
from agentops_graph.domain.gate import judge
from agentops_graph.domain.metric import F1, Metric
from agentops_graph.errors import ConflictError, InputError, NotEnoughDataError, NotFoundError
from agentops_graph.gathering.holdout import freeze
from agentops_graph.jobs.order import WorkOrder
from agentops_graph.jobs.retraining import retrain
from agentops_graph.jobs.scoring import scores, standard_error
from agentops_graph.jobs.slices import columns_for, frame_for
from tests.mlflow_store import QUIET, empty_mlflow_store, mlflow_store  # noqa: F401 - fixtures

pytestmark = QUIET
MODEL = "churn"
ONSET = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ROWS = 1500


class Team:
    """A team's world: two features, of which one changed its sign at the onset."""

    def __init__(self, store):
        self.store, self.rng = store, np.random.default_rng(5)
        self.warehouse = SqliteWarehouse(store.home / "warehouse.db")
        self.warehouse.create_tables()
        self.component = Component(name=MODEL, metric=F1)
        self.reports = []

    def rows(self, count, *, flipped):
        label = (self.rng.random(count) < 0.3).astype(float)
        age = self.rng.standard_normal(count) + 3 * label
        use = self.rng.standard_normal(count)
        return np.column_stack([-age if flipped else age, use]), label

    def train_first(self, *, names=("age", "use"), metrics=True):
        import mlflow
        import mlflow.sklearn
        import pandas as pd
        from sklearn.linear_model import LogisticRegression

        features, label = self.rows(2000, flipped=False)
        seen = pd.DataFrame(features, columns=list(names)) if names else features
        model = LogisticRegression().fit(seen, label)
        self.store.fluent("team")
        with mlflow.start_run():
            if metrics:
                mlflow.log_metrics({"f1": 0.90, "auc": 0.95})
            mlflow.sklearn.log_model(
                model, name="model", pip_requirements=["scikit-learn"], registered_model_name=MODEL
            )

    def log(self):
        features, label = self.rows(ROWS, flipped=True)
        self.warehouse.write(
            "PREDICTION_LOGS",
            [
                {
                    "timestamp": ONSET + timedelta(seconds=number),
                    "prediction_id": f"p{number:05d}",
                    "model_name": MODEL,
                    "model_version": "1",
                    "features": {"use": float(use), "age": float(age)},
                    "prediction": 0.0,
                    "confidence": 0.5,
                    "actual_label": float(label[number]),
                    "latency_ms": 3.0,
                }
                for number, (age, use) in enumerate(features)
            ],
        )

    def action(self):
        held = freeze(self.warehouse, self.component, ONSET, ONSET + timedelta(hours=1))
        return RetrainModel(
            model=MODEL,
            base_version="1",
            train_from=held.train_from,
            train_until=held.train_until,
            holdout_until=held.holdout_until,
            holdout_sha256=held.sha256,
            holdout_rows=held.rows,
        )

    def order(self, action, key="apr-1:do", metric=F1):
        return WorkOrder(
            key=key,
            action=action,
            incident_id="inc-1",
            component=self.component.model_copy(update={"metric": metric}),
            warehouse=self.warehouse,
            history=self.warehouse,
            home=self.store.home,
            tracking_uri=self.store.uri,
            report=lambda share, text: self.reports.append((share, text)),
        )


@pytest.fixture
def team(mlflow_store):  # noqa: F811 - the fixture
    made = Team(mlflow_store)
    made.train_first()
    made.log()
    return made


def test_a_retrain_recovers_and_passes_the_gate_on_the_approved_rows(team):
    action = team.action()
    result = retrain(team.order(action))
    trial = result.trial
    assert result.version == trial.candidate_version == "2"
    assert trial.candidate > 0.85
    assert trial.incumbent < 0.5
    assert (trial.baseline, trial.baseline_source) == (0.90, "logged with its training run")
    assert trial.holdout_rows == action.holdout_rows
    assert 0 < trial.noise < 0.05
    report = judge(trial, F1, holdout_sha256=action.holdout_sha256, min_positives=100)
    assert report.verdict == "passed"
    shares = [share for share, _ in team.reports]
    assert shares == sorted(shares)
    assert shares[-1] > 0.9


def test_the_new_version_carries_its_figures_and_profile_but_not_production(team):
    retrain(team.order(team.action()))
    version = MlflowModels(team.store).version(MODEL, "2")
    assert version.tags["agentops.key"] == "apr-1:do"
    assert version.aliases == ()
    assert {"f1", "precision", "recall", "auc", "f1_incumbent"} <= set(version.metrics)
    assert version.parameters["base_version"] == "1"
    profile = team.warehouse.reference(MODEL, "2")
    assert profile.metrics["f1"] == pytest.approx(version.metrics["f1"])
    assert set(profile.features) == {"age", "use"}


def test_the_profile_says_how_the_new_version_predicts(team):
    retrain(team.order(team.action()))
    outputs = team.warehouse.reference(MODEL, "2").outputs
    assert set(outputs) == {"prediction", "label"}
    assert outputs["label"].cells.rows == ROWS
    assert outputs["prediction"].quantiles[0] == 0
    assert outputs["prediction"].quantiles[-1] == 1


def test_a_model_of_words_and_numbers_is_trained_on_both(team):
    import pandas as pd
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    plans = np.where(team.rng.random(400) < 0.5, "basic", "pro").astype(object)
    label = (plans == "pro") * 1.0
    seen = pd.DataFrame({"plan": plans, "use": team.rng.random(400)})
    encoder = make_column_transformer((OneHotEncoder(), ["plan"]), remainder="passthrough")
    incumbent = make_pipeline(encoder, LogisticRegression()).fit(seen, label)
    rows = Predictions(
        ids=[f"p{n}" for n in range(400)],
        timestamps=ONSET.timestamp() + np.arange(400.0),
        features={"use": team.rng.random(400), "plan": np.full(400, np.nan)},
        prediction=label,
        confidence=label,
        label=label,
        latency_ms=label,
        version=["1"] * 400,
        categories={"plan": plans},
    )
    names = columns_for(incumbent, rows)
    assert names == ("plan", "use")
    learned = frame_for(incumbent, rows, names, np.arange(400) < 300)
    assert learned["plan"].tolist() == plans[:300].tolist()
    assert (incumbent.predict(learned) == label[:300]).all()


def test_the_same_approval_never_makes_two_versions(team):
    order = team.order(team.action())
    first, again = retrain(order), retrain(order)
    assert first.trial == again.trial
    assert [v.version for v in MlflowModels(team.store).versions(MODEL)] == ["2", "1"]


def test_a_recorded_profile_is_the_baseline_before_any_run(team):
    first = retrain(team.order(team.action()))
    action = team.action().model_copy(update={"base_version": "2"})
    second = retrain(team.order(action, key="apr-2:do"))
    assert second.trial.baseline == pytest.approx(first.trial.candidate)
    assert second.trial.baseline_source == "recorded while healthy"


def test_labels_that_changed_since_the_approval_stop_the_training(team):
    action = team.action()
    with sqlite3.connect(team.warehouse.path) as connection:
        connection.execute(
            "UPDATE PREDICTION_LOGS SET actual_label = 1 - actual_label "
            "WHERE prediction_id = 'p01400'"
        )
    connection.close()
    with pytest.raises(ConflictError, match="holdout has changed"):
        retrain(team.order(action))
    assert [v.version for v in MlflowModels(team.store).versions(MODEL)] == ["1"]


def test_what_can_not_be_trained_is_said(team):
    action = team.action()
    rerun = RerunPipeline(pipeline="p", window_from=ONSET, window_until=ONSET)
    with pytest.raises(InputError, match="rerun_pipeline"):
        retrain(team.order(rerun))
    with pytest.raises(InputError, match="bleu"):
        retrain(
            team.order(
                action, metric=Metric(name="bleu", task="text", direction="higher_is_better")
            )
        )
    with pytest.raises(NotFoundError, match="version 8"):
        retrain(team.order(action.model_copy(update={"base_version": "8"})))


def test_a_model_with_other_features_is_refused_by_name(mlflow_store):  # noqa: F811
    team = Team(mlflow_store)
    team.train_first(names=("age", "income"))
    team.log()
    with pytest.raises(NotEnoughDataError, match="income"):
        retrain(team.order(team.action()))


def test_a_version_without_recorded_metric_has_no_baseline(mlflow_store):  # noqa: F811
    team = Team(mlflow_store)
    team.train_first(metrics=False)
    team.log()
    with pytest.raises(NotEnoughDataError, match="no f1 is recorded"):
        retrain(team.order(team.action()))


class Threshold:
    """An estimator that calls everything above zero a positive."""

    def predict(self, features):
        return (features[:, 0] > 0).astype(float)


def test_the_closed_form_of_the_f1_error_agrees_with_resampling():
    rng = np.random.default_rng(2)
    label = (rng.random(4000) < 0.3).astype(float)
    features = (rng.standard_normal(4000) - 1 + 2 * label)[:, None]
    model, draws = Threshold(), []
    for _ in range(300):
        rows = rng.integers(0, len(label), len(label))
        draws.append(scores(model, features[rows], label[rows], F1)["f1"])
    assert standard_error(model, features, label, F1) == pytest.approx(np.std(draws), rel=0.2)


def test_regressions_are_scored_in_their_own_units():
    label = np.array([-1.0, 0.5, 2.0, 1.0])
    mae = Metric(name="mae")
    figures = scores(Threshold(), np.array([[-1.0], [1.0], [1.0], [1.0]]), label, mae)
    assert figures["mae"] == pytest.approx((1.0 + 0.5 + 1.0 + 0.0) / 4)
    assert {"rmse", "mae", "r2", "smape", "pinball"} <= set(figures)
    assert standard_error(Threshold(), label[:, None], label, Metric(name="rmse")) > 0
