"""How the demo's story looks in a terminal."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from agentops_graph.domain.approval import Approval, shown_lines
from agentops_graph.domain.case import Case
from agentops_graph.domain.incident import TimelineEvent

AGENT_COLOURS = {"Monitor": "cyan", "Investigator": "magenta", "Remediator": "green"}


class Screen:
    """Prints chapters, timeline lines and questions; silent when the story is told as JSON."""

    def __init__(self, *, quiet: bool) -> None:
        self.console = Console(quiet=quiet, highlight=False)
        self._began = time.monotonic()
        self._chapter = 0

    def chapter(self, title: str) -> None:
        self._chapter += 1
        self.console.print(f"\n[bold]{self._chapter}. {title}[/bold]")

    def line(self, text: str, style: str = "") -> None:
        elapsed = time.monotonic() - self._began
        self.console.print(f"[dim]{elapsed:5.1f}s[/dim]  {escape(text)}", style=style)

    def feed(self, text: str) -> None:
        style = "bold red" if text.startswith("CRITICAL") else "yellow"
        self.line(text, style)

    def event(self, event: TimelineEvent) -> None:
        elapsed = time.monotonic() - self._began
        who = event.agent or "agentops"
        colour = AGENT_COLOURS.get(who, "white")
        if event.kind == "handover":
            self.console.print(f"[dim]{elapsed:5.1f}s  -> {escape(event.text)}[/dim]")
            return
        took = f" [dim]({event.ms:.0f} ms)[/dim]" if event.ms else ""
        self.console.print(
            f"[dim]{elapsed:5.1f}s[/dim]  [{colour}]{who:<12}[/{colour}] "
            f"[dim]{event.node:<11}[/dim] {escape(event.text)}{took}"
        )

    def approval(self, approval: Approval) -> None:
        table = Table.grid(padding=(0, 2))
        for label, text in shown_lines(approval.proposal.canonical()):
            table.add_row(f"[dim]{escape(label)}[/dim]", escape(text))
        for note in approval.notes:
            table.add_row("[dim]note[/dim]", escape(note))
        table.add_row("[dim]asks because[/dim]", escape(approval.policy_reason))
        table.add_row("[dim]digest[/dim]", approval.digest[:16])
        title = f"{approval.approval_id} waits for a person"
        self.console.print(Panel(table, title=title, border_style="yellow", expand=False))

    def ask(self, question: str) -> str:
        return self.console.input(f"[bold yellow]{escape(question)}[/bold yellow] ").strip()

    def case(self, case: Case) -> None:
        """The resolution: what was done, and how long each part took."""
        resolution, diagnosis = case.resolution, case.diagnosis
        if resolution is None:
            return
        table = Table(title=escape(resolution.summary), title_style="bold green", box=None)
        for name in ("action", "status", "details"):
            table.add_column(name)
        for taken in resolution.actions_taken:
            table.add_row(taken.action, taken.status, escape(taken.details[:90]))
        self.console.print(table)
        times = [
            ("detect", resolution.time_to_detect),
            ("diagnose", resolution.time_to_diagnose),
            ("act", resolution.time_to_act),
            ("resolve", resolution.time_to_resolve),
            ("of it waiting for people", resolution.waited_for_people),
        ]
        shown = ", ".join(f"{name} {took:.1f} s" for name, took in times if took is not None)
        self.line(f"time to {shown}")
        if diagnosis is not None and diagnosis.citations:
            self.line(f"cited: {', '.join(diagnosis.citations)}")

    @contextmanager
    def working(self, text: str) -> Iterator[None]:
        """A spinner for as long as something takes."""
        with self.console.status(text):
            yield
