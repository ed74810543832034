"""What a retraining, and a registered model, teach of features and scores."""

from datetime import timedelta

import pytest

from agentops_graph.errors import NotEnoughDataError, NotFoundError
from agentops_graph.jobs.registered import importance_of_version
from agentops_graph.jobs.retraining import retrain
from tests.jobs.test_retraining import MODEL, ONSET, QUIET, Team
from tests.mlflow_store import empty_mlflow_store, mlflow_store  # noqa: F401 - fixtures

pytestmark = QUIET
HOUR = timedelta(hours=1)


@pytest.fixture
def team(mlflow_store):  # noqa: F811 - the fixture
    made = Team(mlflow_store)
    made.train_first()
    made.log()
    return made


def test_a_retraining_stores_what_its_holdout_teaches(team):
    result = retrain(team.order(team.action()))
    held = team.warehouse.reference(MODEL, result.version)
    assert held.importance["age"] > 0.95
    assert sum(held.importance.values()) == pytest.approx(1.0)
    assert held.healthy.calibration.rows == result.trial.holdout_rows
    wrong = held.healthy.usual.false_positive + held.healthy.usual.false_negative
    assert held.healthy.usual.wrong == pytest.approx(wrong)


def test_a_registered_version_is_weighed_on_labelled_rows_of_the_log(team):
    features, label = team.rows(600, flipped=False)
    team.warehouse.write(
        "PREDICTION_LOGS",
        [
            {
                "timestamp": ONSET - HOUR + timedelta(seconds=number),
                "prediction_id": f"healthy-{number}",
                "model_name": MODEL,
                "model_version": "1",
                "features": {"use": float(use), "age": float(age)},
                "prediction": 0.0,
                "actual_label": float(label[number]),
            }
            for number, (age, use) in enumerate(features)
        ],
    )
    watched = team.component
    found = importance_of_version(team.store, team.warehouse, watched, "1", ONSET - HOUR, ONSET)
    assert found["age"] > 0.95


def test_a_version_that_is_not_there_or_has_no_labels_is_told(team):
    watched = team.component
    with pytest.raises(NotEnoughDataError, match="importance takes"):
        importance_of_version(team.store, team.warehouse, watched, "2", ONSET, ONSET + HOUR)
    with pytest.raises(NotEnoughDataError, match="importance takes"):
        importance_of_version(
            team.store, team.warehouse, watched, "1", ONSET - 2 * HOUR, ONSET - HOUR
        )


def test_a_version_that_the_registry_lost_is_told(team):
    team.store.client().delete_model_version(MODEL, "1")
    with pytest.raises(NotFoundError):
        importance_of_version(team.store, team.warehouse, team.component, "1", ONSET, ONSET + HOUR)
