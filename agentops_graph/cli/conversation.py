"""The command that talks: chat."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from agentops_graph.cli import desk

if TYPE_CHECKING:
    from agentops_graph.chat import Asker, Result
    from agentops_graph.service import Service

PROMPT = "you> "


def chat(
    ctx: typer.Context,
    question: Annotated[
        list[str] | None, typer.Argument(metavar="[QUESTION]", help="Without one, a conversation.")
    ] = None,
    as_name: desk.As = None,
    as_json: desk.AsJson = False,
) -> None:
    """Ask in plain words what is wrong, why, and what waits.

    Example: agentops chat "why did fraud-detector drift?"
    """
    from agentops_graph.chat import Asker

    service = desk.workshop(ctx).service
    who = Asker(name=service.called(desk.person(as_name)), via="cli")
    if question:
        _ask(service, " ".join(question), who, None, as_json)
        return
    about: str | None = None
    while (line := _next_line()) is not None:
        if line.strip():
            about = _ask(service, line, who, about, as_json).incident_id or about


def _next_line() -> str | None:
    """The next question; None at the end of the input, or when the person leaves."""
    from agentops_graph.cli import screen

    if sys.stdin.isatty():
        screen.err().print(screen.said(PROMPT, "bold cyan"), end="")
    try:
        line = sys.stdin.readline()
    except KeyboardInterrupt:
        return None
    return None if not line or line.strip() in ("exit", "quit") else line


def _ask(
    service: "Service", question: str, who: "Asker", about: str | None, as_json: bool
) -> "Result":
    """One answer, printed as it comes; the result when it is whole."""
    from agentops_graph.chat import Result, answer
    from agentops_graph.cli import screen

    result = Result(text="")
    console = screen.out()
    for event in answer(service, question, who, incident_id=about):
        if isinstance(event, Result):
            result = event
        elif not as_json:
            console.print(screen.clean_lines(event.text), end="", soft_wrap=True)
    if as_json:
        screen.emit(result.model_dump(mode="json"))
        return result
    console.print()
    if result.sources:
        named = ", ".join(source.reference for source in result.sources)
        screen.line(f"sources: {named}", "dim")
    return result
