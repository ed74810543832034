"""Commands about what is watched: watch init, watch check, watch status."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agentops_graph.cli import desk

if TYPE_CHECKING:
    from agentops_graph.bootstrap import Workshop
    from agentops_graph.domain.component import Component
    from agentops_graph.domain.discovery import Subject
    from agentops_graph.domain.sight import Sight

watch_commands = typer.Typer(
    no_args_is_help=True, help="What is watched: make it, check it, see how it stands."
)


@watch_commands.command("init")
def watch_init(
    ctx: typer.Context,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="WAREHOUSE", help="Another SQLite warehouse than its own."),
    ] = None,
    as_json: desk.AsJson = False,
) -> None:
    """Write a commented components.yaml and sources.yaml from what the warehouse holds.

    Files in which something is configured stay: the new ones are written beside them.

    Example: agentops watch init
    """
    from agentops_graph.cli import screen
    from agentops_graph.cli.drafts import written
    from agentops_graph.domain.first_components import components_text
    from agentops_graph.domain.first_sources import sources_text

    workshop = desk.workshop(ctx)
    workshop.service.needs("administer", everywhere=True)  # it says what is watched, of all
    if source is None:
        _refuse_another_warehouse(workshop)
    found = _found(workshop, source or workshop.places.warehouse, as_json=as_json)
    text = components_text(found, source=str(source or "the warehouse"), on=datetime.now(UTC))
    components = written(components_file(workshop), text, force=force)
    sources = written(workshop.sources_file, sources_text(), force=force)
    _read_back(components, sources)
    if as_json:
        names = {s.name: s.model_dump(mode="json", include=SHOWN) for s in found}
        screen.emit({"components": str(components), "sources": str(sources), "found": names})
        return
    _say_written(workshop, found, components, sources)


SHOWN = {"kind", "table", "rows", "rows_per_hour", "version", "reference_of", "registered"}


def _refuse_another_warehouse(workshop: "Workshop") -> None:
    """The local file's names would be those of rows that nobody looks at."""
    from agentops_graph.errors import InputError

    declared = workshop.sources.warehouse
    is_remote = declared is not None and declared.kind != "sqlite"
    if is_remote or workshop.settings.warehouse_url is not None:
        field = "AGENTOPS_WAREHOUSE_URL" if workshop.settings.warehouse_url else "warehouse"
        raise InputError(
            "`watch init` reads the embedded SQLite warehouse only, and another one is configured; "
            "describe components by hand (docs/components.md), or name a SQLite file with --from",
            field=field,
        )


def _found(workshop: "Workshop", path: Path, *, as_json: bool) -> "list[Subject]":
    from agentops_graph.adapters.sqlite_warehouse.inventory import inventory

    if path == workshop.places.warehouse and not path.exists():
        return _with_registry(workshop, [])
    with _progress(as_json) as told:
        found = inventory(path, told)
    return _with_registry(workshop, found)


def _with_registry(workshop: "Workshop", found: "list[Subject]") -> "list[Subject]":
    """Says which model is registered, and which registered one has no rows."""
    from agentops_graph.cli import screen
    from agentops_graph.domain.discovery import Subject
    from agentops_graph.errors import PortError

    settings = workshop.settings
    has_store = settings.mlflow_tracking_uri or (workshop.places.home / "mlflow.db").exists()
    if not (settings.mlflow and has_store) or settings.models_url:
        return found
    try:
        registered = workshop.store.registered()
    except PortError as error:
        screen.aside(f"the model registry is left out: {error}", "yellow")
        return found
    models = {s.name for s in found if s.kind == "model"}
    marked = [
        s.model_copy(update={"registered": registered.get(s.name)}) if s.kind == "model" else s
        for s in found
    ]
    missing = sorted(set(registered) - models - {settings.agent_model_name})
    return marked + [Subject(name=n, kind="model", table="model registry") for n in missing]


@contextmanager
def _progress(as_json: bool) -> Iterator[Callable[[int, int, str], None]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from agentops_graph.cli import screen

    console = screen.err()
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
    is_shown = console.is_terminal and not as_json
    with Progress(*columns, console=console, transient=True, disable=not is_shown) as progress:
        task = progress.add_task("", total=None)
        yield lambda done, total, name: progress.update(
            task, completed=done, total=total, description=screen.clean(name)
        )


def _read_back(components: Path, sources: Path) -> None:
    """What was written is what the monitor will read, or it is said at once."""
    from agentops_graph.adapters.yaml_components import read_components
    from agentops_graph.adapters.yaml_sources import read_sources

    read_components(components)
    read_sources(sources)


def _say_written(
    workshop: "Workshop", found: "list[Subject]", components: Path, sources: Path
) -> None:
    from agentops_graph.cli import screen

    kinds = {kind: sum(s.kind == kind for s in found) for kind in ("model", "pipeline", "agent")}
    counted = ", ".join(f"{n} {kind}{'s' * (n > 1)}" for kind, n in kinds.items() if n)
    screen.line(f"Found: {counted or 'nothing yet; load rows first (docs/warehouse.md)'}.", "green")
    for path, usual in ((components, components_file(workshop)), (sources, workshop.sources_file)):
        beside = "" if path == usual else f"; {usual.name} is yours and stays (--force replaces it)"
        screen.line(f"Written: {path}{beside}")
    screen.line("Read it, mend it, then: agentops watch check, agentops monitor --once", "dim")


@watch_commands.command("check")
def watch_check(ctx: typer.Context, as_json: desk.AsJson = False) -> None:
    """Hold both files against what they may say, and show what is watched, and how often.

    Every reader is made as the monitor makes it, with its secrets; nobody is asked anything.

    A mistake is named with its file and line, and ends the command with 2.

    Example: agentops watch check
    """
    from agentops_graph.bootstrap.declared_check import check_declared
    from agentops_graph.cli import screen
    from agentops_graph.domain.schedule import blind_after, every_of

    workshop = desk.workshop(ctx)
    workshop.service.needs("read", everywhere=True)
    default_s = workshop.settings.monitor_every_s
    declared = sorted(name for name, value in workshop.sources if value)
    check_declared(workshop)
    watched = list(workshop.components.values())
    rows: list[dict[str, object]] = [
        {
            "name": c.name,
            "kind": c.kind,
            "task": None if c.kind == "pipeline" else c.metric.task,
            "metric": None if c.kind == "pipeline" else c.metric.name,
            "every_s": every_of(c, default_s),
            "blind_after_s": blind_after(c, default_s),
        }
        for c in watched
    ]
    if as_json:
        screen.emit({"components": rows, "sources": declared})
        return
    if rows:
        shown = [(screen.said(r["name"], "bold"), *_cells(r)) for r in rows]
        headings = ("component", "kind", "task", "metric", "looked at every", "blind after")
        screen.out().print(screen.table(headings, shown))
    else:
        screen.line(f"No component is watched; describe yours in {components_file(workshop)}.")
    screen.line(f"Sources beside the warehouse: {', '.join(declared) or 'none'}.", "dim")


def _cells(row: dict[str, object]) -> tuple[object, ...]:
    from agentops_graph.cli import screen

    times = (screen.duration(float(str(row[name]))) for name in ("every_s", "blind_after_s"))
    return (row["kind"], row["task"] or "-", row["metric"] or "-", *times)


@watch_commands.command("status")
def watch_status(ctx: typer.Context, as_json: desk.AsJson = False) -> None:
    """Show when each component was seen, when it is looked at next, and who can't be seen.

    Example: agentops watch status
    """
    from agentops_graph.cli import screen
    from agentops_graph.domain.schedule import every_of
    from agentops_graph.domain.sight import is_late

    workshop = desk.workshop(ctx)
    visible = set(workshop.service.components)
    rounds = workshop.ports.rounds
    known = {} if rounds is None else {sight.component: sight for sight in rounds.sights()}
    shown = {
        name: (component, known.get(name))
        for name, component in workshop.ports.components.items()
        if name in visible
    }
    now, default_s = workshop.ports.clock.now(), workshop.settings.monitor_every_s
    late = {
        name
        for name, (component, sight) in shown.items()
        if sight is not None and is_late(sight, every_of(component, default_s), now)
    }
    if as_json:
        standings = {name: _standing(sight) for name, (_, sight) in shown.items()}
        screen.emit({n: standing | {"late": n in late} for n, standing in standings.items()})
        return
    _print_standings(shown, late, now)


def _standing(sight: "Sight | None") -> dict[str, object]:
    from agentops_graph.cli.blind_view import blind_document

    if sight is None:
        return {"seen_at": None, "next_look": None, "blind": None, "last_known": {}}
    return {
        "seen_at": sight.seen_at.isoformat() if sight.seen_at else None,
        "next_look": sight.due_at.isoformat() if sight.due_at else None,
        "blind": blind_document(sight) if sight.blind_since else None,
        "last_known": sight.readings,
    }


def _print_standings(
    shown: "dict[str, tuple[Component, Sight | None]]", late: set[str], now: datetime
) -> None:
    from agentops_graph.cli import screen
    from agentops_graph.domain.sight import in_words

    rows, blind = [], []
    for name, (component, sight) in shown.items():
        seen = screen.ago(sight.seen_at, now) if sight and sight.seen_at else "never"
        is_dark = sight is not None and sight.blind_since is not None
        how = screen.said("can't be seen", "bold red") if is_dark else screen.said("", "")
        due = f"long due, since {screen.clock(sight.due_at)}" if sight and name in late else None
        next_at = due or (screen.clock(sight.due_at) if sight else "-")
        rows.append((screen.said(name, "bold"), component.kind, seen, next_at, how))
        if sight is not None and is_dark:
            blind.append(f"{name} is {in_words(sight, now)}")
    if not rows:
        screen.line("No component is watched.")
        return
    screen.out().print(screen.table(("component", "kind", "seen", "next look", ""), rows))
    for line in blind:
        screen.line(line, "bold red")
    if late:
        many = f"{len(late)} of {len(shown)} are long due for a look"
        screen.line(f"{many}: no monitor runs; start it: agentops monitor", "bold red")


def components_file(workshop: "Workshop") -> Path:
    return workshop.settings.components_file or workshop.places.home / "components.yaml"
