"""Contract of `Outbox` and `Switches`: a notice is queued once and sent at least once."""

from agentops_graph.domain.action import CreateGithubIssue
from tests.contracts.desk import AT, after, at_once, slack

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
    desk.outbox.sent(waiting.notification_id, "team/models#12", at=after(2))
    assert desk.outbox.waiting(after(60)) == []
    (sent,) = desk.outbox.listed("INC-1")
    assert (sent.state, sent.reference, sent.attempts) == ("sent", "team/models#12", 1)
    assert desk.said_in_audit("INC-1") == ["notice.queued", "notice.sent"]


def test_a_notice_that_failed_is_tried_again_later(desk):
    put(desk)
    (waiting,) = desk.outbox.waiting(AT)
    desk.outbox.failed(waiting.notification_id, "channel_not_found", retry_at=after(30))
    assert desk.outbox.waiting(after(29)) == []
    (again,) = desk.outbox.waiting(after(30))
    assert (again.attempts, again.error) == (1, "channel_not_found")


def test_a_notice_that_can_never_be_sent_waits_no_longer(desk):
    put(desk)
    (waiting,) = desk.outbox.waiting(AT)
    desk.outbox.failed(waiting.notification_id, "the text is too long", retry_at=None)
    assert desk.outbox.waiting(after(9999)) == []
    (failed,) = desk.outbox.listed()
    assert (failed.state, failed.attempts) == ("failed", 1)


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
