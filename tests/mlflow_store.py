"""One empty MLflow store per session, copied for each test that asks for one."""

import os
import shutil
import sqlite3

import pytest

from agentops_graph.adapters.mlflow_registry import MlflowStore, prepare
from agentops_graph.adapters.mlflow_registry.store import ENVIRONMENT

# MLflow warns about its own type hints while it is imported.
QUIET = pytest.mark.filterwarnings(
    "ignore:.*Any type hint:UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"
)


@pytest.fixture(scope="session")
def empty_mlflow_store(tmp_path_factory):
    """The database file of a store that holds nothing; making one takes two seconds."""
    home = tmp_path_factory.mktemp("mlflow")
    kept = {name: os.environ.get(name) for name in ENVIRONMENT}
    prepare(None, home)
    _restore(kept)
    return home / "mlflow.db"


@pytest.fixture
def mlflow_store(empty_mlflow_store, tmp_path):
    """A store of this test's own; MLflow's global settings are put back afterwards."""
    kept = {
        name: os.environ.get(name)
        for name in (*ENVIRONMENT, "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID")
    }
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(empty_mlflow_store, home / "mlflow.db")
    with sqlite3.connect(home / "mlflow.db") as connection:
        connection.execute(
            "UPDATE experiments SET artifact_location = ? WHERE name = 'Default'",
            ((home / "mlartifacts" / "0").as_uri(),),
        )
    connection.close()
    yield MlflowStore(None, home)
    _restore(kept)
    import mlflow

    mlflow.set_tracking_uri(kept["MLFLOW_TRACKING_URI"])
    _restore(kept)


def _restore(kept):
    for name, value in kept.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
