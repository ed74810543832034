"""Contract of `Figures`: what waits, what is open, and what was written since."""

from sqlalchemy import event

from agentops_graph.adapters.sqlalchemy_ledger import LedgerFigures
from agentops_graph.domain.action import SendSlackAlert
from agentops_graph.domain.delivery import Outside
from tests.contracts.desk import AT, after


def test_empty_ledger_has_nothing_open(desk):
    seen = desk.figures.backlog(AT)
    assert (seen.open_incidents, seen.ended_lately, seen.effects_open) == ({}, {}, {})
    assert (seen.alerts, seen.incidents, seen.jobs_waiting, seen.notices_waiting) == (0, 0, 0, 0)
    assert (seen.approvals_pending, seen.oldest_pending_at, seen.oldest_notice_at) == (
        0,
        None,
        None,
    )
    assert seen.heard_at is None
    assert desk.figures.written_since(None).seq == 0


def test_what_is_open_and_waits_is_counted_by_its_kind(desk):
    first = desk.report("a").incident_id
    desk.report("a")
    desk.report("b", severity="warning", alert_type="latency")
    desk.propose(first)
    desk.propose(first, step=1, at=after(60))
    notice = SendSlackAlert(text="drift")
    desk.outbox.put(first, notice, marker="m", reason="low risk", at=after(30))
    message = Outside(source="s", key="k", fingerprint="f", starts_at=AT)
    desk.deliveries.take(message, at=after(90))
    seen = desk.figures.backlog(after(120))
    assert seen.open_incidents == {
        ("detected", "model_drift", "critical"): 1,
        ("detected", "latency", "warning"): 1,
    }
    assert (seen.alerts, seen.incidents, seen.jobs_waiting) == (3, 2, 2)
    assert (seen.approvals_pending, seen.oldest_pending_at) == (2, AT)
    assert (seen.notices_waiting, seen.oldest_notice_at) == (1, after(30))
    assert seen.heard_at == after(90)


def test_what_ended_is_told_for_a_day_and_is_open_no_more(desk):
    incident_id = desk.report().incident_id
    desk.incidents.update(incident_id, status="resolved", ended_at=after(60))
    seen = desk.figures.backlog(after(120))
    assert (seen.open_incidents, seen.ended_lately) == ({}, {("resolved", "model_drift"): 1})
    assert desk.figures.backlog(after(90_000)).ended_lately == {}


def test_effect_without_an_outcome_is_open_by_its_state(desk):
    approval, lease = desk.approved()
    effect = desk.begin(approval, lease)
    assert desk.figures.backlog(after(120)).effects_open == {"intent": 1}
    desk.effects.finish(effect.key, lease.token, "unknown", at=after(130))
    assert desk.figures.backlog(after(140)).effects_open == {"unknown": 1}
    desk.effect_log.settle(effect.key, "done", by="mia", note="seen", at=after(150))
    assert desk.figures.backlog(after(160)).effects_open == {}


def test_what_was_written_is_counted_once_from_where_the_last_read_ended(desk):
    desk.report("before")
    begun = desk.figures.written_since(None)
    assert begun.counts == {}
    desk.report("a")
    desk.report("b")
    seen = desk.figures.written_since(begun.seq)
    assert seen.counts == {"incident.opened": 2}
    assert desk.figures.written_since(seen.seq).counts == {}
    part = desk.figures.written_since(begun.seq, limit=1)
    assert part.counts == {"incident.opened": 1}
    assert desk.figures.written_since(part.seq).counts == {"incident.opened": 1}


# These hold what is open or waits, and nothing else.
SMALL = ("counters", "one_open_incident", "outbox_queued", "one_open_effect")


def test_no_figure_reads_the_tables_that_grow_for_ever(sqlite):
    """By the plan of SQLite: it searches an index, or reads through something that stays small."""
    asked = []

    def note(connection, cursor, statement, parameters, context, many):
        asked.append((statement, parameters))

    event.listen(sqlite.engine, "before_cursor_execute", note)
    figures = LedgerFigures(sqlite)
    figures.backlog(AT)
    figures.written_since(1)
    figures.written_since(None)
    event.remove(sqlite.engine, "before_cursor_execute", note)
    assert len(asked) >= 10
    with sqlite.read() as connection:
        raw = connection.connection.driver_connection
        plans = [
            row[3] for s, p in asked for row in raw.execute(f"EXPLAIN QUERY PLAN {s}", p).fetchall()
        ]
    scans = [plan for plan in plans if plan.startswith("SCAN")]
    assert scans
    assert [plan for plan in scans if not plan.endswith(SMALL)] == []
