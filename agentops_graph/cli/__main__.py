"""The `agentops` command: its table of contents."""

import logging
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Annotated

import typer

from agentops_graph.cli import (
    audit,
    confidentiality,
    contract,
    conversation,
    decisions,
    desk,
    evals,
    evidence,
    health,
    incidents,
    ingest,
    knowledge_folders,
    lineage,
    prompts,
    quiet,
    reference,
    root_causes,
    rules,
    running,
    safety,
    sources,
    start,
    teaching,
    tokens,
    watch,
)

app = typer.Typer(
    name="agentops",
    cls=desk.Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="The on-call engineer for ML models, AI agents and data pipelines.",
    epilog="Start with: agentops demo      Each command teaches itself: agentops approve --help",
)
GROUPS: dict[str, tuple[Callable[..., None], ...]] = {
    "Start": (
        start.demo,
        start.init,
        reference.reference,
        start.serve,
        running.work,
        running.monitor,
        health.doctor,
        lineage.lineage,
    ),
    "Incidents": (
        running.investigate,
        root_causes.rca,
        incidents.incidents,
        incidents.show,
        incidents.trace,
        evidence.evidence,
        incidents.retry,
        incidents.close,
        incidents.confirm,
        teaching.postmortem,
    ),
    "Rules": (rules.verdict, rules.noise, rules.backtest),
    "Decisions": (
        decisions.approvals,
        decisions.approve,
        decisions.reject,
        decisions.edit,
        decisions.ask,
        quiet.withdraw,
    ),
    "Safety": (
        safety.reconcile,
        safety.pause_actions,
        safety.resume_actions,
        quiet.silence,
        quiet.silences,
        quiet.unsilence,
        confidentiality.encrypt,
    ),
    "Talk": (conversation.chat, start.log_agent, evals.eval_),
}
for _group, _commands in GROUPS.items():
    for _command in _commands:
        _name = _command.__name__.strip("_").replace("_", "-")
        app.command(_name, rich_help_panel=_group)(_command)
app.add_typer(contract.contract_commands, name="contract", rich_help_panel="Start")
app.add_typer(sources.source_commands, name="sources", rich_help_panel="Start")
app.add_typer(watch.watch_commands, name="watch", rich_help_panel="Start")
app.add_typer(ingest.ingest_commands, name="ingest", rich_help_panel="Start")
app.add_typer(teaching.reasoner_commands, name="reasoner", rich_help_panel="Rules")
app.add_typer(audit.audit_commands, name="audit", rich_help_panel="Safety")
app.command("link", rich_help_panel="Decisions")(tokens.link)
app.add_typer(tokens.token_commands, name="token", rich_help_panel="Safety")
app.add_typer(knowledge_folders.runbook_commands, name="runbooks", rich_help_panel="Talk")
app.add_typer(prompts.prompt_commands, name="prompts", rich_help_panel="Talk")


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"agentops {metadata.version('agentops-graph')}")
        raise typer.Exit


@app.callback()
def begin(
    home: Annotated[
        Path | None,
        typer.Option(help="The data folder; by default AGENTOPS_HOME, or .agentops here."),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(help="A file with the token; by default it is in AGENTOPS_TOKEN."),
    ] = None,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Say it and leave."),
    ] = False,
) -> None:
    """The on-call engineer for ML models, AI agents and data pipelines."""
    from agentops_graph.cli.screen import PlainLines
    from agentops_graph.log_lines import clear_log_lines

    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")  # it would tell of each table it makes
    lines = logging.StreamHandler()
    lines.setFormatter(PlainLines())
    logging.basicConfig(level=logging.WARNING, handlers=[lines])
    clear_log_lines()


def main() -> None:
    """The entry point; a fault of our own is one line too, with its details in a file."""
    sys.excepthook = _say_fault
    # Called as a command and not through the app, which would put its own excepthook in place.
    typer.main.get_command(app)(prog_name="agentops")


def _say_fault(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    from agentops_graph.cli.screen import complain
    from agentops_graph.domain.redaction import redacted

    handle, path = tempfile.mkstemp(prefix="agentops-fault-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(redacted("".join(traceback.format_exception(kind, error, trace))))
    complain(f"this is a fault in agentops: {kind.__name__}: {error}; its details are in {path}")


if __name__ == "__main__":
    main()
