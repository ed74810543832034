"""agentops rca: where a fault began, from a file of time series."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agentops_graph.cli import screen
from agentops_graph.errors import InputError, NotEnoughDataError

if TYPE_CHECKING:
    from agentops_graph.detection.root_causes.panel import Frame
    from agentops_graph.detection.root_causes.ranking import Ranking

LATEST = 4102444800  # the year 2100; a larger number of seconds is no date
EARLIEST = 946684800  # the year 2000
SHOWN = 10

Edge = tuple[str, str]


def rca(
    file: Annotated[
        Path, typer.Argument(help="Series: CSV, JSON lines or Parquet, with a column of times.")
    ],
    onset: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When it began; without it the series are searched."),
    ] = None,
    normal: Annotated[
        Path | None, typer.Option(help="The same columns in healthy times, if FILE has few.")
    ] = None,
    graph: Annotated[
        Path | None, typer.Option(help="YAML: `flows` or `calls`, each a list of pairs.")
    ] = None,
    symptom: Annotated[
        str | None, typer.Option(help="The component, or component/metric, that was noticed.")
    ] = None,
    time_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="The column of times, if it isn't clear.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows shown.")] = SHOWN,
    as_json: Annotated[bool, typer.Option("--json", help="The whole ranking as JSON.")] = False,
) -> None:
    """Rank the components and metrics of a file by how likely a fault began there.

    Columns are named component_metric; or one row is one value: time, component, metric, value.

    Example: agentops rca series.csv --onset 2026-02-28T14:05:00Z --graph edges.yaml
    """
    from agentops_graph.detection.root_causes.ranking import rank_root_causes

    flows, calls = _edges(graph)
    component, _, metric = (symptom or "").partition("/")
    ranking = rank_root_causes(
        _read(file, time_column),
        onset,
        normal=None if normal is None else _read(normal, time_column),
        flows=flows,
        calls=calls,
        symptom=None if symptom is None else (component, metric or None),
    )
    linked = {end for pair in (*flows, *calls) for end in pair}
    if symptom is not None:
        _check_symptom(ranking, component, metric, linked)
    _check_scored(ranking, file.name)
    warnings = _unwatched(linked, set(ranking.names))
    if as_json:
        screen.emit({**document(ranking), "warnings": warnings})
    else:
        _show(ranking, limit)
    for warning in warnings:
        screen.aside(warning, "yellow")


def _check_symptom(ranking: "Ranking", component: str, metric: str, linked: set[str]) -> None:
    from agentops_graph.detection.root_causes.dependencies import is_of_kind
    from agentops_graph.detection.root_causes.table_shapes import suggestion

    known = {*ranking.names, *linked}
    if component not in known:
        problem = f"there is no component {component!r}{suggestion(component, known)}"
        raise InputError(problem, field="--symptom")
    measured = {one.metric for one in ranking.metrics}
    if metric and not any(is_of_kind(one, metric) for one in measured):
        problem = f"no component has a metric {metric!r}{suggestion(metric, measured)}"
        raise InputError(problem, field="--symptom")


def _check_scored(ranking: "Ranking", file: str) -> None:
    """A ranking of nothing would look like an answer."""
    if any(one.before is not None for one in ranking.metrics):
        return
    at = "the middle" if ranking.onset is None else f"the onset {_moment(ranking.onset)}"
    raise NotEnoughDataError(
        f"{file}: no series has two values before {at} and one after it; nothing can be ranked"
    )


def _unwatched(linked: set[str], known: set[str]) -> list[str]:
    from agentops_graph.detection.root_causes.table_shapes import suggestion

    return [
        f"--graph: {name!r} has no series{suggestion(name, known)}"
        for name in sorted(linked - known)
    ]


def document(ranking: "Ranking") -> dict[str, object]:
    """The ranking as JSON values."""
    return {
        "onset": ranking.onset,
        "onset_from": ranking.onset_from,
        "components": [vars(one) for one in ranking.components],
        "metrics": [vars(one) for one in ranking.metrics],
    }


def _read(file: Path, time_column: str | None) -> "Frame":
    from agentops_graph.adapters.pandas_batches import read_batch
    from agentops_graph.detection.root_causes.table_shapes import frame_of

    if not file.is_file():
        raise InputError("there is no such file", field=str(file))
    return frame_of(read_batch(file).table, file.name, time_column)


def _edges(file: Path | None) -> tuple[list[Edge], list[Edge]]:
    if file is None:
        return [], []
    from agentops_graph.marked_yaml import read_marked

    if not file.is_file():
        raise InputError("there is no such file", field=str(file))
    found = read_marked(file).document
    if not isinstance(found, dict) or not set(found) <= {"flows", "calls"}:
        raise InputError("has to be a mapping of `flows` or `calls`", field=file.name)
    return _pairs(file, found.get("flows")), _pairs(file, found.get("calls"))


def _pairs(file: Path, given: object) -> list[Edge]:
    return [_pair(file, pair) for pair in (given if isinstance(given, list) else [given]) if pair]


def _pair(file: Path, given: object) -> Edge:
    if isinstance(given, list) and len(given) == 2 and all(isinstance(end, str) for end in given):
        return given[0], given[1]
    raise InputError(f"{str(given)[:60]} is no pair of names", field=file.name)


def _show(ranking: "Ranking", limit: int) -> None:
    if ranking.onset is None:
        screen.line("No onset was found: the middle of the time stands in for it.", "yellow")
    else:
        screen.line(f"Onset {_moment(ranking.onset)}, {ranking.onset_from}.", "dim")
    rows: Iterable[tuple[object, ...]] = (
        (place, one.component, f"{one.score:.2f}", _moment(one.began_at), one.reason)
        for place, one in enumerate(ranking.components[:limit], 1)
    )
    screen.out().print(screen.table(("", "component", "score", "began", "why"), rows))
    left = len(ranking.components) - limit
    if left > 0:
        screen.line(f"{left} more components; --limit shows them", "dim")


def _moment(at: float | None) -> str:
    if at is None:
        return "-"
    if EARLIEST <= at <= LATEST:
        return screen.clock(datetime.fromtimestamp(at, UTC))
    return f"{at:g}"
