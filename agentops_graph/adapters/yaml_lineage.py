"""Lineage that people wrote down: in sources.yaml, or in a topology file of its own."""

from pathlib import Path

from pydantic import ValidationError

from agentops_graph.domain.lineage.fragment import Edge, Fragment, Node
from agentops_graph.domain.sources.lineage import Topology, links
from agentops_graph.errors import InputError
from agentops_graph.marked_yaml import read_marked
from agentops_graph.watched_files import bytes_of, stamp_of

MOST_BYTES = 16 * 1024**2


def fragment_from(topology: Topology, origin: str) -> Fragment:
    """Its chains as nodes and edges; what `kinds` does not say is of any kind."""
    pairs = {pair for chain in topology.edges for pair in links(chain)}
    names = {name for pair in pairs for name in pair} | set(topology.kinds)
    return Fragment(
        frozenset(Node(origin, name, topology.kinds.get(name)) for name in names),
        frozenset(Edge(origin, source, target) for source, target in pairs),
    )


class WrittenLineage:
    """What stands in sources.yaml itself."""

    name = "sources.yaml"

    def __init__(self, topology: Topology) -> None:
        self._topology = topology

    def stamp(self) -> object:
        return "as it was read at the start"

    def read(self) -> Fragment:
        return fragment_from(self._topology, self.name)


class YamlLineage:
    """A topology file with `edges` and `kinds`, read anew when it changed."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self.name = name

    def stamp(self) -> object:
        return stamp_of([self._path])

    def read(self) -> Fragment:
        bytes_of(self._path, MOST_BYTES)  # a file that is not there, or far too large
        read = read_marked(self._path)
        try:
            return fragment_from(Topology.model_validate(read.document or {}), self.name)
        except ValidationError as error:
            raise read.refusal(error) from None
        except RecursionError:
            raise InputError("is nested too deep", field=self._path.name) from None
