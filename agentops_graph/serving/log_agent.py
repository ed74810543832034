"""Logs the agent to MLflow as code, asks it once in a fresh process, and registers it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import agentops_graph
from agentops_graph.bootstrap import Workshop
from agentops_graph.chat.events import DomainName
from agentops_graph.data_folder import shipped
from agentops_graph.errors import UnavailableError
from agentops_graph.settings import Settings

if TYPE_CHECKING:
    from agentops_graph.adapters.mlflow_registry import MlflowStore

RUN_NAME = "health_monitor_agent_v1"
ALIAS = "development"
LOGGED_NAME = "agent"
DESCRIPTION = "The on-call engineer for ML models, AI agents and data pipelines"
DOMAINS: tuple[DomainName, ...] = ("cost", "security", "performance", "reliability", "quality")
TOOLS = (
    "query_incidents",
    "check_model_health",
    "search_runbooks",
    "search_incidents",
    "request_human_approval",
)
AGENTS = ("Monitor", "Investigator", "Remediator")
# What answering needs; running incidents needs more, and a served model never runs any.
REQUIREMENTS = (
    "mlflow",
    "pydantic",
    "sqlalchemy",
    "sqlite-utils",
    "pyyaml",
    "numpy",
    "scipy",
    "chromadb",
)
PATIENCE_S = 300.0
_ASK_ONCE = """
import json, sys, mlflow
model = mlflow.pyfunc.load_model(sys.argv[1])
reply = model.predict({"messages": [{"role": "user", "content": "help"}]})
print(json.dumps(reply["messages"][-1]["content"]))
"""


def log_agent(
    source: Workshop | Settings | None = None,
    *,
    run_name: str = RUN_NAME,
    registered_name: str | None = None,
) -> str:
    """Logs and registers the agent with the alias `development`; returns the run's id.

    The model is registered only after it was loaded in a fresh process and answered there.
    Logging has no effect outside MLflow and reads no data folder but the MLflow store.
    """
    workshop = source if isinstance(source, Workshop) else Workshop(source)
    settings, store = workshop.settings, workshop.store
    experiment_id = store.fluent(settings.mlflow_experiment)
    from agentops_graph.adapters.mlflow_registry.store import translated

    with translated("logging the agent"):
        run_id, model_uri = _logged(experiment_id, run_name, settings)
    _asked_once(store, model_uri)
    with translated("registering the agent"):
        _registered(store, model_uri, registered_name or settings.agent_model_name)
    return run_id


def _logged(experiment_id: str, run_name: str, settings: Settings) -> tuple[str, str]:
    import mlflow

    params = _params(settings)
    metadata = {
        "description": DESCRIPTION,
        "domains": ",".join(DOMAINS),
        "version": _own_version(),
    }
    with (
        tempfile.TemporaryDirectory() as folder,
        mlflow.start_run(
            experiment_id=experiment_id,
            run_name=run_name,
            nested=mlflow.active_run() is not None,
        ) as run,
        _introducing_only(),
    ):
        config = Path(folder) / "config"
        config.mkdir()
        (config / "agent.json").write_text(json.dumps(params | metadata, indent=2), "utf-8")
        mlflow.log_params(params)
        mlflow.set_tags(metadata)
        model = mlflow.pyfunc.log_model(
            name=LOGGED_NAME,
            python_model=str(Path(__file__).with_name("agent_model.py")),
            artifacts={
                "prompts": str(shipped("prompts")),
                "runbooks": str(shipped("runbooks")),
                "config": str(config),
            },
            code_paths=_code(),
            pip_requirements=[f"{name}=={version(name)}" for name in REQUIREMENTS],
            params=params,
            metadata=metadata,
        )
    return str(run.info.run_id), str(model.model_uri)


def _params(settings: Settings) -> dict[str, str]:
    hosts = {"ollama": settings.ollama_host, "openai": settings.openai_base_url}
    host = hosts.get(settings.reasoner)
    return {
        "agent_type": "health_monitor",
        "orchestrator_framework": "langgraph",
        "llm_endpoint": f"{host}/{settings.model}" if host else "none",
        "worker_agent_count": str(len(AGENTS)),
        "utility_tools": ",".join(TOOLS),
        "memory_type": "incident_ledger",
    }


def _code() -> list[str]:
    """The package, and beside it the folders that a wheel carries inside."""
    package = Path(agentops_graph.__file__).parent
    beside = [
        folder
        for folder in (shipped("prompts"), shipped("runbooks"))
        if not folder.is_relative_to(package)
    ]
    return [str(package), *(str(folder) for folder in beside)]


def _own_version() -> str:
    try:
        return version("agentops-graph")
    except PackageNotFoundError:
        pyproject = Path(agentops_graph.__file__).parent.parent / "pyproject.toml"
        return str(tomllib.loads(pyproject.read_text("utf-8"))["project"]["version"])


@contextmanager
def _introducing_only() -> Iterator[None]:
    """MLflow predicts while it logs; under the switch that reads and does nothing."""
    from agentops_graph.serving.mlflow_agent import LOGGING_SWITCH

    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ[LOGGING_SWITCH] = "1"
    try:
        yield
    finally:
        del os.environ[LOGGING_SWITCH]


def _asked_once(store: MlflowStore, model_uri: str) -> None:
    """A failure while MLflow validates is only a warning to it, so the model is tried here."""
    from agentops_graph.serving.mlflow_agent import INTRODUCTION, LOGGING_SWITCH

    environment = {**os.environ, "MLFLOW_TRACKING_URI": store.uri, LOGGING_SWITCH: "1"}
    environment.pop("MLFLOW_RUN_ID", None)
    with tempfile.TemporaryDirectory() as elsewhere:
        try:
            asked = subprocess.run(
                [sys.executable, "-c", _ASK_ONCE, model_uri],
                cwd=elsewhere,
                env=environment,
                capture_output=True,
                text=True,
                timeout=PATIENCE_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise UnavailableError(
                f"the logged agent gave no answer in {PATIENCE_S:.0f} s, so it is not registered"
            ) from None
    answered = asked.stdout.splitlines()[-1:] == [json.dumps(INTRODUCTION)]
    if asked.returncode != 0 or not answered:
        last = (asked.stderr.strip() or asked.stdout.strip() or "no output").splitlines()[-1]
        raise UnavailableError(
            f"the logged agent can't be loaded in a fresh process, so it is not registered: "
            f"{last[:300]}"
        )


def _registered(store: MlflowStore, model_uri: str, name: str) -> None:
    import mlflow

    made = mlflow.register_model(model_uri, name)
    store.client().set_registered_model_alias(name, ALIAS, made.version)
