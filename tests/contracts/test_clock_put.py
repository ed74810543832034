"""Contract of every wait when the clock is put back or forward, on each ledger."""

import pytest

from agentops_graph.domain.ledger import Timer
from agentops_graph.errors import GoneError, RefusedError
from tests.contracts.desk import AT, POLICY, after, at_once, slack

HOUR, DAY = 3600, 86400


def wait(desk, seconds=20, **changes):
    given = {"timer_id": "A-1:look:1", "kind": "look", "incident_id": "INC-1", "set_at": AT}
    timer = Timer(**given | {"due_at": after(seconds)} | changes)
    assert desk.timers.set(timer)
    return timer


def due(desk, seconds):
    return [t.timer_id for t in desk.timers.due(after(seconds))]


def test_a_clock_put_back_delays_a_timer_by_its_own_wait_and_no_more(desk):
    wait(desk, 20)
    assert due(desk, -2 * HOUR) == []
    assert due(desk, -2 * HOUR + 19) == []
    assert due(desk, -2 * HOUR + 20) == ["A-1:look:1"]
    desk.timers.done("A-1:look:1")
    assert due(desk, -2 * HOUR + 20) == []


def test_a_clock_put_further_back_begins_the_wait_once_more(desk):
    wait(desk, 20)
    assert due(desk, -HOUR) == []
    assert due(desk, -DAY) == []
    assert due(desk, -DAY + 20) == ["A-1:look:1"]


def test_a_clock_put_right_again_finds_the_timer_as_it_was(desk):
    wait(desk, DAY)
    assert due(desk, -365 * DAY) == []
    assert due(desk, 60) == []
    assert due(desk, DAY - 1) == []
    assert due(desk, -364 * DAY) == []  # and what was counted behind is forgotten
    assert due(desk, DAY) == ["A-1:look:1"]


def test_runners_that_see_the_clock_put_back_together_count_from_one_moment(desk):
    wait(desk, 20)
    assert at_once(lambda n: due(desk, -HOUR + n)) == [[]] * 6
    assert due(desk, -HOUR + 25) == ["A-1:look:1"]


def test_a_timer_of_an_older_ledger_waits_for_its_time(desk):
    wait(desk, 20, set_at=None)
    assert due(desk, -HOUR + 40) == []
    assert due(desk, 20) == ["A-1:look:1"]


def test_a_timer_that_has_fired_says_so_when_it_is_set_again(desk):
    timer = wait(desk, 20)
    assert desk.timers.set(timer)  # it still waits
    desk.timers.done(timer.timer_id)
    assert not desk.timers.set(timer)


def test_a_job_put_off_in_what_is_now_the_future_is_tried_early_and_once(desk):
    desk.jobs.enqueue("INC-1", "alert", at=AT)
    (job,) = desk.jobs.waiting(AT)
    desk.jobs.put_off(job.job_id, after(8), "the warehouse did not answer", at=AT)
    assert desk.jobs.waiting(after(7)) == []
    assert [j.job_id for j in desk.jobs.waiting(after(-HOUR))] == [job.job_id]
    desk.jobs.put_off(job.job_id, after(-HOUR + 8), "nor now", at=after(-HOUR))
    assert desk.jobs.waiting(after(-HOUR + 7)) == []
    assert [j.attempts for j in desk.jobs.waiting(after(-HOUR + 8))] == [2]


def test_a_notice_put_off_in_what_is_now_the_future_is_tried_early_and_once(desk):
    desk.outbox.put("INC-1", slack(), marker="m", reason="informs", at=AT)
    for back in (0, -6 * HOUR, -7 * HOUR):  # each time put back behind the failure before
        (waiting,) = desk.outbox.waiting(after(back))
        claimed = desk.outbox.claim(waiting, 60, at=after(back))
        desk.outbox.failed(claimed, "no answer", retry_at=after(back + 8), at=after(back))
        assert desk.outbox.waiting(after(back + 7)) == []
        assert desk.outbox.claim(waiting, 60, at=after(back + 7)) is None
        assert [n.marker for n in desk.outbox.waiting(after(back + 8))] == ["m"]
    assert desk.outbox.listed()[0].attempts == 3


@pytest.fixture
def asked(desk):
    return desk.propose(desk.report().incident_id)


def test_an_expiry_never_comes_early_because_the_clock_was_put_back(desk, asked):
    whole = POLICY.expires_after_s
    for seconds in (-365 * DAY, -365 * DAY + 60, 61):  # back, on, and right again
        desk.timers.due(after(seconds))
        held = desk.approvals.lapse(asked.approval_id, policy=POLICY, at=after(seconds))
        assert held.status == "pending"
    assert "A-1:expire:0" not in due(desk, whole - 1)
    assert "A-1:expire:0" in due(desk, whole)
    assert desk.approvals.lapse("A-1", policy=POLICY, at=after(whole)).status == "expired"


def test_by_a_clock_that_stays_back_an_approval_expires_after_its_time(desk, asked):
    back, whole = -365 * DAY, POLICY.expires_after_s
    assert "A-1:expire:0" not in due(desk, back)
    assert "A-1:expire:0" not in due(desk, back + whole - 1)
    almost = after(back + whole - 1)
    assert desk.approvals.lapse("A-1", policy=POLICY, at=almost).status == "pending"
    assert "A-1:expire:0" in due(desk, back + whole)
    assert desk.approvals.lapse("A-1", policy=POLICY, at=after(back + whole)).status == "expired"
    with pytest.raises(GoneError):
        desk.decide(asked, at=after(back + whole + 1))


def test_by_a_clock_that_stays_back_the_next_person_is_told_in_time(desk, asked):
    back = -365 * DAY
    assert due(desk, back) == []
    assert due(desk, back + 300) == ["A-1:escalate:1"]
    told = desk.approvals.lapse("A-1", policy=POLICY, at=after(back + 300))
    assert (told.status, told.escalation_level) == ("pending", 1)
    desk.timers.done("A-1:escalate:1")
    assert due(desk, back + 599) == []
    assert due(desk, back + 600) == ["A-1:escalate:2"]


def test_before_its_request_an_approval_can_still_be_decided(desk, asked):
    assert desk.decide(asked, at=after(-DAY)).status == "approved"


def test_a_clock_put_forward_expires_and_approves_nothing(desk, asked):
    with pytest.raises(GoneError):
        desk.decide(asked, at=after(365 * DAY))
    late = desk.approvals.lapse("A-1", policy=POLICY, at=after(365 * DAY))
    assert late.status == "expired"
    with pytest.raises(GoneError):  # also when it is put right again
        desk.decide(asked, at=after(60))


def test_what_was_approved_is_refused_by_a_clock_put_forward_and_done_by_one_put_back(desk):
    approval, lease = desk.approved()
    with pytest.raises(RefusedError, match="expired"):
        desk.begin(approval, lease, at=after(365 * DAY))
    assert desk.begin(approval, lease, at=after(-365 * DAY)).state == "intent"
