"""Contract of `Effects`: an intent is written only when every check allows it, a result once."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest

from agentops_graph.domain.effect import Receipt
from agentops_graph.domain.ledger import Silence
from agentops_graph.errors import NotFoundError, RefusedError
from tests.contracts.desk import AT, after, at_once, sql_desk

RECEIPT = Receipt(reference="2", details={"alias": "production"})


def done(desk, approval, lease):
    effect = desk.begin(approval, lease)
    return desk.effects.finish(effect.key, lease.token, "done", at=after(121), receipt=RECEIPT)


def test_an_intent_is_written_before_and_the_result_after(desk):
    approval, lease = desk.approved()
    intent = desk.begin(approval, lease)
    assert (intent.key, intent.state, intent.lease_token) == ("A-1:do", "intent", lease.token)
    assert intent.writer.pid == os.getpid()
    assert desk.effects.find("A-1:do") == intent
    ended = desk.effects.finish("A-1:do", lease.token, "done", at=after(121), receipt=RECEIPT)
    assert (ended.state, ended.ended_at, ended.receipt) == ("done", after(121), RECEIPT)
    assert desk.effect_log.listed(intent.incident_id) == [ended]
    assert desk.said_in_audit()[-2:] == ["effect.intent", "effect.done"]


def test_beginning_again_gives_the_effect_that_is_there(desk):
    approval, lease = desk.approved()
    ended = done(desk, approval, lease)
    assert desk.begin(approval, lease) == ended
    assert len(desk.effect_log.listed()) == 1


def test_of_several_that_begin_together_one_intent_is_left(desk):
    approval, lease = desk.approved()
    outcomes = at_once(lambda _: desk.begin(approval, lease))
    assert len(desk.effect_log.listed()) == 1
    assert {type(o) for o in outcomes if isinstance(o, Exception)} <= {RefusedError}
    assert desk.said_in_audit().count("effect.intent") == 1


def refused(desk, approval, lease, match, **how):
    with pytest.raises(RefusedError, match=match):
        desk.begin(approval, lease, **how)
    assert "effect.intent" not in desk.said_in_audit()[-1:]


def test_nothing_begins_without_an_approval(desk):
    incident_id = desk.report().incident_id
    pending = desk.propose(incident_id)
    lease = desk.leases.acquire(incident_id, "runner-1", 60)
    refused(desk, pending, lease, "no approval with this digest")
    desk.decide(pending, "reject")
    refused(desk, pending, lease, "no approval with this digest")
    assert desk.effect_log.listed() == []


def test_nothing_begins_on_another_digest_than_the_approved_one(desk):
    approval, lease = desk.approved()
    refused(desk, approval, lease, "digest", digest="0" * 64)


def test_nothing_begins_after_the_approval_expired(desk):
    approval, lease = desk.approved()
    refused(desk, approval, lease, "expired", at=approval.expires_at)


@pytest.mark.parametrize("everything", [False, True])
def test_nothing_begins_while_actions_are_paused(desk, everything):
    approval, lease = desk.approved()
    desk.switches.pause_actions(everything=everything, by="mia", at=after(90))
    refused(desk, approval, lease, "paused")
    desk.switches.resume_actions(by="mia", at=after(95))
    assert desk.begin(approval, lease).state == "intent"


def silence(kind, component="fraud-detector"):
    return Silence(
        silence_id="new",
        kind=kind,
        component=component,
        starts_at=after(100),
        ends_at=after(700),
        by="mia",
        reason="database upgrade",
    )


def test_nothing_begins_while_the_component_is_in_maintenance(desk):
    approval, lease = desk.approved()
    held = desk.silences.add(silence("maintenance"))
    refused(desk, approval, lease, "maintenance", at=after(120))
    desk.silences.end(held.silence_id, by="mia", at=after(130))
    assert desk.begin(approval, lease, at=after(130)).state == "intent"


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "silence"},
        {"kind": "maintenance", "component": "x"},
        {"kind": "maintenance", "component": "fraud_detector"},
        {"kind": "maintenance", "component": "%"},
    ],
)
def test_a_mere_silence_or_another_components_maintenance_stops_nothing(desk, other):
    approval, lease = desk.approved()
    desk.silences.add(silence(**other))
    assert desk.begin(approval, lease, at=after(120)).state == "intent"


def test_silences_are_active_until_their_end_even_when_the_clock_is_put_back(desk):
    first = desk.silences.add(silence("silence"))
    second = desk.silences.add(silence("maintenance", "churn"))
    assert first.silence_id != second.silence_id
    assert desk.silences.active(after(99)) == [first, second]
    assert desk.silences.active(after(100)) == [first, second]
    assert desk.silences.active(after(700)) == []
    ended = desk.silences.end(first.silence_id, by="mia", at=after(200))
    assert ended.ends_at == after(200)
    assert desk.silences.active(after(200)) == [second]
    with pytest.raises(NotFoundError):
        desk.silences.end("S-99", by="mia", at=after(200))


def test_nothing_begins_when_the_budget_of_the_day_is_spent(desk):
    first, lease = desk.approved()
    done(desk, first, lease)
    second = desk.decide(desk.propose(first.proposal.incident_id, step=1, version="3"))
    refused(desk, second, lease, "budget of 1", budget=1)
    assert desk.begin(second, lease, budget=2).state == "intent"


DAY_S = 86_400


def spent(desk, at):
    """One action of another approval, begun then; the next approval of the same target."""
    first, lease = desk.approved()
    effect = desk.begin(first, lease, at=at)
    desk.effects.finish(effect.key, lease.token, "done", at=at)
    second = desk.decide(desk.propose(first.proposal.incident_id, step=1, version="3"))
    return second, lease


def test_the_budget_is_of_the_last_24_hours(desk):
    second, lease = spent(desk, after(120 - DAY_S))
    assert desk.begin(second, lease, at=after(120), budget=1).state == "intent"


def test_midnight_refills_no_budget(desk):
    late = AT.replace(hour=23, minute=59)
    second, lease = spent(desk, late - timedelta(days=1))
    refused(desk, second, lease, "budget of 1", at=AT.replace(hour=0, minute=1), budget=1)


def test_a_clock_that_is_put_back_refills_no_budget(desk):
    second, lease = spent(desk, after(600))
    refused(desk, second, lease, "budget of 1", at=after(600 - 10 * DAY_S), budget=1)


def test_nothing_begins_under_a_lease_that_was_lost(desk):
    approval, lease = desk.approved()
    desk.leases.release(lease)
    desk.leases.acquire(lease.incident_id, "runner-2", 60)
    refused(desk, approval, lease, "lease")


def test_nothing_begins_under_a_lease_that_ran_out(desk):
    approval, lease = desk.approved()
    assert desk.leases.renew(lease, 0)
    refused(desk, approval, lease, "lease")


@pytest.mark.parametrize("state", ["intent", "unknown"])
def test_nothing_begins_on_a_target_whose_last_effect_is_open(desk, state):
    first, lease = desk.approved()
    effect = desk.begin(first, lease)
    if state == "unknown":
        desk.effects.finish(effect.key, lease.token, "unknown", at=after(121), error="no answer")
    second = desk.decide(desk.propose(first.proposal.incident_id, step=1, version="3"))
    refused(desk, second, lease, "open")


def test_effects_on_other_targets_do_not_wait(desk):
    first, first_lease = desk.approved("fraud-detector")
    second, second_lease = desk.approved("churn")
    assert desk.begin(first, first_lease).state == "intent"
    assert desk.begin(second, second_lease).state == "intent"


def test_an_undo_needs_that_its_action_was_done(desk):
    approval, lease = desk.approved()
    refused(desk, approval, lease, "not carried out", direction="undo")
    effect = desk.begin(approval, lease)
    desk.effects.finish(effect.key, lease.token, "failed", at=after(121), error="refused")
    refused(desk, approval, lease, "not carried out", direction="undo")


def test_an_undo_heeds_neither_budget_nor_expiry_nor_the_pause_of_actions(desk):
    approval, lease = desk.approved()
    done(desk, approval, lease)
    desk.switches.pause_actions(everything=False, by="mia", at=after(122))
    undo = desk.begin(approval, lease, "undo", at=after(99_999), budget=0)
    assert (undo.key, undo.direction, undo.state) == ("A-1:undo", "undo", "intent")


def test_a_pause_of_everything_stops_an_undo(desk):
    approval, lease = desk.approved()
    done(desk, approval, lease)
    desk.switches.pause_actions(everything=True, by="mia", at=after(122))
    refused(desk, approval, lease, "everything is paused", direction="undo")


def test_an_undo_spends_no_budget(desk):
    approval, lease = desk.approved()
    done(desk, approval, lease)
    undo = desk.begin(approval, lease, "undo")
    desk.effects.finish(undo.key, lease.token, "done", at=after(123))
    second = desk.decide(desk.propose(approval.proposal.incident_id, step=1, version="3"))
    assert desk.begin(second, lease, budget=2).state == "intent"


def test_a_left_over_intent_is_retaken_once(desk):
    approval, lease = desk.approved()
    left = desk.begin(approval, lease)
    desk.leases.release(lease)
    newer = desk.leases.acquire(lease.incident_id, "runner-2", 60)
    taken = desk.effects.retake(left, newer, at=after(200), otherwise="failed")
    assert (taken.state, taken.lease_token) == ("intent", newer.token)
    with pytest.raises(RefusedError, match="taken over"):
        desk.effects.retake(left, newer, at=after(201), otherwise="failed")
    assert desk.said_in_audit().count("effect.retaken") == 1


def test_of_several_that_retake_together_one_does(desk):
    approval, lease = desk.approved()
    left = desk.begin(approval, lease)
    desk.leases.release(lease)
    newer = desk.leases.acquire(lease.incident_id, "runner-2", 60)
    outcomes = at_once(
        lambda _: desk.effects.retake(left, newer, at=after(200), otherwise="failed")
    )
    assert [type(o) for o in outcomes].count(RefusedError) == 5
    assert desk.said_in_audit().count("effect.retaken") == 1


def test_an_intent_is_not_retaken_under_a_lost_lease(desk):
    approval, lease = desk.approved()
    left = desk.begin(approval, lease)
    desk.leases.release(lease)
    with pytest.raises(RefusedError):
        desk.effects.retake(left, lease, at=after(200), otherwise="failed")


def test_the_late_result_of_an_old_token_is_recorded_and_changes_nothing(desk):
    approval, lease = desk.approved()
    left = desk.begin(approval, lease)
    desk.leases.release(lease)
    newer = desk.leases.acquire(lease.incident_id, "runner-2", 60)
    taken = desk.effects.retake(left, newer, at=after(200), otherwise="failed")
    late = desk.effects.finish(left.key, lease.token, "failed", at=after(201), error="too late")
    assert late == taken
    assert desk.said_in_audit()[-1] == "effect.late_result"
    ended = desk.effects.finish(left.key, newer.token, "done", at=after(202))
    again = desk.effects.finish(left.key, newer.token, "failed", at=after(203), error="twice")
    assert ended.state == again.state == "done"


def test_a_person_settles_what_is_unknown_once(desk):
    approval, lease = desk.approved()
    effect = desk.begin(approval, lease)
    desk.effects.finish(effect.key, lease.token, "unknown", at=after(121), error="no answer")
    settled = desk.effect_log.settle(
        effect.key, "failed", by="mia", note="looked: v1 serves", at=after(500)
    )
    assert (settled.state, settled.error) == ("failed", "looked: v1 serves")
    assert desk.said_in_audit()[-1] == "effect.reconciled"
    with pytest.raises(RefusedError, match="nothing to reconcile"):
        desk.effect_log.settle(effect.key, "done", by="mia", note="", at=after(501))


def test_only_what_is_known_can_be_settled(desk):
    with pytest.raises(NotFoundError, match="A-9:do"):
        desk.effect_log.settle("A-9:do", "done", by="mia", note="", at=after(1))


def test_an_effect_that_never_was_has_no_result(desk):
    with pytest.raises(RefusedError, match="no effect"):
        desk.effects.finish("A-9:do", 1, "done", at=after(1))
    assert desk.effects.find("A-9:do") is None


def test_a_living_writer_is_not_called_dead(desk):
    approval, lease = desk.approved()
    assert desk.effects.writer_is_dead(desk.begin(approval, lease)) is False


DYING = """
import os, sys
from agentops_graph.adapters.sqlalchemy_ledger import Database
from tests.contracts.desk import KEY, sql_desk

desk = sql_desk(Database(sys.argv[1], audit_key=KEY))
approval = desk.approvals.get("A-1")
lease = desk.leases.acquire(approval.proposal.incident_id, "runner-that-dies", 600)
desk.begin(approval, lease)
os._exit(9)
"""


def test_the_writer_of_an_intent_is_proved_dead_and_its_lease_is_free(database):
    desk = sql_desk(database)
    approval, lease = desk.approved()
    desk.leases.release(lease)
    url = database.engine.url.render_as_string(hide_password=False)
    child = subprocess.run([sys.executable, "-c", DYING, url], timeout=60, check=False)
    assert child.returncode == 9
    left = desk.effects.find("A-1:do")
    assert (left.state, desk.effects.writer_is_dead(left)) == ("intent", True)
    lease = desk.leases.acquire(approval.proposal.incident_id, "runner-2", 60)
    assert lease.token == left.lease_token + 1
