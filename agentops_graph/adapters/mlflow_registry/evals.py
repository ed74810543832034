"""Results of evaluations as MLflow runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agentops_graph.adapters.mlflow_registry.store import translated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentops_graph.adapters.mlflow_registry.store import MlflowStore

EXPERIMENT = "agentops-evals"


class MlflowEvals:
    """One run for each evaluation, with its figures as metrics and the plot beside them."""

    def __init__(self, store: MlflowStore) -> None:
        self._store = store

    def log(
        self, suite: str, figures: Mapping[str, float], tags: Mapping[str, str], plot: Path
    ) -> str:
        """Returns the run's id. Raises UnavailableError."""
        with translated("the evaluation could not be logged"):
            experiment_id = self._store.experiment(EXPERIMENT)
            client = self._store.client()
            run = client.create_run(experiment_id, run_name=f"eval {suite}", tags=dict(tags))
            run_id: str = run.info.run_id
            for name, value in figures.items():
                client.log_metric(run_id, _named(name), value)
            client.log_artifact(run_id, str(plot))
            client.set_terminated(run_id)
        return run_id


def _named(name: str) -> str:
    """MLflow takes letters, digits, `_ - . / ` and spaces, at most 250."""
    plain = "".join(c if c.isalnum() or c in "_-./ " else "_" for c in name)
    return "/".join(part.strip(" .") or "_" for part in plain.split("/"))[-250:]
