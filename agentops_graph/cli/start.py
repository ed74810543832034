"""Commands that begin something larger: demo, init, serve, log-agent."""

from pathlib import Path
from typing import Annotated

import typer

from agentops_graph.cli import desk


def demo(
    ctx: typer.Context,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Approve what is asked, without waiting for you.")
    ] = False,
    home: Annotated[
        Path | None,
        typer.Option("--home", "--keep", help="Where the demo's data lies and stays."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another number, another world.")] = 7,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew instead of going on with one broken off.")
    ] = False,
    as_json: desk.AsJson = False,
) -> None:
    """See a real model go bad and brought back, with your approval.

    Example: agentops demo --yes
    """
    from agentops_graph.demo.story import tell

    folder = home or desk.home_of(ctx)
    raise typer.Exit(tell(folder, yes=yes, as_json=as_json, seed=seed, fresh=fresh))


def init(ctx: typer.Context, as_json: desk.AsJson = False) -> None:
    """Make the data folder: the warehouse's tables, and a components.yaml to fill in.

    Example: agentops init
    """
    from agentops_graph.cli import screen
    from agentops_graph.data_folder import make_components_file

    workshop = desk.workshop(ctx)
    workshop.warehouse.create_tables()
    path = workshop.settings.components_file or workshop.places.home / "components.yaml"
    is_new = make_components_file(path)
    if as_json:
        made = {"home": str(workshop.places.home), "components": str(path), "is_new": is_new}
        screen.emit(made)
        return
    screen.line(f"The warehouse is {workshop.warehouse.place}; its tables are there.", "green")
    screen.line(f"{'Describe' if is_new else 'You describe'} what is watched in {path}.")
    screen.line("Then: agentops doctor, agentops monitor --once", "dim")


def serve(
    ctx: typer.Context,
    host: Annotated[str | None, typer.Option(help="Where to listen; 127.0.0.1 by default.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="8000 by default; 0 takes a free one.")
    ] = None,
) -> None:
    """Serve the HTTP API and the agent, watch components, and run incidents.

    Example: agentops serve --port 8080
    """
    from agentops_graph.access import OPEN_NOTICE
    from agentops_graph.bootstrap import Workshop
    from agentops_graph.bootstrap.reasoners import hold_pins
    from agentops_graph.cli import screen
    from agentops_graph.serving.api.server import serve as listen

    # Not the counter of this command's person: whoever asks over HTTP is asked there.
    workshop = Workshop(desk.settings(ctx))
    settings = workshop.settings
    hold_pins(settings)
    if not workshop.ports.credentials.has_tokens():
        screen.aside(OPEN_NOTICE, "yellow")
    listen(workshop, host or settings.http_host, settings.http_port if port is None else port)


def log_agent(
    ctx: typer.Context,
    run_name: Annotated[str | None, typer.Option(help="The name of the MLflow run.")] = None,
    registered_name: Annotated[
        str | None, typer.Option(help="The name in the registry; AGENTOPS_AGENT_MODEL_NAME.")
    ] = None,
    as_json: desk.AsJson = False,
) -> None:
    """Log the agent to MLflow and register it.

    This causes no effect by itself; the model answers, reads and decides, and never runs incidents.

    Example: agentops log-agent --registered-name health_monitor_orchestrator
    """
    from agentops_graph.cli import screen
    from agentops_graph.serving.log_agent import RUN_NAME
    from agentops_graph.serving.log_agent import log_agent as write

    workshop = desk.workshop(ctx)
    workshop.service.needs("administer", everywhere=True)
    name = registered_name or workshop.settings.agent_model_name
    run_id = write(workshop, run_name=run_name or RUN_NAME, registered_name=name)
    if as_json:
        screen.emit({"run_id": run_id, "registered_name": name})
        return
    screen.line(f"The agent is registered as {name}; run {run_id}", "green")
