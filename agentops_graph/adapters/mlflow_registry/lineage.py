"""Lineage from MLflow: the data sets that went into the runs which made the models' versions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

from agentops_graph.adapters.mlflow_registry.store import MlflowStore, translated
from agentops_graph.domain.lineage.fragment import Edge, Fragment, Node, usable
from agentops_graph.domain.redaction import redacted

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

EVERY_S = 900.0  # data sets change when somebody trains
VERSIONS = 5  # of each model, newest; each costs one read
UNNAMED = "dataset"  # what MLflow calls a data set that was given no name
_PLACES = ("uri", "url", "path", "table_name", "delta_table_name")


class MlflowLineage:
    """Implements `LineageOrigin` over the watched models of one MLflow store."""

    name = "mlflow"

    def __init__(self, store: Callable[[], MlflowStore], models: Sequence[str]) -> None:
        self._opened = store
        self._models = models

    @property
    def _store(self) -> MlflowStore:
        return self._opened()

    def stamp(self) -> object:
        return monotonic() // EVERY_S

    def read(self) -> Fragment:
        nodes, edges = set[Node](), set[Edge]()
        for model in self._models:
            nodes.add(Node(self.name, model, "model"))
            for table in self._trained_on(model):
                nodes.add(table)
                edges.add(Edge(self.name, table.name, model))
        return Fragment(frozenset(nodes), frozenset(edges))

    def _trained_on(self, model: str) -> Iterator[Node]:
        for version in self._versions(model):
            run = self._store.run(version.run_id) if version.run_id else None
            for told in run.inputs.dataset_inputs if run is not None and run.inputs else ():
                table = _table(told.dataset, self.name)
                if table is not None:
                    yield table

    def _versions(self, model: str) -> list[ModelVersion]:
        if "'" in model:  # the registry's filter language has no escape for it
            return []
        client = self._store.client()
        with translated(f"versions of {model}"):
            return list(
                client.search_model_versions(
                    f"name = '{model}'", max_results=VERSIONS, order_by=["version_number DESC"]
                )
            )


def _table(dataset: Any, origin: str) -> Node | None:
    """A data set by its name, and by the place it was read from."""
    place = _place(str(dataset.source or ""))
    name = usable(str(dataset.name or ""))
    if name is None or name == UNNAMED:
        name, place = place, None
    if name is None:
        return None
    return Node(origin, name, "table", (place,) if place else ())


def _place(source: str) -> str | None:
    try:
        told = json.loads(source)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    found = next((told[key] for key in _PLACES if isinstance(told.get(key), str)), "")
    return usable(redacted(found))
