"""Chooses where lineage is read: what sources.yaml names, and what was sent to us."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from agentops_graph.domain.component import Component
from agentops_graph.domain.lineage.fragment import Fragment
from agentops_graph.domain.sources.lineage import LineageSource
from agentops_graph.lineage_ports import Lineage, LineageLog, LineageOrigin

if TYPE_CHECKING:
    from agentops_graph.adapters.mlflow_registry import MlflowStore


def lineage_of(
    declared: LineageSource | None,
    components: Mapping[str, Component],
    folder: Path,
    log: LineageLog,
    store: Callable[[], MlflowStore],
) -> Lineage:
    """The map over everything that was declared; without a section, over the configured feeds.
    `folder` is the one that holds sources.yaml."""
    from agentops_graph.atlas import Atlas

    if declared is None:
        return Atlas(components)
    origins = [*_files(declared, folder), _Sent(log)]
    if declared.mlflow:
        from agentops_graph.adapters.mlflow_registry import MlflowLineage

        models = [one.name for one in components.values() if one.kind == "model"]
        origins.append(MlflowLineage(store, models))
    return Atlas(components, origins, declared)


def _files(declared: LineageSource, folder: Path) -> list[LineageOrigin]:
    from agentops_graph.adapters.dbt_lineage import DbtLineage
    from agentops_graph.adapters.openlineage_files import OpenLineageFiles
    from agentops_graph.adapters.yaml_lineage import WrittenLineage, YamlLineage

    origins: list[LineageOrigin] = []
    if declared.edges or declared.kinds:
        origins.append(WrittenLineage(declared))
    origins += [YamlLineage(_placed(folder, name), name) for name in declared.file]
    origins += [DbtLineage(_placed(folder, name), name) for name in declared.dbt]
    origins += [OpenLineageFiles(_placed(folder, name), name) for name in declared.openlineage]
    return origins


def _placed(folder: Path, name: str) -> Path:
    return folder / Path(name).expanduser()


class _Sent:
    """What was posted to us, as an origin of the map."""

    name = "events over HTTP"

    def __init__(self, log: LineageLog) -> None:
        self._log = log

    def stamp(self) -> object:
        return self._log.edition()

    def read(self) -> Fragment:
        return self._log.kept()
