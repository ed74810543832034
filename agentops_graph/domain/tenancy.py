"""Whose past incidents a component's may be compared with."""

from collections.abc import Mapping

from agentops_graph.domain.component import Component


def comparable(component: str, watched: Mapping[str, Component]) -> frozenset[str] | None:
    """The components whose incident reports may be read for this one's: those of its own tenant.
    None, for everybody's, while all that is watched is one tenant's or nobody's."""
    own = watched.get(component)
    tenant = None if own is None else own.tenant
    if {one.tenant for one in watched.values()} <= {tenant}:
        return None
    return frozenset({component, *(n for n, one in watched.items() if one.tenant == tenant)})
