"""Makes the sources that are read from their sections of sources.yaml."""

import os
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from agentops_graph.domain.component import Component
from agentops_graph.domain.redaction import remember_secrets
from agentops_graph.domain.sources.declared import Sources
from agentops_graph.domain.sources.measures import TABLE_OF_KIND
from agentops_graph.errors import InputError
from agentops_graph.marked_yaml import Marked, read_marked
from agentops_graph.ports import Source, Surroundings, Warehouse
from agentops_graph.settings import Settings

if TYPE_CHECKING:
    from agentops_graph.adapters.mlflow_registry import (
        MlflowRunMetrics,
        MlflowStore,
        MlflowTraceLog,
    )
    from agentops_graph.adapters.prometheus_series import PromApi, PrometheusSeries
    from agentops_graph.domain.sources.prometheus import PrometheusServer


class Reads:
    """Prometheus and MLflow as the file declares them; each is made when it is first read.

    A component that is not watched, or a table that its kind has not, is an InputError with the
    line.
    """

    def __init__(
        self,
        sources: Sources,
        file: Path,
        settings: Settings,
        components: Mapping[str, Component],
        own_store: Callable[[], "MlflowStore"],
    ) -> None:
        self._sources, self._file, self._settings = sources, file, settings
        self._components, self._own_store = components, own_store
        self._check_prometheus()
        self._check_mlflow()

    def warehouse(self, base: Warehouse) -> Warehouse:
        """The base itself where nothing is declared."""
        if self.prometheus is None and self._mlflow is None:
            return base
        from agentops_graph.adapters.joined_warehouse import JoinedWarehouse

        runs, traces = self._mlflow or (None, None)
        return JoinedWarehouse(
            base,
            [source for source in (self.prometheus, runs) if source is not None],
            [source for source in (traces,) if source is not None],
        )

    @property
    def surroundings(self) -> Surroundings | None:
        return self.prometheus

    def listed(self) -> list[Source]:
        """Those that are declared, to be tried out."""
        found: list[Source] = []
        if self.prometheus is not None:
            from agentops_graph.adapters.prometheus_series import PrometheusTrials

            found.append(PrometheusTrials(self.prometheus))
        if self._mlflow is not None and self._sources.mlflow is not None:
            from agentops_graph.adapters.mlflow_registry import MlflowTrials

            found.append(
                MlflowTrials(self._store, self._sources.mlflow, *self._mlflow, self._place)
            )
        return found

    @cached_property
    def prometheus(self) -> "PrometheusSeries | None":
        declared = self._sources.prometheus
        if declared is None:
            return None
        from agentops_graph.adapters.prometheus_series import PrometheusSeries

        servers = {
            server.name: self._server(server, number)
            for number, server in enumerate(declared.servers)
        }
        return PrometheusSeries(declared, servers, self._place)

    def _server(self, server: "PrometheusServer", number: int) -> "PromApi":
        from agentops_graph.adapters.prometheus_series import PromApi

        where = ("prometheus", "servers", number)
        field = "token_env" if server.token_env else "password_env"
        secret = self._secret(getattr(server, field), *where, field)
        return PromApi(
            server,
            secret,
            allow_remote=self._settings.allow_remote_hosts,
            place=self._place(*where, "url"),
            folder=self._file.parent,
        )

    def _secret(self, variable: str | None, *path: int | str) -> str | None:
        if variable is None:
            return None
        held = os.environ.get(variable)
        if not held:
            raise InputError(f"{variable} is not set in the environment", field=self._place(*path))
        remember_secrets([held])
        return held

    @cached_property
    def _store(self) -> "MlflowStore":
        declared = self._sources.mlflow
        if declared is None or declared.tracking_uri is None:
            return self._own_store()
        from agentops_graph.adapters.mlflow_registry import MlflowStore

        return MlflowStore(
            declared.tracking_uri,
            self._settings.home,
            allow_remote=self._settings.allow_remote_hosts,
        )

    @cached_property
    def _mlflow(self) -> "tuple[MlflowRunMetrics, MlflowTraceLog] | None":
        declared = self._sources.mlflow
        if declared is None:
            return None
        from agentops_graph.adapters.mlflow_registry import MlflowRunMetrics, MlflowTraceLog

        return (
            MlflowRunMetrics(self._store, declared.runs),
            MlflowTraceLog(self._store, declared.traces),
        )

    def _place(self, *path: int | str) -> str:
        """File and line of that path."""
        return self._marked.place(*path)

    @cached_property
    def _marked(self) -> Marked:
        return read_marked(self._file)

    def _check_prometheus(self) -> None:
        declared = self._sources.prometheus
        for name, held in declared.components.items() if declared else ():
            component = self._watched("prometheus", "components", name)
            for table in held.tables:
                wanted = TABLE_OF_KIND[component.kind]
                if table != wanted:
                    raise InputError(
                        f"{name} is of the kind {component.kind}, whose measures are {wanted}",
                        field=self._place("prometheus", "components", name, table),
                    )

    def _check_mlflow(self) -> None:
        declared = self._sources.mlflow
        for name in declared.runs if declared else ():
            if self._watched("mlflow", "runs", name).kind != "model":
                raise InputError(
                    f"{name} is no model; runs give the metrics of models",
                    field=self._place("mlflow", "runs", name),
                )
        for name in declared.traces if declared else ():
            component = self._watched("mlflow", "traces", name)
            if component.kind != "agent" and not component.speaks:
                raise InputError(
                    f"{name} is neither an agent nor a text model, and has no traces",
                    field=self._place("mlflow", "traces", name),
                )
        self._refuse_two_givers()

    def _watched(self, *path: str) -> Component:
        name = path[-1]
        if name not in self._components:
            raise InputError(f"components.yaml has no component {name}", field=self._place(*path))
        return self._components[name]

    def _refuse_two_givers(self) -> None:
        prometheus, mlflow = self._sources.prometheus, self._sources.mlflow
        if prometheus is None or mlflow is None:
            return
        for name in prometheus.components.keys() & mlflow.runs.keys():
            both = prometheus.components[name].model_metrics.keys() & mlflow.runs[name].metrics
            for column in sorted(both):
                raise InputError(
                    f"{name} {column} is given by Prometheus already",
                    field=self._place("mlflow", "runs", name, "metrics", column),
                )
