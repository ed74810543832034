"""Contract of `Leases`, `Timers`, `Jobs` and `DetachedWork`: every wait is a row."""

import pytest
from sqlalchemy import text

from agentops_graph.domain.action import RerunPipeline
from agentops_graph.domain.ledger import Timer
from agentops_graph.errors import NotFoundError
from tests.contracts.desk import AT, after, at_once, sql_desk
from tests.contracts.test_detached_work import falls_silent

RERUN = RerunPipeline(pipeline="transactions", window_from=after(-600), window_until=AT)


def test_a_second_holder_is_refused_until_the_lease_is_given_back(desk):
    first = desk.leases.acquire("INC-1", "runner-1", 60)
    assert (first.token, first.holder) == (1, "runner-1")
    assert desk.leases.acquire("INC-1", "runner-2", 60) is None
    desk.leases.release(first)
    assert desk.leases.acquire("INC-1", "runner-2", 60).token == 2


def test_a_lease_that_ran_out_goes_to_the_next_with_a_higher_token(desk):
    first = desk.leases.acquire("INC-1", "runner-1", 0)
    second = desk.leases.acquire("INC-1", "runner-2", 60)
    assert second.token > first.token
    assert not desk.leases.renew(first, 60)
    desk.leases.release(first)  # of an old token: takes nothing from the new holder
    assert desk.leases.acquire("INC-1", "runner-3", 60) is None


def test_a_renewed_lease_is_held_on(desk):
    lease = desk.leases.acquire("INC-1", "runner-1", 0)
    assert desk.leases.renew(lease, 60)
    assert desk.leases.acquire("INC-1", "runner-2", 60) is None


def test_a_lease_is_held_until_it_runs_out_or_goes_to_another(desk):
    lease = desk.leases.acquire("INC-1", "runner-1", 60)
    assert desk.leases.holds(lease)
    assert desk.leases.renew(lease, 0)
    assert not desk.leases.holds(lease)
    newer = desk.leases.acquire("INC-1", "runner-2", 60)
    assert desk.leases.holds(newer)
    assert not desk.leases.holds(lease)
    desk.leases.release(newer)
    assert not desk.leases.holds(newer)


def test_leases_of_other_incidents_are_free(desk):
    assert desk.leases.acquire("INC-1", "runner-1", 60)
    assert desk.leases.acquire("INC-2", "runner-1", 60)


def test_of_several_that_want_a_lease_one_gets_it(desk):
    got = at_once(lambda n: desk.leases.acquire("INC-1", f"runner-{n}", 60))
    assert len([lease for lease in got if lease is not None]) == 1


def test_of_several_that_take_over_a_lease_one_gets_it(desk):
    desk.leases.acquire("INC-1", "runner-0", 0)
    got = at_once(lambda n: desk.leases.acquire("INC-1", f"runner-{n}", 60))
    assert [lease.token for lease in got if lease is not None] == [2]


def test_a_runner_is_alive_from_its_beat_to_its_stop(desk):
    desk.leases.beat("service@here:1", "service")
    desk.leases.beat("service@here:1", "service")
    desk.leases.beat("work@here:2", "work")
    assert sorted(desk.leases.runners_alive()) == ["service@here:1", "work@here:2"]
    desk.leases.beat("work@here:2", "work", stopped=True)
    assert desk.leases.runners_alive() == ["service@here:1"]


def timer(timer_id="T-1", incident_id="INC-1", due_at=AT):
    return Timer(timer_id=timer_id, kind="look", incident_id=incident_id, due_at=due_at)


def test_a_timer_is_due_from_its_time_until_it_is_done(desk):
    desk.timers.set(timer(due_at=after(10)))
    assert desk.timers.due(after(9)) == []
    assert desk.timers.due(after(10)) == [timer(due_at=after(10))]
    desk.timers.done("T-1")
    assert desk.timers.due(after(10)) == []


def test_a_timer_is_set_once_and_stays_done(desk):
    desk.timers.set(timer(due_at=after(10)))
    desk.timers.set(timer(due_at=after(99)))
    assert desk.timers.due(after(10)) == [timer(due_at=after(10))]
    desk.timers.done("T-1")
    desk.timers.set(timer(due_at=after(10)))
    assert desk.timers.due(after(10)) == []


def test_timers_fire_in_the_order_they_are_due(desk):
    desk.timers.set(timer("late", due_at=after(20)))
    desk.timers.set(timer("early", due_at=after(10)))
    assert [t.timer_id for t in desk.timers.due(after(30))] == ["early", "late"]


def test_a_claimed_timer_is_due_for_nobody_until_the_claim_lapses(desk):
    desk.timers.set(timer(due_at=after(10)))
    assert desk.timers.claim("T-1", until=after(130), at=after(10))
    assert not desk.timers.claim("T-1", until=after(131), at=after(11))
    assert desk.timers.due(after(129)) == []
    assert desk.timers.due(after(130)) == [timer(due_at=after(10))]
    assert desk.timers.claim("T-1", until=after(250), at=after(130))
    desk.timers.done("T-1")
    assert desk.timers.due(after(999)) == []


def test_a_timer_that_is_done_or_unknown_can_not_be_claimed(desk):
    desk.timers.set(timer())
    desk.timers.done("T-1")
    assert not desk.timers.claim("T-1", until=after(120), at=AT)
    assert not desk.timers.claim("T-9", until=after(120), at=AT)


def test_a_claim_does_not_outlast_a_clock_that_was_put_back(desk):
    desk.timers.set(timer(due_at=after(-9000)))
    desk.timers.claim("T-1", until=after(120), at=AT)
    assert [t.timer_id for t in desk.timers.due(after(-3600))] == ["T-1"]
    assert desk.timers.claim("T-1", until=after(-3480), at=after(-3600))


def test_of_several_that_claim_a_timer_one_gets_it(desk):
    desk.timers.set(timer())
    got = at_once(lambda _: desk.timers.claim("T-1", until=after(120), at=AT))
    assert got.count(True) == 1


def test_a_job_waits_until_it_is_finished(desk):
    desk.jobs.enqueue("INC-1", "alert", at=AT)
    desk.jobs.enqueue("INC-2", "alert", at=after(5))
    assert [j.incident_id for j in desk.jobs.waiting(after(5))] == ["INC-1", "INC-2"]
    assert [j.incident_id for j in desk.jobs.waiting(after(5), "INC-2")] == ["INC-2"]
    desk.jobs.finish(desk.jobs.waiting(AT)[0].job_id)
    assert [j.incident_id for j in desk.jobs.waiting(after(5))] == ["INC-2"]


def test_a_job_that_was_never_tried_is_due_though_the_clock_was_put_back(desk):
    desk.jobs.enqueue("INC-1", "alert", at=after(3600))
    assert [j.incident_id for j in desk.jobs.waiting(AT)] == ["INC-1"]


def test_a_job_that_is_put_off_comes_back_later_and_counts_its_attempts(desk):
    desk.jobs.enqueue("INC-1", "alert", at=AT)
    (job,) = desk.jobs.waiting(AT)
    desk.jobs.put_off(job.job_id, after(8), "the warehouse did not answer", at=AT)
    assert desk.jobs.waiting(after(7)) == []
    assert [j.attempts for j in desk.jobs.waiting(after(8))] == [1]


def finish_all_jobs(desk):
    for job in desk.jobs.waiting(after(10_000)):
        desk.jobs.finish(job.job_id)


def test_an_incident_without_anything_to_wait_for_is_adopted(desk):
    incident_id = desk.report().incident_id
    assert desk.jobs.adopt_orphans(AT) == 0  # its first job waits
    finish_all_jobs(desk)
    assert desk.jobs.adopt_orphans(AT) == 1
    assert [(j.incident_id, j.why) for j in desk.jobs.waiting(AT)] == [(incident_id, "orphan")]
    assert desk.jobs.adopt_orphans(AT) == 0


@pytest.mark.parametrize("status", ["escalated", "resolved", "suppressed", "closed"])
def test_an_incident_that_ended_or_is_a_persons_is_no_orphan(desk, status):
    desk.incidents.update(desk.report().incident_id, status=status)
    finish_all_jobs(desk)
    assert desk.jobs.adopt_orphans(AT) == 0


def test_what_waits_for_a_person_a_time_or_work_is_no_orphan(desk):
    asked, timed, working = (desk.report(c).incident_id for c in ("a", "b", "c"))
    desk.propose(asked)
    desk.timers.set(timer(incident_id=timed, due_at=after(99)))
    desk.work.open("A-9:do", RERUN, working, "demo:rerun", at=AT)
    finish_all_jobs(desk)
    assert desk.jobs.adopt_orphans(AT) == 0


def test_work_that_no_process_claimed_in_time_has_failed(desk):
    incident_id = desk.report().incident_id
    desk.work.open("A-9:do", RERUN, incident_id, "demo:rerun", at=AT)
    finish_all_jobs(desk)
    falls_silent(desk, "A-9:do", 60)
    desk.jobs.adopt_orphans(after(121))
    assert desk.work.find("A-9:do").state == "open"
    falls_silent(desk, "A-9:do", 61)
    desk.jobs.adopt_orphans(after(121))
    assert (desk.work.find("A-9:do").state, desk.work.find("A-9:do").error) == (
        "failed",
        "its process never started",
    )
    assert [j.why for j in desk.jobs.waiting(after(121))] == ["work A-9:do"]
    assert desk.work.claim("A-9:do") is None


@pytest.mark.parametrize("jump", [-6 * 3600, 6 * 3600])
def test_how_long_a_process_may_take_to_claim_its_work_heeds_no_clock_that_can_be_put(desk, jump):
    incident_id = desk.report().incident_id
    desk.work.open("A-9:do", RERUN, incident_id, "demo:rerun", at=AT)
    finish_all_jobs(desk)
    desk.jobs.adopt_orphans(after(jump))
    assert desk.work.find("A-9:do").state == "open"
    falls_silent(desk, "A-9:do", 121)
    desk.jobs.adopt_orphans(after(jump))
    assert desk.work.find("A-9:do").state == "failed"


def test_work_opened_on_the_clock_of_another_boot_is_given_its_time_from_the_first_look(database):
    desk = sql_desk(database)
    desk.work.open("A-9:do", RERUN, "INC-1", "demo:rerun", at=after(-9000))
    for unknown in ("beat_clock = 'of-another-boot'", "beat_clock = NULL, beat = NULL"):
        with database.write() as connection:
            connection.execute(text(f"UPDATE work SET {unknown}"))
        desk.jobs.adopt_orphans(AT)
        assert desk.work.find("A-9:do").state == "open"
    falls_silent(desk, "A-9:do", 121)
    desk.jobs.adopt_orphans(AT)
    assert desk.work.find("A-9:do").state == "failed"


def test_work_is_opened_once(desk):
    first = desk.work.open("A-1:do", RERUN, "INC-1", "demo:rerun", at=AT)
    again = desk.work.open("A-1:do", RERUN, "INC-1", "other:entry", at=after(5))
    assert again == first
    assert (first.state, first.action, first.entry_point) == ("open", RERUN, "demo:rerun")


def test_of_several_processes_one_claims_the_work(desk):
    desk.work.open("A-1:do", RERUN, "INC-1", "demo:rerun", at=AT)
    claimed = [w for w in at_once(lambda _: desk.work.claim("A-1:do")) if w is not None]
    assert len(claimed) == 1
    assert (claimed[0].state, claimed[0].writer is not None) == ("running", True)


def test_work_tells_its_progress_and_its_result_resumes_the_incident(desk):
    desk.work.open("A-1:do", RERUN, "INC-1", "demo:rerun", at=AT)
    desk.work.claim("A-1:do")
    desk.work.progress("A-1:do", 0.4, "4 of 10 batches")
    running = desk.work.find("A-1:do")
    assert (running.share, running.progress) == (0.4, "4 of 10 batches")
    desk.work.finish("A-1:do", error=None, result={"summary": "10 batches"}, at=after(30))
    ended = desk.work.find("A-1:do")
    assert (ended.state, ended.result, ended.ended_at) == (
        "done",
        {"summary": "10 batches"},
        after(30),
    )
    assert [j.why for j in desk.jobs.waiting(after(30))] == ["work A-1:do"]


def test_work_ends_once(desk):
    desk.work.open("A-1:do", RERUN, "INC-1", "demo:rerun", at=AT)
    desk.work.claim("A-1:do")
    desk.work.finish("A-1:do", error="out of memory", result={}, at=after(30))
    desk.work.finish("A-1:do", error=None, result={"summary": "late"}, at=after(31))
    assert (desk.work.find("A-1:do").state, desk.work.find("A-1:do").error) == (
        "failed",
        "out of memory",
    )
    assert len(desk.jobs.waiting(after(31))) == 1


def test_work_that_is_not_there_is_said_so(desk):
    assert desk.work.find("A-9:do") is None
    assert desk.work.claim("A-9:do") is None
    with pytest.raises(NotFoundError):
        desk.work.finish("A-9:do", error=None, result={}, at=AT)


def test_the_end_of_a_pause_keeps_nobody_from_coming_back_to_an_incident(desk):
    incident = desk.report().incident_id
    finish_all_jobs(desk)
    desk.timers.set(
        Timer(timer_id="P-1", kind="again", incident_id=incident, due_at=after(900), set_at=AT)
    )
    assert desk.jobs.adopt_orphans(AT) == 1
