"""The command that shows what is made from what: lineage."""

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentops_graph.cli import desk
from agentops_graph.errors import NotFoundError

if TYPE_CHECKING:
    from agentops_graph.domain.lineage.chart import Chart, Reached

LINES = 100  # of one direction; `--json` has them all
NEAR = 5  # names offered for one that is unknown


def lineage(
    ctx: typer.Context,
    component: Annotated[
        str | None, typer.Argument(help="A component, a table or a job; all components if none.")
    ] = None,
    as_json: desk.AsJson = False,
) -> None:
    """Show what a component is made from and what is made from it, and who says so.

    Example: agentops lineage fraud-detector
    """
    from agentops_graph.cli import screen

    chart = desk.workshop(ctx).service.lineage()
    if component is not None:
        name = _found(chart, component)
        if as_json:
            screen.emit(_document(chart, name))
        else:
            _show(chart, name)
        return
    watched = sorted(thing.name for thing in chart.things.values() if thing.is_watched)
    if as_json:
        screen.emit({"components": [_document(chart, name) for name in watched], **_rest(chart)})
        return
    for name in watched:
        _show(chart, name)
    _show_rest(chart, watched)


def _found(chart: "Chart", text: str) -> str:
    """The name in the map; NotFoundError offers the nearest ones."""
    import difflib

    thing = chart.called(text)
    if thing is not None:
        return thing.name
    near = difflib.get_close_matches(text, chart.things, n=NEAR, cutoff=0.4)
    hint = f"; near it: {', '.join(near)}" if near else ""
    raise NotFoundError(f"no one thing in the lineage is called {text!r}{hint}")


def _document(chart: "Chart", name: str) -> dict[str, Any]:
    thing = chart.things[name]
    return {
        "name": name,
        "kind": thing.kind,
        "watched": thing.is_watched,
        "names": list(thing.names),
        "origins": list(thing.origins),
        "upstream": [_step(chart, one, chart.way(one.name, name)) for one in chart.upstream(name)],
        "downstream": [
            _step(chart, one, chart.way(name, one.name)) for one in chart.downstream(name)
        ],
    }


def _step(chart: "Chart", one: "Reached", way: Sequence[str]) -> dict[str, Any]:
    thing = chart.things[one.name]
    told = sorted({o for edge in itertools.pairwise(way) for o in chart.told_by[edge]})
    return {
        "name": one.name,
        "kind": thing.kind,
        "watched": thing.is_watched,
        "hops": one.hops,
        "way": list(way),
        "origins": told,
    }


def _rest(chart: "Chart") -> dict[str, Any]:
    return {
        "origins": [
            {"name": o.name, "things": o.nodes, "edges": o.edges, "trouble": o.trouble or None}
            for o in chart.origins
        ],
        "unclear": [*chart.doubts, *(note for origin in chart.origins for note in origin.notes)],
        "cycles": [list(cycle) for cycle in chart.cycles],
    }


def _show(chart: "Chart", name: str) -> None:
    from agentops_graph.cli import screen

    thing = chart.things[name]
    screen.line(f"{name} ({thing.kind})", "bold cyan")
    others = [other for other in thing.names if other != name]
    if others:
        screen.line(f"  also {', '.join(others)}", "dim")
    if not chart.upstream(name) and not chart.downstream(name):
        screen.line("  nothing is known to be upstream or downstream of it", "yellow")
    _show_tree(
        chart, "made from", name, chart.above, lambda here, there: chart.told_by[there, here]
    )
    _show_tree(
        chart, "goes into", name, chart.below, lambda here, there: chart.told_by[here, there]
    )


def _show_tree(
    chart: "Chart",
    title: str,
    start: str,
    step: Any,
    told_by: Callable[[str, str], Sequence[str]],
) -> None:
    """Depth first, each thing once; where it comes up again its own tree is left out."""
    from agentops_graph.cli import screen

    if not step.get(start):
        return
    screen.line(f"  {title}")
    seen, lines = {start}, 0
    waiting = [(start, other, 2) for other in reversed(step[start])]
    while waiting:
        here, name, depth = waiting.pop()
        is_again = name in seen
        seen.add(name)
        lines += 1
        if lines > LINES:
            screen.line("    … and more; --json has all of it", "dim")
            return
        thing = chart.things[name]
        again = ", as above" if is_again and step.get(name) else ""
        told = ", ".join(told_by(here, name))
        style = "bold" if thing.is_watched else ""
        screen.line(f"{'  ' * depth}{name} ({thing.kind}; {told}){again}", style)
        if not is_again:
            waiting += [(name, other, depth + 1) for other in reversed(step.get(name, ()))]


def _show_rest(chart: "Chart", watched: Sequence[str]) -> None:
    """What is wrong with the map, and where it comes from."""
    from agentops_graph.cli import screen

    if not watched:
        screen.line("No component is watched; docs/components.md says how.")
    for origin in chart.origins:
        said = f"{origin.name}: {origin.nodes} things, {origin.edges} edges"
        screen.line(f"{said}; {origin.trouble}" if origin.trouble else said, "dim")
    for note in _rest(chart)["unclear"]:
        screen.line(f"unclear: {note}", "yellow")
    for cycle in chart.cycles:
        screen.line(f"in a circle: {' -> '.join(cycle)}", "yellow")
