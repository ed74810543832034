"""Lineage from a dbt manifest; reads `manifest.json` of the schema versions 10 to 12."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from agentops_graph.domain.lineage.fragment import Edge, Fragment, Node, NodeKind, usable
from agentops_graph.errors import InputError
from agentops_graph.watched_files import bytes_of, stamp_of

MOST_BYTES = 512 * 1024**2
VERSIONS = range(10, 13)
_VERSION = re.compile(r"/manifest/v(\d+)(?:\.json)?$")
# Tests, operations and analyses make nothing that others read.
_KINDS: dict[str, NodeKind] = {
    "model": "table",
    "seed": "table",
    "snapshot": "table",
    "source": "table",
    "metric": "feature",
    "semantic_model": "feature",
    "saved_query": "feature",
}
_SECTIONS = ("nodes", "sources", "metrics", "semantic_models", "saved_queries")
# An exposure is what uses the tables.
_EXPOSURES: dict[str, NodeKind] = {"ml": "model"}


class DbtLineage:
    """One manifest, read anew when it was written anew."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self.name = f"dbt {name}"

    def stamp(self) -> object:
        return stamp_of([self._path])

    def read(self) -> Fragment:
        content = bytes_of(self._path, MOST_BYTES)
        try:
            document = json.loads(content)
        except (ValueError, RecursionError):
            raise self._refusal("is not JSON, or is cut off; `dbt compile` writes it") from None
        if not isinstance(document, dict):
            raise self._refusal("is no dbt manifest")
        self._check_version(document)
        try:
            return _fragment(document, self.name)
        except (AttributeError, TypeError, ValueError):
            raise self._refusal("is no dbt manifest of the version that it names") from None

    def _check_version(self, document: Mapping[str, Any]) -> None:
        told = document.get("metadata")
        schema = str(told.get("dbt_schema_version")) if isinstance(told, dict) else ""
        found = _VERSION.search(schema)
        if found is None:
            raise self._refusal("is no dbt manifest: it names no dbt_schema_version")
        if int(found.group(1)) not in VERSIONS:
            raise self._refusal(
                f"is of manifest version {found.group(1)}; versions {VERSIONS[0]} to "
                f"{VERSIONS[-1]} are read (dbt 1.6 and later)"
            )

    def _refusal(self, why: str) -> InputError:
        return InputError(f"{self._path} {why}", field=self._path.name)


def _fragment(document: Mapping[str, Any], origin: str) -> Fragment:
    nodes = {one.name: one for one in _nodes(document, origin)}
    edges = {
        Edge(origin, source, target)
        for source, target in _pairs(document)
        if source in nodes and target in nodes and source != target
    }
    return Fragment(frozenset(nodes.values()), frozenset(edges))


def _nodes(document: Mapping[str, Any], origin: str) -> Iterator[Node]:
    """Nothing of what is disabled: dbt lists that apart."""
    for section in _SECTIONS:
        for unique_id, entry in _entries(document, section):
            kind = _KINDS.get(str(entry.get("resource_type") or unique_id.partition(".")[0]))
            if kind is not None and usable(unique_id):
                yield Node(origin, unique_id, kind, _other_names(entry))
    for unique_id, entry in _entries(document, "exposures"):
        if usable(unique_id):
            yield Node(origin, unique_id, _EXPOSURES.get(str(entry.get("type")), "service"))


def _entries(document: Mapping[str, Any], section: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from (document.get(section) or {}).items()


def _other_names(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """The relation in the warehouse; and of a model with versions, the latest is the model."""
    names = [str(entry.get("relation_name") or "")]
    version = entry.get("version")
    if version is not None and version == entry.get("latest_version"):
        names.append(f"model.{entry.get('package_name')}.{entry.get('name')}")
    return tuple(name for name in names if usable(name))


def _pairs(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Edges as the manifest has them three times over; older tools leave the maps out."""
    for target, sources in (document.get("parent_map") or {}).items():
        yield from ((source, target) for source in sources)
    for source, targets in (document.get("child_map") or {}).items():
        yield from ((source, target) for target in targets)
    for section in (*_SECTIONS, "exposures"):
        for target, entry in _entries(document, section):
            needed = (entry.get("depends_on") or {}).get("nodes") or ()
            yield from ((source, target) for source in needed)
