"""Carries an incident forward in this process and shows it, until it waits for a person."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agentops_graph.cli import screen
from agentops_graph.cli.model_view import words_shown
from agentops_graph.cli.signals import until_told
from agentops_graph.domain.incident import Incident, TimelineEvent
from agentops_graph.domain.standing import in_words
from agentops_graph.errors import UnavailableError

if TYPE_CHECKING:
    from rich.console import Console

    from agentops_graph.bootstrap import Workshop

POLL_S = 0.2
PAUSE_S = 0.5
LEAVE = "Ctrl-C leaves after the step at hand; `agentops work` goes on with it."


def carry(workshop: "Workshop", incident_id: str, kind: str, *, as_json: bool) -> Incident:
    """Runs the incident here until it ends, or waits for a person; with a live runner it only
    watches. Returns the incident as it then is."""
    alive = workshop.ports.leases.runners_alive()
    if alive:
        with shown(workshop, incident_id, as_json=as_json):
            return _watch(workshop, incident_id)
    runner = workshop.runner(kind)
    console = screen.err() if as_json else screen.out()
    with (
        shown(workshop, incident_id, as_json=as_json),
        words_shown(workshop.words, incident_id, console),
        runner.alive(),
        until_told() as stop,
    ):
        told = False
        while not stop.is_set() and not is_settled(workshop, incident_id):
            busy = runner.run_once(incident_id)
            if busy or is_settled(workshop, incident_id):
                continue
            if not told:
                screen.aside(f"{incident_id} waits for time, data or detached work. {LEAVE}")
                told = True
            stop.wait(PAUSE_S)
    return workshop.ports.incidents.get(incident_id)


def is_settled(workshop: "Workshop", incident_id: str) -> bool:
    """True when no runner could take the incident further before a person speaks."""
    incident = workshop.ports.incidents.get(incident_id)
    if not incident.is_open or incident.status == "escalated":
        return not workshop.ports.jobs.waiting(workshop.ports.clock.now(), incident_id)
    pending = workshop.ports.approval_log.listed(status="pending", incident_id=incident_id)
    return bool(pending)


def _watch(workshop: "Workshop", incident_id: str) -> Incident:
    with until_told() as stop:
        while not is_settled(workshop, incident_id) and workshop.ports.leases.runners_alive():
            if stop.wait(PAUSE_S):
                break
    return workshop.ports.incidents.get(incident_id)


@contextmanager
def shown(workshop: "Workshop", incident_id: str, *, as_json: bool) -> Iterator[None]:
    """Prints what joins the incident's timeline while the block runs."""
    console = screen.err() if as_json else screen.out()
    seen = max((e.seq for e in workshop.ports.log.timeline(incident_id)), default=0)
    stop = threading.Event()
    follower = threading.Thread(
        target=_follow, args=(workshop, incident_id, seen, console, stop), daemon=True
    )
    follower.start()
    try:
        yield
    finally:
        stop.set()
        follower.join()


def _follow(
    workshop: "Workshop", incident_id: str, seen: int, console: "Console", stop: threading.Event
) -> None:
    training = ""
    ended = False
    while not ended:
        ended = stop.wait(POLL_S)  # once more after the end, for the last lines
        try:
            events = [e for e in workshop.ports.log.timeline(incident_id) if e.seq > seen]
            progress = _progress(workshop, incident_id)
        except UnavailableError as error:
            screen.aside(f"the timeline can't be read now: {error}")
            continue
        for event in events:
            _tell(console, event)
            seen = event.seq
        if progress and progress != training:
            console.print(screen.said(f"          {progress}", "dim"), soft_wrap=True)
            training = progress


def _progress(workshop: "Workshop", incident_id: str) -> str:
    """The running detached work of the incident, in words."""
    ports = workshop.ports
    for approval in ports.approval_log.listed(status="approved", incident_id=incident_id):
        work = ports.work.find(f"{approval.approval_id}:do")
        if work is not None and work.state == "running":
            return in_words(work, ports.policy)
    return ""


def _tell(console: "Console", event: TimelineEvent) -> None:
    """One line: when, who, where in the graph, what, how long."""
    who = event.agent or "agentops"
    text = screen.said(f"{event.at:%H:%M:%S}  ", "dim")
    text.append(f"{who:<12}", style=screen.AGENT_STYLES.get(who, ""))
    text.append(f" {screen.clean(event.node):<11} ", style="dim")
    text.append(screen.clean(event.text), style="red" if event.kind == "error" else "")
    if event.ms is not None:
        text.append(f"  {event.ms:.0f} ms", style="dim")
    console.print(text, soft_wrap=True)
