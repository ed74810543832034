"""The section `lineage` of sources.yaml: where it is told what is made from what."""

import itertools
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from agentops_graph.domain.lineage.chart import HUB_OVER, MAX_HOPS
from agentops_graph.domain.lineage.fragment import LONGEST_NAME, NodeKind, usable
from agentops_graph.domain.record import Record

ARROW = "->"
MOST_FILES = 50


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _chain(text: str) -> str:
    """`a -> b -> c`; ValueError for a chain with fewer than two names, or one that can't be."""
    names = text.split(ARROW)
    if len(names) < 2:
        raise ValueError(f"must name two things at least, such as `orders {ARROW} order_features`")
    if any(usable(name) is None for name in names):
        raise ValueError(f"each name needs 1 to {LONGEST_NAME} characters that can be shown")
    return text


def links(chain: str) -> list[tuple[str, str]]:
    """Each step of a chain, upstream first."""
    names = [name for part in chain.split(ARROW) if (name := usable(part)) is not None]
    return list(itertools.pairwise(names))


Path = Annotated[str, Field(min_length=1, max_length=4096)]
Paths = Annotated[tuple[Path, ...], BeforeValidator(_listed), Field(max_length=MOST_FILES)]
Chain = Annotated[str, AfterValidator(_chain)]
Told = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Names = Annotated[tuple[Told, ...], BeforeValidator(_listed)]


class Topology(Record):
    """Lineage that people wrote down."""

    edges: tuple[Chain, ...] = ()  # chains such as `orders -> order_features -> fraud-detector`
    kinds: dict[Told, NodeKind] = Field(default_factory=dict)  # of what no other origin knows


class LineageSource(Topology):
    """Where lineage is read; paths are relative to the file that names them."""

    aliases: dict[Told, Names] = Field(default_factory=dict)  # other names of a component
    file: Paths = ()  # topology files, with edges and kinds
    dbt: Paths = ()  # manifest.json, as `dbt compile` writes it
    openlineage: Paths = ()  # files of events, one JSON document a line, or folders of them
    mlflow: bool = False  # data sets of the runs that made the versions of watched models
    max_hops: int = Field(default=MAX_HOPS, ge=1, le=50)
    hub_over: int = Field(default=HUB_OVER, ge=1)
