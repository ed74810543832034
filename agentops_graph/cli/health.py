"""The command that says what works here and what does not: doctor."""

from typing import TYPE_CHECKING

import typer

from agentops_graph.cli import desk

if TYPE_CHECKING:
    from agentops_graph.doctor import Check
    from agentops_graph.ports import Ports

MARKS = {"ok": "✔", "degraded": "!", "broken": "✘"}
STYLES = {"ok": "green", "degraded": "yellow", "broken": "bold red"}


def doctor(ctx: typer.Context, as_json: desk.AsJson = False) -> None:
    """Check what works here and what does not.

    Ends with 1 when something is broken; what is only degraded is a warning.

    Example: agentops doctor
    """
    from agentops_graph.bootstrap import Workshop
    from agentops_graph.cli import screen
    from agentops_graph.doctor import examine, verdict

    settings = desk.settings(ctx)

    def ports() -> "Ports":
        return Workshop(settings).ports

    checks = examine(settings, ports)
    if as_json:
        found = [check.model_dump(mode="json") for check in checks]
        screen.emit({"verdict": verdict(checks), "checks": found})
    else:
        _print(checks)
    if verdict(checks) == "broken":
        raise typer.Exit(1)


def _print(checks: "list[Check]") -> None:
    from rich.text import Text

    from agentops_graph.cli import screen
    from agentops_graph.doctor import verdict

    rows = []
    for check in checks:
        words = Text(screen.clean(check.seen))
        if check.mend:
            words.append(f"\n-> {screen.clean(check.mend)}", style="cyan")
        rows.append((screen.said(MARKS[check.state], STYLES[check.state]), check.name, words))
    screen.out().print(screen.table(("", "part", "what was seen"), rows))
    said = {"ok": "All is well.", "degraded": "It works, with warnings.", "broken": "Broken."}
    screen.line(said[verdict(checks)], STYLES[verdict(checks)])
