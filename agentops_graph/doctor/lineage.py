"""Checks of lineage: what each origin gave, what is unclear, and what has no place in it."""

from agentops_graph.doctor.check import Check, Visit
from agentops_graph.domain.lineage.chart import Chart, Origin

TOLD = 3  # of a list of unclear things; `agentops lineage` has them all
OFF = "off: sources.yaml has no section `lineage`; alerts are grouped by `feeds` alone"


def lineage(visit: Visit) -> list[Check]:
    """Off, or one check for the map and one for each origin."""
    ports = visit.ports
    if ports.lineage_log is None:
        return [Check(name="lineage", state="ok", seen=OFF)]
    chart = ports.lineage.current()
    return [_map(chart), *(_origin(one) for one in chart.origins)]


def _map(chart: Chart) -> Check:
    lone = [t.name for t in chart.things.values() if t.is_watched and not _is_placed(chart, t.name)]
    seen = f"{len(chart.things)} things, {len(chart.told_by)} edges"
    if lone:
        seen += f"; without any: {', '.join(sorted(lone)[:TOLD])}"
    if chart.cycles:
        seen += f"; {len(chart.cycles)} cycles, the first: {' -> '.join(chart.cycles[0])}"
    if not chart.doubts:
        return Check(name="lineage", state="ok", seen=seen)
    seen += f"; unclear: {'; '.join(chart.doubts[:TOLD])}"
    return Check(
        name="lineage", state="degraded", seen=seen, mend="agentops lineage lists what is unclear"
    )


def _is_placed(chart: Chart, name: str) -> bool:
    return bool(chart.above.get(name) or chart.below.get(name))


def _origin(one: Origin) -> Check:
    name = f"lineage of {one.name}"
    seen = f"{one.nodes} things, {one.edges} edges"
    if one.trouble:
        return Check(
            name=name,
            state="degraded",
            seen=f"{one.trouble}; in use as last read: {seen}",
            mend="mend what is named; it is read again by itself",
        )
    if one.notes:
        return Check(name=name, state="degraded", seen=f"{seen}; {'; '.join(one.notes)}")
    return Check(name=name, state="ok", seen=seen)
