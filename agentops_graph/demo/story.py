"""The main job as a story: a real model goes bad, and is brought back with two approvals."""

import getpass
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any, Literal

from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.bootstrap import Workshop
from agentops_graph.demo import folder
from agentops_graph.demo.live import LiveTraffic
from agentops_graph.demo.screen import Screen
from agentops_graph.demo.setup import prepare
from agentops_graph.demo.world import MODEL
from agentops_graph.domain.approval import Approval
from agentops_graph.domain.case import Case
from agentops_graph.domain.incident import Incident
from agentops_graph.errors import ConflictError
from agentops_graph.monitor import tick
from agentops_graph.settings import read_settings

PAUSE_S = 0.2
ENDED = ("resolved", "escalated", "suppressed")


def tell(
    home: Path | None = None,
    *,
    yes: bool = False,
    as_json: bool = False,
    seed: int = 7,
    fresh: bool = False,
) -> int:
    """Tells the story, or goes on with one that was interrupted; 0 when it ends resolved."""
    overrides: dict[str, Any] = {} if home is None else {"home": home}
    settings = read_settings(**overrides, warehouse_url=None)
    folder.check_free(settings.home)
    screen = Screen(quiet=as_json)
    interrupted = folder.is_demo(settings.home) and _open_incident(Workshop(settings))
    if fresh or not interrupted:
        folder.clear(settings.home)
        _prepare(Workshop(settings), screen, seed)
    workshop = Workshop(settings)
    workshop.store.client()
    stop = threading.Event()
    feed = LiveTraffic(workshop.store, SqliteWarehouse(workshop.places.warehouse))
    traffic = threading.Thread(target=feed.run, args=(stop,), name="traffic", daemon=True)
    traffic.start()
    try:
        case = _live_through(workshop, screen, yes)
    finally:
        stop.set()
        traffic.join(timeout=10)
    _close(workshop, screen, case, as_json)
    return 0 if case.incident.status == "resolved" else 1


def _prepare(workshop: Workshop, screen: Screen, seed: int) -> None:
    screen.chapter("A model in production, and an upstream change that nobody announced")
    with screen.working("preparing"):
        facts = prepare(
            workshop.places.home, workshop.settings.mlflow_tracking_uri, seed=seed, say=screen.line
        )
    folder.mark(
        workshop.places.home,
        {"version": facts.version, "baseline": facts.baseline, "predictions": facts.predictions},
    )


def _open_incident(workshop: Workshop) -> Incident | None:
    mine = workshop.service.incidents(open_only=True)
    # One that a person owns has been told to its end.
    mine = [i for i in mine if i.component == MODEL and i.status != "escalated"]
    return mine[0] if mine else None


def _live_through(workshop: Workshop, screen: Screen, yes: bool) -> Case:
    """Detects, then runs the incident until it ends; asks wherever a person is asked."""
    incident = _open_incident(workshop)
    if incident is None:
        screen.chapter("The monitor looks")
        seen = tick(workshop.ports)
        for admission in seen.admissions:
            screen.feed(admission.alert.feed_line)
        screen.line("(the change was 55 minutes old when the monitor first looked)", "dim")
        incident = _open_incident(workshop)
        if incident is None:
            raise ConflictError(f"the monitor saw nothing wrong: {seen.readings.get(MODEL)}")
    else:
        screen.line(f"going on with {incident.incident_id}, which was left {incident.status}")
    screen.chapter(f"{incident.incident_id}: investigate, diagnose, ask, act, verify")
    health = workshop.components[MODEL].health
    screen.line(f"the health window is {health.seconds:.0f} s here; in production it is 15 minutes")
    stop = threading.Event()
    runner = workshop.runner("demo")
    thread = threading.Thread(target=runner.run, args=(stop,), name="runner")
    thread.start()
    try:
        return _until_it_ends(workshop, screen, incident.incident_id, yes)
    finally:
        stop.set()
        thread.join()


def _until_it_ends(workshop: Workshop, screen: Screen, incident_id: str, yes: bool) -> Case:
    """Tells what the runner does as it does it, and puts its questions to a person."""
    told, asked, trained = 0, set[str](), ""
    while True:
        case = workshop.service.case(incident_id)
        for event in case.timeline:
            if event.seq > told:
                screen.event(event)
                told = event.seq
        if case.incident.status in ENDED and not _at_work(workshop, incident_id):
            return workshop.service.case(incident_id)
        for approval in case.pending:
            if approval.approval_id not in asked:
                asked.add(approval.approval_id)
                _ask(workshop, screen, approval, yes)
        trained = _training_progress(workshop, screen, case, trained)
        time.sleep(PAUSE_S)


def _at_work(workshop: Workshop, incident_id: str) -> bool:
    """True while the runner still tracks the ended incident or sends its notices."""
    ports = workshop.ports
    now = ports.clock.now()
    # One that is being sent waits no more, and is not sent yet.
    untried = [n for n in ports.outbox.listed(incident_id) if n.state == "queued" and not n.error]
    return bool(ports.jobs.waiting(now, incident_id) or ports.outbox.waiting(now) or untried)


def _ask(workshop: Workshop, screen: Screen, approval: Approval, yes: bool) -> None:
    screen.approval(approval)
    who = getpass.getuser()
    if yes:
        screen.line(f"approved by {who} (--yes)")
        workshop.service.decide(
            approval.approval_id, "approve", actor=who, via="demo", digest=approval.digest
        )
        return
    if not sys.stdin.isatty():
        home = workshop.places.home
        screen.line(f"waiting; decide with: agentops --home {home} approve {approval.approval_id}")
        return
    answer = ""
    while not answer:  # an empty line is no answer
        answer = screen.ask(f"approve {approval.approval_id}? (y to approve, or say why not)")
    agreed = answer.lower() in ("y", "yes")
    verdict: Literal["approve", "reject"] = "approve" if agreed else "reject"
    try:
        workshop.service.decide(
            approval.approval_id,
            verdict,
            actor=who,
            via="demo",
            digest=approval.digest,
            reason=None if agreed else answer,
        )
    except ConflictError as error:  # somebody else decided while the question stood here
        screen.line(str(error))


def _training_progress(workshop: Workshop, screen: Screen, case: Case, before: str) -> str:
    """A line whenever the detached training has come further."""
    for effect in case.effects:
        work = workshop.ports.work.find(effect.key)
        if work is not None and work.progress and work.progress != before:
            screen.line(f"training process: {work.progress} ({work.share:.0%})")
            return work.progress
    return before


def _close(workshop: Workshop, screen: Screen, case: Case, as_json: bool) -> None:
    incident_id, home = case.incident.incident_id, workshop.places.home
    screen.chapter("What is left behind")
    screen.case(case)
    for notice in case.notices:
        screen.line(f"notice {notice.notice.action}: {notice.state} {notice.reference or ''}")
    after = workshop.service.readings(MODEL)
    drift = after.readings.get("drift_score")
    if drift is not None:
        screen.line(f"drift of the version that serves now: {drift:.2f} (threshold 0.30)")
    is_default = home == Path.cwd() / ".agentops"
    more = "agentops" if is_default else f"agentops --home {home}"
    for what, command in (
        ("the whole incident", f"{more} show {incident_id} --evidence"),
        ("its trace", f"{more} trace {incident_id}"),
        ("ask about it", f'{more} chat "why was fraud-detector red?"'),
        ("runs and versions", f"mlflow ui --backend-store-uri {workshop.store.uri}"),
        ("the service", f"{more} serve"),
    ):
        screen.line(f"{what}: {command}", style="dim")
    if as_json:
        document = {
            "incident": json.loads(case.model_dump_json()),
            "drift_after": drift,
            "home": str(home),
        }
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
