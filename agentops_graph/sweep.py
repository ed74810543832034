"""What any runner does besides incidents: timers that are due, notices that wait."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from agentops_graph.domain.ledger import Notification, Timer
from agentops_graph.domain.policy import rule
from agentops_graph.errors import DidNotHappenError, PortError
from agentops_graph.faults import fault
from agentops_graph.overdue import look_after
from agentops_graph.pause_end import pause_ends
from agentops_graph.ports import Notifier, Ports
from agentops_graph.recovery import recover
from agentops_graph.watch import look_while_waiting
from agentops_graph.wording import waiting_notice

log = logging.getLogger(__name__)
LONGEST_PAUSE = timedelta(minutes=10)
# Longer than a notifier waits for its service. When it has run out, only the notice's marker keeps
# a second sender from sending it again.
CLAIM_S = 60.0
LONGEST_LOOK = timedelta(minutes=2)  # whoever takes longer is taken for dead
Deed = Callable[[], int]


def sources(ports: Ports, public_url: str) -> tuple[Callable[[], list[Deed]], ...]:
    """Where what is due comes from: each source asks one port and gives one callable for each thing
    that is to be done, which returns how much it did. What asks services outside comes last.
    """
    return (
        partial(_waits, ports, public_url),
        partial(_work, ports),
        lambda: [lambda: ports.jobs.adopt_orphans(ports.clock.now())],
        partial(_notices, ports),
        partial(_looks, ports),
        partial(_recoveries, ports),
        lambda: [partial(_anchor, ports)],
    )


def _waits(ports: Ports, public_url: str) -> list[Deed]:
    due = ports.timers.due(ports.clock.now())
    return [partial(_fire, ports, timer, public_url) for timer in due if timer.kind != "watch"]


def _work(ports: Ports) -> list[Deed]:
    return [partial(look_after, ports, work) for work in ports.work.underway()]


def _notices(ports: Ports) -> list[Deed]:
    away: list[Notifier] = []  # each is waited for in vain once, not once for each notice
    waiting = ports.outbox.waiting(ports.clock.now())
    return [partial(_send, ports, notification, away) for notification in waiting]


def _looks(ports: Ports) -> list[Deed]:
    due = ports.timers.due(ports.clock.now())
    return [partial(_watch, ports, timer) for timer in due if timer.kind == "watch"]


def _recoveries(ports: Ports) -> list[Deed]:
    due = ports.outside_alerts.recovering(ports.clock.now())
    return [partial(recover, ports, incident_id) for incident_id in due]


def _anchor(ports: Ports) -> int:
    ports.audit.anchor()
    return 0


def _fire(ports: Ports, timer: Timer, public_url: str) -> int:
    """The effect of a timer and its end, in one transaction."""
    fault("timer.fired")
    if timer.kind == "again":
        return int(pause_ends(ports, timer))
    with ports.incidents.together():
        if timer.kind == "look":
            ports.jobs.enqueue(timer.incident_id, timer.timer_id, at=ports.clock.now())
        elif timer.approval_id is not None:
            _let_time_pass(ports, timer, timer.approval_id, public_url)
        fault("timer.before_done")
        ports.timers.done(timer.timer_id)
    return 1


def _watch(ports: Ports, timer: Timer) -> int:
    """One look, by one runner: it asks sources and a model outside, so that it can't be one
    transaction with the end of its timer."""
    fault("timer.fired")
    now = ports.clock.now()
    if not ports.timers.claim(timer.timer_id, until=now + LONGEST_LOOK, at=now):
        return 0
    fault("watch.claimed")
    try:
        look_while_waiting(ports, timer)
    finally:  # the next look is set, whatever became of this one
        ports.timers.done(timer.timer_id)
    return 1


def _let_time_pass(ports: Ports, timer: Timer, approval_id: str, public_url: str) -> None:
    now = ports.clock.now()
    after = ports.approvals.lapse(approval_id, policy=ports.policy, at=now)
    if after.status != "pending" or timer.kind != "escalate":
        return
    # The timer says whom it is for; another runner may have gone on to the next one meanwhile.
    person = ports.policy.person_at(int(timer.timer_id.rpartition(":")[2]))
    minutes = (now - after.requested_at).total_seconds() / 60
    ports.outbox.put(
        timer.incident_id,
        waiting_notice(after, person, minutes, f"{public_url}/api/v1/approvals/{approval_id}"),
        marker=f"{timer.timer_id}:told",
        reason=rule("send_slack_alert").reason,
        at=now,
    )


def _send(ports: Ports, notification: Notification, away: list[Notifier]) -> int:
    """Sends one notice, if no other sender has it and its notifier is not `away`; a failure is put
    off and never holds up an incident."""
    notifier = ports.notifiers[notification.notice.action]
    if any(notifier is silent for silent in away):
        return 0
    claimed = ports.outbox.claim(notification, CLAIM_S, at=ports.clock.now())
    if claimed is None:
        return 0
    fault("notice.claimed")
    reference, problem = None, "it failed in a way nobody foresaw; see the log"
    try:
        reference = notifier.send(
            claimed.notice, marker=claimed.marker, earlier=_issue_of(ports, claimed)
        )
    except DidNotHappenError as error:  # it can't be sent at all, now or later
        problem = ""
        ports.outbox.failed(claimed, str(error), retry_at=None, at=ports.clock.now())
    except PortError as error:
        problem = str(error)
        away.append(notifier)
    finally:
        if reference is None and problem:
            _try_later(ports, claimed, problem)
    if reference is None:
        return 0
    fault("notice.after_send")
    ports.outbox.sent(claimed, reference, at=ports.clock.now())
    fault("notice.after_sent")
    return 1


def _try_later(ports: Ports, notification: Notification, problem: str) -> None:
    pause = min(LONGEST_PAUSE, timedelta(seconds=2 ** min(notification.attempts + 1, 9)))
    now = ports.clock.now()
    ports.outbox.failed(notification, problem, retry_at=now + pause, at=now)
    log.warning("notice %s was not sent: %s", notification.marker, problem)


def _issue_of(ports: Ports, notification: Notification) -> str | None:
    """The reference of the incident's issue, for the notice that closes it."""
    if notification.notice.action != "close_github_issue":
        return None
    opened = [
        sent.reference
        for sent in ports.outbox.listed(notification.incident_id)
        if sent.notice.action == "create_github_issue" and sent.reference
    ]
    return opened[-1] if opened else None
