"""Commands on rules: verdict, noise, backtest."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from agentops_graph.cli import desk
from agentops_graph.cli.incidents import IncidentId
from agentops_graph.errors import InputError

if TYPE_CHECKING:
    from agentops_graph.domain.backtest import Backtest, RuleReplay
    from agentops_graph.domain.noise import RuleNoise
    from agentops_graph.domain.verdict import VerdictWord

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
SHORTEST_S, LONGEST_S = 1.0, 3650 * 86400.0
WORDS: "dict[str, VerdictWord]" = {
    "right": "right",
    "false-alarm": "false_alarm",
    "duplicate": "duplicate",
}


def verdict(
    ctx: typer.Context,
    incident_id: IncidentId,
    word: Annotated[
        str, typer.Argument(metavar="VERDICT", help="right, false-alarm or duplicate.")
    ],
    of: Annotated[
        str | None, typer.Option(metavar="ID", help="The incident that had told the story.")
    ] = None,
    comment: Annotated[str, typer.Option(help="For whoever tunes the rule.")] = "",
    as_name: desk.As = None,
    as_json: desk.AsJson = False,
) -> None:
    """Say whether an incident was right, a false alarm or a duplicate; the last word counts.

    Example: agentops verdict INC-2026-1001 false-alarm --comment "a holiday"
    """
    from agentops_graph.cli import screen

    said = WORDS.get(word.replace("_", "-").lower())
    if said is None:
        raise InputError(f"{word!r} is not one of {', '.join(WORDS)}", field="VERDICT")
    held = desk.workshop(ctx).service.judge(
        incident_id.upper(),
        said,
        actor=desk.person(as_name),
        via="cli",
        of=of.upper() if of else None,
        comment=comment,
    )
    if as_json:
        screen.emit(held.model_dump(mode="json"))
        return
    what = said.replace("_", " ") + (f" of {held.of}" if held.of else "")
    screen.line(f"{held.incident_id}: {what}, says {held.actor}.", "green")


def noise(
    ctx: typer.Context,
    days: Annotated[float, typer.Option(help="Of incidents opened in so many days.")] = 90,
    as_json: desk.AsJson = False,
) -> None:
    """Say how precise each rule has been, by your verdicts, and which line would be better.

    Example: agentops noise --days 90
    """
    from agentops_graph.cli import screen

    rows = desk.workshop(ctx).service.noise(days)
    if as_json:
        screen.emit({"days": days, "rules": [row.model_dump(mode="json") for row in rows]})
        return
    if not rows:
        screen.line(f"No rule raised an alert in the last {days:g} days.")
        return
    titles = ("component", "rule", "alerts", "incidents", "right", "false", "duplicate")
    cells = [_noise_cells(row) for row in rows]
    screen.out().print(screen.table((*titles, "precision", "line", "better", "because"), cells))


def _noise_cells(row: "RuleNoise") -> tuple[object, ...]:
    from agentops_graph.cli import screen

    precision = "-"
    if row.precision is not None and row.precision_low is not None:
        precision = f"{row.precision:.0%} ({row.precision_low:.0%} to {row.precision_high:.0%})"
    line = "-" if row.line is None else screen.figure(row.line)
    better = "-"
    if row.suggested is not None:
        better = f"{row.setting or row.metric} {row.suggested:g}"
    rule = f"{row.alert_type} by {row.metric}"
    counts = (row.alerts, row.incidents, row.right, row.false_alarm, row.duplicate)
    return (row.component, rule, *counts, precision, line, better, row.said)


def backtest(
    ctx: typer.Context,
    component: Annotated[
        str | None, typer.Option(help="Only this one; by default every component.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="The first day, or an ISO-8601 time.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="The end; by default now.")
    ] = None,
    days: Annotated[float, typer.Option(help="How far back, without --since.")] = 30,
    every: Annotated[str, typer.Option(help="Between two looks, such as 15m, 1h or 1d.")] = "1h",
    change: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Try a setting; may be given again."),
    ] = None,
    as_json: desk.AsJson = False,
) -> None:
    """Replay stored history through the rules, before they page anyone. Writes nothing.

    Example: agentops backtest --days 30 --set thresholds.aggregate_psi=0.2
    """
    from agentops_graph.cli import screen

    workshop = desk.workshop(ctx)
    end = _time(until, "--until") or workshop.ports.clock.now()
    start = _time(since, "--since") or end - _days(days)
    if start >= end:
        raise InputError("lies after the end, `--until`", field="--since")
    every_s = _seconds(every)
    tried = dict(_assignment(text) for text in change or ())
    with _progress(as_json) as told:
        found = workshop.service.backtest(
            component, start, end, every_s=every_s, tried=tried, told=told
        )
    if as_json:
        totals = {"opened": found.opened, "paged": found.paged, "unmatched": found.unmatched}
        screen.emit(totals | found.model_dump(mode="json"))
        return
    _print_backtest(found)


def _print_backtest(found: "Backtest") -> None:
    from agentops_graph.cli import screen

    titles = ("component", "rule", "judged", "crossed", "opened", "paged", "no incident after")
    rows = [_replay_cells(rule) for rule in found.rules if rule.looks or rule.crossed]
    held_back = ("held back", "first page", "last page")
    screen.out().print(screen.table((*titles, *held_back), rows))
    span = f"{screen.clock(found.since)} to {screen.clock(found.until)}"
    screen.line(
        f"{span}, {found.looks} looks: would have opened {found.opened} incidents, paged "
        f"{found.paged} times, {found.unmatched} without a later incident.",
        "bold",
    )
    for words in found.silent:
        screen.line(f"says nothing: {words}", "yellow")
    for name, notes in found.notes.items():
        for note in notes:
            screen.line(f"{name}: {note}", "dim")


def _replay_cells(rule: "RuleReplay") -> tuple[object, ...]:
    from agentops_graph.cli import screen

    kept = {"silenced": rule.silenced, "in cool-down": rule.rested, "joined": rule.joined}
    held_back = ", ".join(f"{count} {what}" for what, count in kept.items() if count) or "-"
    unmatched = f"{rule.unmatched}"
    if rule.judged_false:
        unmatched += f" ({rule.judged_false} judged false)"
    counts = (rule.looks, rule.crossed, rule.opened, rule.paged, unmatched)
    times = (screen.clock(rule.first_at), screen.clock(rule.last_at))
    return (screen.said(rule.component, "bold"), rule.alert_type, *counts, held_back, *times)


@contextmanager
def _progress(as_json: bool) -> "Iterator[Callable[[int, int], None]]":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from agentops_graph.cli import screen

    console = screen.err()
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    is_shown = console.is_terminal and not as_json
    with Progress(*columns, console=console, transient=True, disable=not is_shown) as progress:
        task = progress.add_task("looks", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _time(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputError(f"{text!r} is no date such as 2026-03-01", field=option) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _days(days: float) -> timedelta:
    if not 0 < days <= 3650:
        raise InputError("must be more than 0 and at most 3650", field="--days")
    return timedelta(days=days)


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", text.strip().lower())
    if found is None or float(found[1]) <= 0:
        raise InputError(f"{text!r} is no time such as 15m, 1h or 1d", field="--every")
    seconds = float(found[1]) * UNITS_S[found[2]]
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise InputError(f"{text!r} is not between a second and ten years", field="--every")
    return seconds


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise InputError(f"{text!r} is not NAME=VALUE, such as thresholds.aggregate_psi=0.2")
    return name.strip(), value.strip()
