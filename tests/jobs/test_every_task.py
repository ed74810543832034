"""Regression and multi-class models from their first good day to a retrain that passes."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.domain.action import RetrainModel
from agentops_graph.domain.component import Component
from agentops_graph.domain.gate import judge
from agentops_graph.domain.metric import Metric
from agentops_graph.errors import InputError, NotEnoughDataError
from agentops_graph.gathering.holdout import freeze
from agentops_graph.gathering.measure import measure
from agentops_graph.gathering.reference import reference_from
from agentops_graph.jobs.order import WorkOrder
from agentops_graph.jobs.retraining import retrain
from agentops_graph.jobs.scoring import as_learned, scores
from tests.mlflow_store import QUIET, empty_mlflow_store, mlflow_store  # noqa: F401 - fixtures

pytestmark = QUIET
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
GOOD = NOW - timedelta(days=2)
TOPICS = np.array(["politics", "science", "sports"])


def houses(rng, rows, harm):
    """Prices by area and rooms; after the onset a square metre costs twice as much."""
    area, rooms = rng.normal(80, 20, rows), rng.integers(1, 6, rows).astype(float)
    price = 3.0 * area * (2.0 if harm else 1.0) + 8 * rooms + rng.normal(0, 10, rows)
    return {"area": area, "rooms": rooms}, price


def articles(rng, rows, harm):
    """Topics by two word counts; after the onset two topics have changed places."""
    topic = rng.integers(0, 3, rows)
    shown = np.where(topic == 2, 0, np.where(topic == 0, 2, topic)) if harm else topic
    links = 4.0 * (shown == 1) + rng.normal(size=rows)
    goals = 4.0 * (shown == 2) + rng.normal(size=rows)
    return {"goals": goals, "links": links}, TOPICS[topic]


@dataclass
class Desk:
    """One model of a team: its registry, its log and what is asked about it."""

    store: object
    component: Component
    make: object
    estimator: object
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(3))

    def __post_init__(self):
        self.name = self.component.name
        self.warehouse = SqliteWarehouse(self.store.home / "warehouse.db")
        self.warehouse.create_tables()

    def train_first(self):
        import mlflow.sklearn
        import pandas as pd

        columns, label = self.make(self.rng, 2000, harm=False)
        self.model = self.estimator.fit(pd.DataFrame(columns), label)
        self.store.fluent("team")
        with mlflow.start_run():
            mlflow.sklearn.log_model(
                self.model,
                name="model",
                pip_requirements=["scikit-learn"],
                registered_model_name=self.name,
            )

    def log(self, since, rows, every_s, *, harm):
        import pandas as pd

        columns, label = self.make(self.rng, rows, harm)
        answers = self.model.predict(pd.DataFrame(columns))
        self.warehouse.write(
            "PREDICTION_LOGS",
            (
                {
                    "timestamp": since + timedelta(seconds=every_s * n),
                    "prediction_id": f"{since:%d}-{n}",
                    "model_name": self.name,
                    "model_version": "1",
                    "features": {name: float(values[n]) for name, values in columns.items()},
                    "prediction": answers[n],
                    "actual_label": label[n],
                    "latency_ms": 3.0,
                }
                for n in range(rows)
            ),
        )

    def take_reference(self):
        profile = reference_from(
            self.warehouse, self.component, GOOD, NOW - timedelta(days=1), None, at=NOW
        )
        self.warehouse.save_reference(profile)
        return profile

    def retrained(self):
        onset = NOW - timedelta(minutes=50)
        held = freeze(self.warehouse, self.component, onset, NOW)
        action = RetrainModel(
            model=self.name,
            base_version="1",
            train_from=held.train_from,
            train_until=held.train_until,
            holdout_until=held.holdout_until,
            holdout_sha256=held.sha256,
            holdout_rows=held.rows,
        )
        order = WorkOrder(
            key="apr-1:do",
            action=action,
            incident_id="inc-1",
            component=self.component,
            warehouse=self.warehouse,
            history=self.warehouse,
            home=self.store.home,
            tracking_uri=self.store.uri,
            report=lambda share, text: None,
        )
        trial = retrain(order).trial
        assert trial.holdout_positives == held.positives == held.rows
        return judge(trial, self.component.metric, holdout_sha256=held.sha256, min_positives=200)

    def served(self, version, rows):
        import mlflow.sklearn
        import pandas as pd

        columns, label = self.make(self.rng, rows, harm=True)
        model = mlflow.sklearn.load_model(f"models:/{self.name}/{version}")
        return model.predict(pd.DataFrame(columns)), label


@pytest.fixture
def desk(mlflow_store):  # noqa: F811 - the fixture
    def opened(entry, make, estimator):
        made = Desk(mlflow_store, Component.model_validate(entry), make, estimator)
        made.train_first()
        made.log(GOOD, 1500, 50, harm=False)
        made.log(NOW - timedelta(minutes=50), 900, 3, harm=True)
        return made

    return opened


def test_a_regression_that_broke_is_told_retrained_and_passes_its_gate(desk):
    from sklearn.linear_model import LinearRegression

    entry = {
        "name": "price",
        "task": "regression",
        "metric": "mae",
        "other_metrics": ["rmse", "r2"],
    }
    house = desk(entry, houses, LinearRegression())
    profile = house.take_reference()
    assert 7 < profile.metrics["mae"] < 9
    assert 0 < profile.metric_errors["mae"] < 0.5
    seen = measure(house.warehouse, house.component, NOW)
    (drop,) = [f for f in seen.findings if f.alert_type == "accuracy_drop"]
    assert drop.metric == "current_mae"
    assert drop.value > 100 > drop.threshold == pytest.approx(1.05 * profile.metrics["mae"])
    assert drop.summary.startswith("MAE rose from ")
    assert seen.readings["r2"] < 0 < profile.metrics["r2"]
    report = house.retrained()
    assert report.verdict == "passed", report.reasons
    assert report.trial.candidate < 9 < 100 < report.trial.incumbent
    assert "MAE" in report.reasons[0]
    assert " + " in report.reasons[0]


def test_classes_with_names_are_told_retrained_and_served_by_their_names(desk):
    from sklearn.linear_model import LogisticRegression

    entry = {"name": "topic", "metric": "macro_f1", "other_metrics": ["accuracy"]}
    paper = desk(entry, articles, LogisticRegression())
    profile = paper.take_reference()
    assert profile.metrics["macro_f1"] > 0.9
    seen = measure(paper.warehouse, paper.component, NOW)
    (drop,) = [f for f in seen.findings if f.alert_type == "accuracy_drop"]
    assert drop.metric == "current_macro_f1"
    assert drop.value < 0.6 < drop.baseline == profile.metrics["macro_f1"]
    assert seen.readings["accuracy"] < 0.6
    report = paper.retrained()
    assert report.verdict == "passed", report.reasons
    answers, label = paper.served("2", 500)
    assert set(answers) == set(TOPICS)
    assert np.mean(answers == label) > 0.9


class Named:
    classes_ = np.array(["ok", "stolen"])


class Coded:
    classes_ = np.array([0, 1])


class Constant:
    def predict(self, features):
        return np.zeros(len(features))


def test_labels_are_learned_as_the_classes_that_the_model_answers_with():
    from agentops_graph.domain.classes import class_code

    stolen, ok = class_code("stolen"), class_code("ok")
    assert as_learned(Named(), np.array([stolen, ok])).tolist() == ["stolen", "ok"]
    learned = as_learned(Coded(), np.array([0.0, 1.0]))
    assert learned.dtype.kind == "i"
    assert as_learned(Coded(), np.array([0.0, 2.0])).tolist() == [0.0, 2.0]
    assert as_learned(Constant(), np.array([1.5])).tolist() == [1.5]
    with pytest.raises(InputError, match=r"1 rows .* not trained on \(it knows ok, stolen\)"):
        as_learned(Named(), np.array([ok, class_code("lost")]))


def test_a_holdout_that_does_not_give_the_metric_is_refused_with_the_reason():
    features = np.zeros((5, 1))
    with pytest.raises(NotEnoughDataError, match=r"recall of the holdout .* no row is labelled 1"):
        scores(Constant(), features, np.zeros(5), Metric(name="recall"))
    with pytest.raises(NotEnoughDataError, match=r"roc_auc .* no `confidence`"):
        scores(Constant(), features, np.array([0, 1.0, 0, 1, 0]), Metric(name="roc_auc"))
    with pytest.raises(NotEnoughDataError, match=r"r2 .* all 5 labels are the same"):
        scores(Constant(), features, np.ones(5), Metric(name="r2"))
    with pytest.raises(InputError, match=r"ranking can't be scored .* entry point of its own"):
        scores(Constant(), features, np.ones(5), Metric(name="ndcg"))


def test_names_as_labels_of_a_binary_model_are_refused_with_what_to_do(desk):
    from sklearn.linear_model import LogisticRegression

    paper = desk({"name": "topic"}, articles, LogisticRegression())
    seen = measure(paper.warehouse, paper.component, NOW)
    (note,) = [note for note in seen.notes if note.startswith("f1: ")]
    assert "the labels of a binary model are 0 and 1, 900 of 900 are not" in note
    assert "task: multiclass" in note
