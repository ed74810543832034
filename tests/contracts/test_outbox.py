"""Contract of `Outbox` and `Switches`: a notice is queued once and sent at least once."""

import subprocess
import sys

from agentops_graph.domain.action import CreateGithubIssue
from tests.contracts.desk import AT, after, at_once, slack, sql_desk

ISSUE = CreateGithubIssue(title="Model drift", text="V14 and V17 left their reference.")


def put(desk, marker="INC-1:0:send_slack_alert", notice=None, incident_id="INC-1"):
    desk.outbox.put(
        incident_id, notice or slack(), marker=marker, reason="low risk, informs", at=AT
    )


def test_a_notice_waits_with_an_approval_by_policy(desk):
    put(desk)
    (waiting,) = desk.outbox.waiting(AT)
    assert (waiting.notice, waiting.state, waiting.attempts) == (slack(), "queued", 0)
    assert waiting.approval_id.startswith("N-")
    (row,) = desk.audit.rows("INC-1")
    assert (row["what"], row["actor"], row["via"]) == ("notice.queued", "policy", "policy")


def test_a_marker_that_is_known_queues_nothing(desk):
    put(desk)
    put(desk, notice=slack("other words"))
    assert [n.notice for n in desk.outbox.listed()] == [slack()]
    assert desk.said_in_audit() == ["notice.queued"]


def test_a_marker_that_several_bring_at_once_queues_one(desk):
    outcomes = at_once(lambda n: put(desk, notice=slack(f"words of {n}")))
    assert outcomes == [None] * 6
    assert len(desk.outbox.listed()) == 1


def test_a_sent_notice_keeps_its_reference_and_waits_no_longer(desk):
    put(desk, notice=ISSUE)
    (waiting,) = desk.outbox.waiting(AT)
    desk.outbox.sent(waiting, "team/models#12", at=after(2))
    assert desk.outbox.waiting(after(60)) == []
    (sent,) = desk.outbox.listed("INC-1")
    assert (sent.state, sent.reference, sent.attempts) == ("sent", "team/models#12", 1)
    assert desk.said_in_audit("INC-1") == ["notice.queued", "notice.sent"]


def test_a_notice_that_failed_is_tried_again_later(desk):
    put(desk)
    (waiting,) = desk.outbox.waiting(AT)
    desk.outbox.failed(waiting, "channel_not_found", retry_at=after(30), at=AT)
    assert desk.outbox.waiting(after(29)) == []
    (again,) = desk.outbox.waiting(after(30))
    assert (again.attempts, again.error) == (1, "channel_not_found")


def test_a_notice_that_can_never_be_sent_waits_no_longer(desk):
    put(desk)
    (waiting,) = desk.outbox.waiting(AT)
    desk.outbox.failed(waiting, "the text is too long", retry_at=None, at=AT)
    assert desk.outbox.waiting(after(9999)) == []
    (failed,) = desk.outbox.listed()
    assert (failed.state, failed.attempts) == ("failed", 1)


def test_of_several_senders_at_once_one_gets_the_notice(desk):
    put(desk)
    (waiting,) = desk.outbox.waiting(AT)
    claims = at_once(lambda _: desk.outbox.claim(waiting, 60, at=AT))
    (claimed,) = [claim for claim in claims if claim is not None]
    assert (claimed.notice, claimed.claim) == (slack(), 1)
    assert desk.outbox.waiting(after(1)) == []
    desk.outbox.sent(claimed, "C1/1", at=after(2))
    assert desk.outbox.claim(claimed, 60, at=after(3)) is None
    assert desk.said_in_audit("INC-1").count("notice.sent") == 1


def test_a_claim_that_ran_out_goes_to_the_next_and_its_failure_comes_too_late(desk):
    put(desk)
    (waiting,) = desk.outbox.waiting(AT)
    silent = desk.outbox.claim(waiting, 0.0, at=AT)
    assert desk.outbox.waiting(AT) == [silent]
    following = desk.outbox.claim(silent, 60, at=AT)
    assert following.claim == 2
    desk.outbox.failed(silent, "no answer in 60 s", retry_at=None, at=AT)
    assert desk.outbox.listed() == [following]
    assert desk.outbox.waiting(AT) == []
    desk.outbox.sent(following, "C1/2", at=after(1))
    (sent,) = desk.outbox.listed()
    assert (sent.state, sent.attempts, sent.error) == ("sent", 1, None)


def test_what_was_sent_under_a_claim_that_ran_out_is_sent_once_in_the_ledger(desk):
    put(desk)
    (waiting,) = desk.outbox.waiting(AT)
    silent = desk.outbox.claim(waiting, 0.0, at=AT)
    following = desk.outbox.claim(waiting, 60, at=AT)
    desk.outbox.sent(silent, "C1/1", at=after(1))
    desk.outbox.sent(following, "C1/2", at=after(2))
    desk.outbox.failed(following, "too late", retry_at=after(3), at=after(2))
    (sent,) = desk.outbox.listed()
    assert (sent.state, sent.reference, sent.attempts) == ("sent", "C1/1", 1)
    assert desk.said_in_audit() == ["notice.queued", "notice.sent", "notice.late_result"]
    assert desk.outbox.waiting(after(60)) == []


def test_a_notice_that_failed_meanwhile_is_not_claimed_before_it_is_due_again(desk):
    put(desk)
    (seen,) = desk.outbox.waiting(AT)
    claimed = desk.outbox.claim(seen, 60, at=AT)
    desk.outbox.failed(claimed, "rate limited", retry_at=after(30), at=AT)
    assert desk.outbox.claim(seen, 60, at=after(1)) is None
    assert desk.outbox.claim(seen, 60, at=after(30)).claim == 2


DYING = """
import os, sys
from agentops_graph.adapters.sqlalchemy_ledger import Database
from tests.contracts.desk import AT, KEY, sql_desk

desk = sql_desk(Database(sys.argv[1], audit_key=KEY))
(waiting,) = desk.outbox.waiting(AT)
assert desk.outbox.claim(waiting, 600, at=AT) is not None
os._exit(9)
"""


def test_the_claim_of_a_sender_that_is_proved_dead_is_free_at_once(database):
    desk = sql_desk(database)
    put(desk)
    url = database.engine.url.render_as_string(hide_password=False)
    child = subprocess.run([sys.executable, "-c", DYING, url], timeout=60, check=False)
    assert child.returncode == 9
    (left,) = desk.outbox.waiting(AT)
    assert left.claim == 1
    assert desk.outbox.claim(left, 60, at=AT).claim == 2


def test_notices_wait_in_order_and_are_listed_by_incident(desk):
    put(desk, "one")
    put(desk, "two", incident_id="INC-2")
    put(desk, "three", notice=ISSUE)
    assert [n.marker for n in desk.outbox.waiting(AT)] == ["one", "two", "three"]
    assert [n.marker for n in desk.outbox.listed("INC-1")] == ["one", "three"]


def test_the_switch_says_what_is_paused(desk):
    assert desk.switches.paused() is None
    desk.switches.pause_actions(everything=False, by="mia", at=AT)
    assert desk.switches.paused() == "actions"
    desk.switches.pause_actions(everything=True, by="mia", at=AT)
    assert desk.switches.paused() == "all"
    desk.switches.resume_actions(by="mia", at=AT)
    assert desk.switches.paused() is None
    assert desk.said_in_audit() == ["actions.paused", "actions.paused", "actions.resumed"]
