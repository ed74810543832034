"""Commands that run: work, monitor, investigate."""

import threading
from typing import TYPE_CHECKING, Annotated

import typer

from agentops_graph.cli import desk
from agentops_graph.cli.blind_view import blind_document, next_looks, tell_blind
from agentops_graph.cli.signals import until_told
from agentops_graph.errors import InputError, NotEnoughDataError

if TYPE_CHECKING:
    from agentops_graph.bootstrap import Workshop
    from agentops_graph.domain.sight import Sight
    from agentops_graph.monitor import Tick
    from agentops_graph.service import Inquiry

SEGMENTS_SHOWN, SEGMENTS_GIVEN = 5, 50

Once = Annotated[bool, typer.Option("--once", help="Do what can be done now, then leave.")]


def work(ctx: typer.Context, once: Once = False, as_json: desk.AsJson = False) -> None:
    """Carry incidents forward: a runner.

    SIGTERM or Ctrl-C ends it after the step at hand; a second one ends it at once.

    Example: agentops work
    """
    from agentops_graph.cli import screen

    runner = desk.acting(ctx).runner("work")
    if once:
        done = 0
        with runner.alive():
            while busy := runner.run_once():
                done += busy
        _answer({"runner": runner.runner_id, "done": done}, f"{done} done", as_json)
        return
    with until_told() as stop:
        screen.aside(f"{runner.runner_id} is working; Ctrl-C ends it after the step at hand")
        runner.run(stop)
    if runner.refusal is not None:
        raise runner.refusal
    _answer({"runner": runner.runner_id, "stopped": True}, "stopped", as_json)


def monitor(
    ctx: typer.Context,
    once: Once = False,
    every: Annotated[float | None, typer.Option(min=0.1, help="Seconds between two looks.")] = None,
    as_json: desk.AsJson = False,
) -> None:
    """Watch every component, and run the incidents this opens.

    With --json each look is one JSON document. Ends with 6 when --once could measure nothing.

    Example: agentops monitor --every 30
    """
    workshop = desk.acting(ctx)
    if not workshop.components:
        file = workshop.settings.components_file or workshop.places.home / "components.yaml"
        raise InputError(f"names no component to watch; describe yours in {file}", field="monitor")
    if once:
        _look_once(workshop, as_json)
        return
    from agentops_graph.patrol import Patrol

    told: dict[str, Sight] = {}

    def tell(seen: "Tick | None", _seconds: float) -> None:
        if seen is not None:
            _tell_tick(workshop, seen, as_json, figures=False, told=told)

    runner = workshop.runner("monitor")
    patrol = Patrol(workshop.ports, every_s=every or workshop.settings.monitor_every_s)
    with until_told() as stop:
        thread = threading.Thread(target=runner.run, args=(stop,), name="runner")
        thread.start()
        try:
            patrol.run(stop, tell)
        finally:
            stop.set()
            thread.join()


def _look_once(workshop: "Workshop", as_json: bool) -> None:
    from agentops_graph.cli import foreground, screen
    from agentops_graph.monitor import tick

    seen = tick(workshop.ports, every_s=workshop.settings.monitor_every_s)
    if not as_json:
        _tell_tick(workshop, seen, as_json, figures=True)
    opened = list(dict.fromkeys(a.incident_id for a in seen.admissions))
    ended = [foreground.carry(workshop, i, "monitor", as_json=as_json) for i in opened]
    if as_json:
        incidents = [incident.model_dump(mode="json") for incident in ended]
        screen.emit({**_tick_document(workshop, seen), "incidents": incidents})
    for incident in () if as_json else ended:
        ident = incident.incident_id
        screen.line(f"{ident} is {incident.status}: agentops show {ident}", "bold")
    if seen.unjudged and not seen.admissions:
        names = ", ".join(seen.unjudged)
        raise NotEnoughDataError(f"{names} could not be judged, so this is no all-clear")


def _tell_tick(
    workshop: "Workshop",
    seen: "Tick",
    as_json: bool,
    *,
    figures: bool,
    told: "dict[str, Sight] | None" = None,
) -> None:
    """Feed lines always; readings of quiet components only when they were asked for."""
    from agentops_graph.cli import screen

    if as_json:
        screen.emit(_tick_document(workshop, seen))
        return
    _tell_alerts(seen)
    tell_blind(seen.blind, seen.readings, workshop.ports.clock.now(), told)
    for name, notes in seen.notes.items():
        for note in () if name in seen.blind else notes:
            screen.line(f"{name}: {note}", "yellow" if figures else "dim")
    if figures:
        for name, readings in seen.readings.items():
            shown = ", ".join(f"{k} {screen.figure(v)}" for k, v in sorted(readings.items()))
            screen.line(f"{name}: {shown or 'nothing could be measured'}")
        if not seen.admissions:
            judged = "Of what could be judged, nothing" if seen.unjudged else "Nothing"
            style = "yellow" if seen.unjudged else "green"
            screen.line(f"{judged} new crossed its threshold.", style)


def _tell_alerts(seen: "Tick") -> None:
    from agentops_graph.cli import screen

    for admission in seen.admissions:
        style = screen.SEVERITY_STYLES.get(admission.alert.severity, "")
        screen.line(f"{admission.alert.feed_line}  [{admission.incident_id}]", style)
    for ended in seen.ended:
        screen.line(f"{ended} has ended: its source answers again", "green")
    for rested in seen.rested:
        screen.line(f"{rested} crossed its line again, in the cool-down of its incident", "dim")


def _tick_document(workshop: "Workshop", seen: "Tick") -> dict[str, object]:
    return {
        "at": workshop.ports.clock.now().isoformat(),
        "readings": seen.readings,
        "unjudged": seen.unjudged,
        "notes": seen.notes,
        "rested": seen.rested,
        "blind": {name: blind_document(sight) for name, sight in seen.blind.items()},
        "ended": seen.ended,
        "next_looks": next_looks(workshop.ports),
        "admissions": [a.model_dump(mode="json") for a in seen.admissions],
        "feed": [a.alert.feed_line for a in seen.admissions],
    }


def investigate(
    ctx: typer.Context,
    question: Annotated[
        list[str], typer.Argument(metavar="QUESTION", help="A component, or a question about one.")
    ],
    no_run: desk.NoRun = False,
    as_name: desk.As = None,
    as_json: desk.AsJson = False,
) -> None:
    """Measure a component now and find out what is wrong with it.

    Example: agentops investigate "why does fraud-detector miss so much?"
    """
    from agentops_graph.cli import case_view, foreground, screen

    workshop = desk.acting(ctx)
    inquiry = workshop.service.investigate(" ".join(question), actor=desk.person(as_name))
    if not as_json:
        _tell_inquiry(inquiry)
    opened = list(dict.fromkeys(a.incident_id for a in inquiry.admissions))
    for incident_id in () if no_run else opened:
        foreground.carry(workshop, incident_id, "investigate", as_json=as_json)
    cases = [workshop.service.case(incident_id) for incident_id in opened]
    if as_json:
        seen = inquiry.measurement
        screen.emit(
            {
                "component": inquiry.component,
                "healthy": inquiry.is_healthy,
                "readings": seen.readings,
                "notes": seen.notes,
                "segments": [s.model_dump(mode="json") for s in seen.segments[:SEGMENTS_GIVEN]],
                "findings": [f.model_dump(mode="json") for f in seen.findings],
                "cases": [case.model_dump(mode="json") for case in cases],
            }
        )
    for case in () if as_json else cases:
        case_view.print_case(case, evidence=False)
    if not inquiry.is_healthy and not opened and not inquiry.measurement.findings:
        raise NotEnoughDataError(f"{inquiry.component} can't be judged; this is no all-clear")


def _tell_inquiry(inquiry: "Inquiry") -> None:
    from agentops_graph.cli import screen

    seen = inquiry.measurement
    for finding in seen.findings:
        style = screen.SEVERITY_STYLES.get(finding.severity, "")
        screen.line(f"{finding.severity.upper()}: {finding.summary}", style)
    for note in seen.notes:
        screen.line(f"{inquiry.component}: {note}", "yellow")
    figures = ", ".join(f"{k} {screen.figure(v)}" for k, v in sorted(seen.readings.items()))
    if inquiry.is_healthy:
        judged = "looks healthy: of what could be judged, " if seen.notes else "is healthy: "
        healthy = f"{inquiry.component} {judged}nothing crossed its threshold."
        screen.line(healthy, "yellow" if seen.notes else "green")
    if figures:
        screen.line(f"{inquiry.component}: {figures}", "dim")
    known = [s for s in seen.segments if s.value is not None and s.baseline is not None]
    if known:
        worst = "; ".join(
            f"{s.segment} {s.value:.3g}, was {s.baseline:.3g} ({s.share:.1%} of traffic)"
            for s in known[:SEGMENTS_SHOWN]
        )
        screen.line(f"{inquiry.component}: {len(known)} segments, worst first: {worst}", "dim")


def _answer(document: dict[str, object], words: str, as_json: bool) -> None:
    from agentops_graph.cli import screen

    if as_json:
        screen.emit(document)
    else:
        screen.line(words)
