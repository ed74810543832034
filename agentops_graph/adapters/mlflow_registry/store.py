"""The MLflow store: made under a lock, reached through one client, its errors turned into ours."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agentops_graph.domain.address import is_loopback
from agentops_graph.errors import InputError, NotFoundError, UnavailableError

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

# Set before mlflow is first imported, here and in children: nothing phones home, and a server
# that does not answer costs two seconds instead of more than 45 (measured).
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "2",
    "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}
# Two threads that import MLflow for the first time at once see it half made.
_importing = threading.Lock()
EFFECT_TAG = "agentops.effect."
KEY_TAG = "agentops.key"


def default_uri(home: Path) -> str:
    return f"sqlite:///{home.absolute() / 'mlflow.db'}"


def prepare(tracking_uri: str | None, home: Path, *, allow_remote: bool = False) -> str:
    """Makes the store usable by several processes and returns its URI.

    Two of three processes crash when they meet an empty SQLite store together, so it is created
    under an operating-system lock in the home folder. Raises InputError for a store that can't be
    used and UnavailableError for one that can't be reached.
    """
    uri = tracking_uri or default_uri(home)
    _check(uri, allow_remote)
    load_mlflow()
    if not uri.startswith("sqlite:"):
        return uri
    home.mkdir(parents=True, exist_ok=True)
    with _locked(home / "mlflow.lock"), translated("creating the MLflow store"):
        from mlflow.tracking import MlflowClient

        MlflowClient(tracking_uri=uri).search_experiments(max_results=1)
    return uri


def _check(uri: str, allow_remote: bool) -> None:
    parts = urlsplit(uri)
    if parts.scheme in ("", "file"):
        raise InputError(
            f"{uri!r} is a folder store, which can't hold aliases safely; set "
            "AGENTOPS_MLFLOW_TRACKING_URI to sqlite:////path/mlflow.db and bring old runs over "
            "with `mlflow migrate-filestore`",
            field="mlflow_tracking_uri",
        )
    remote = parts.scheme in ("http", "https") and not is_loopback(uri)
    if (remote or parts.scheme.startswith("databricks")) and not allow_remote:
        raise InputError(
            f"{parts.hostname or parts.scheme} is not on this machine; set "
            "AGENTOPS_ALLOW_REMOTE_HOSTS=true to use it",
            field="mlflow_tracking_uri",
        )


MOST_MODELS = 1000


class MlflowStore:
    """One store; the first use imports MLflow, so that making one of these costs nothing."""

    def __init__(self, tracking_uri: str | None, home: Path, *, allow_remote: bool = False) -> None:
        self.uri = tracking_uri or default_uri(home)
        _check(self.uri, allow_remote)
        self.home = home
        self._allow_remote = allow_remote
        self._lock = threading.Lock()
        self._client: MlflowClient | None = None

    @property
    def is_remote(self) -> bool:
        return self.uri.startswith(("http", "databricks"))

    def client(self) -> MlflowClient:
        """Raises UnavailableError when the store can't be opened."""
        with self._lock:
            if self._client is None:
                prepare(self.uri, self.home, allow_remote=self._allow_remote)
                from mlflow.tracking import MlflowClient

                with translated("opening the MLflow store"):
                    self._client = MlflowClient(tracking_uri=self.uri)
            return self._client

    def registered(self, alias: str = "production") -> dict[str, str]:
        """The models of the registry, at most so many as one page holds, each with the version
        under that alias, or "" without one."""
        client = self.client()
        with translated("the models of the registry"):
            held = client.search_registered_models(max_results=MOST_MODELS)
        return {model.name: str(dict(model.aliases).get(alias, "")) for model in held}

    def run(self, run_id: str) -> Run | None:
        """None for a run that was deleted; the versions that it made stay."""
        try:
            with translated(f"run {run_id}"):
                return self.client().get_run(run_id)
        except NotFoundError:
            return None

    def experiment(self, name: str) -> str:
        """Id of an experiment, made when it is not there, its artifacts in the home folder."""
        client = self.client()
        with translated(f"experiment {name}"):
            found = client.get_experiment_by_name(name)
            if found is not None:
                return str(found.experiment_id)
        return self._created(name)

    def _created(self, name: str) -> str:
        location = None if self.is_remote else (self.home / "mlartifacts" / name).absolute()
        with _locked(self.home / "mlflow.lock"), translated(f"experiment {name}"):
            found = self.client().get_experiment_by_name(name)
            if found is not None:
                return str(found.experiment_id)
            uri = location.as_uri() if location else None
            return str(self.client().create_experiment(name, artifact_location=uri))

    def fluent(self, experiment: str) -> str:
        """Points MLflow's global functions at this store; returns the experiment's id.

        Needed where MLflow offers no client call: logging a model, and starting a trace.
        """
        experiment_id = self.experiment(experiment)
        import mlflow

        if mlflow.get_tracking_uri() != self.uri:
            mlflow.set_tracking_uri(self.uri)
        return experiment_id


def load_mlflow() -> None:
    """The first import, by one thread at a time and with nothing phoning home."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with _importing:
        import mlflow
        import mlflow.exceptions
        import mlflow.tracking  # noqa: F401 - loaded here so that nobody else sees it half made


@contextlib.contextmanager
def translated(what: str) -> Iterator[None]:
    """Turns the errors of MLflow and of its transport into NotFoundError or UnavailableError."""
    load_mlflow()
    import requests
    import sqlalchemy.exc
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        first = str(error.message).splitlines()[0][:300]
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise NotFoundError(f"{what}: {first}") from error
        raise UnavailableError(f"{what}: MLflow did not do it: {first}") from error
    except (requests.RequestException, sqlalchemy.exc.SQLAlchemyError, OSError) as error:
        raise UnavailableError(
            f"{what}: MLflow can't be reached ({type(error).__name__})"
        ) from error


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """An exclusive lock that the operating system frees when the process dies."""
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


def model_requirements() -> list[str]:
    """What a logged scikit-learn model needs; named, because MLflow takes seconds to guess it."""
    from importlib.metadata import version

    return [f"{name}=={version(name)}" for name in ("scikit-learn", "numpy", "pandas", "skops")]
