"""Reads versions of models from the MLflow registry; implements `Models`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agentops_graph.adapters.mlflow_registry.store import MlflowStore, translated
from agentops_graph.domain.ledger import Version
from agentops_graph.errors import NotFoundError

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

PRODUCTION = "production"
MAX_VERSIONS = 50  # newest; each costs one more read for its run


class MlflowModels:
    """The registry of one MLflow store, by the aliases production, staging and development."""

    def __init__(self, store: MlflowStore) -> None:
        self._store = store

    def production(self, model: str) -> Version | None:
        client = self._store.client()
        try:
            with translated(f"production version of {model}"):
                held = client.get_model_version_by_alias(model, PRODUCTION)
        except NotFoundError:
            return None
        return self._record(held, self._aliases(model))

    def version(self, model: str, version: str) -> Version:
        client = self._store.client()
        with translated(f"version {version} of {model}"):
            held = client.get_model_version(model, version)
        return self._record(held, self._aliases(model))

    def versions(self, model: str) -> list[Version]:
        if "'" in model:  # the registry's filter language has no escape for it
            raise NotFoundError(f"no model is called {model!r}")
        client = self._store.client()
        with translated(f"versions of {model}"):
            held = client.search_model_versions(
                f"name = '{model}'", max_results=MAX_VERSIONS, order_by=["version_number DESC"]
            )
        aliases = self._aliases(model) if held else {}
        return [self._record(one, aliases) for one in held]

    def _aliases(self, model: str) -> dict[str, str]:
        with translated(f"aliases of {model}"):
            return dict(self._store.client().get_registered_model(model).aliases)

    def _record(self, held: ModelVersion, aliases: dict[str, str]) -> Version:
        run = self._store.run(held.run_id) if held.run_id else None
        link = f"{self._store.uri}/#/models/{held.name}/versions/{held.version}"
        return Version(
            model=held.name,
            version=str(held.version),
            aliases=tuple(sorted(a for a, v in aliases.items() if str(v) == str(held.version))),
            metrics=_finite(run.data.metrics) if run else {},
            parameters=dict(run.data.params) if run else {},
            tags=dict(held.tags),
            run_id=held.run_id or None,
            created_at=datetime.fromtimestamp(held.creation_timestamp / 1000, UTC),
            link=link if self._store.uri.startswith("http") else None,
        )


def _finite(metrics: dict[str, float]) -> dict[str, float]:
    return {name: float(v) for name, v in metrics.items() if v - v == 0}
