"""Contract of `Approvals`: each proposal gets one decision, and time never approves."""

import pytest
from sqlalchemy import update

from agentops_graph.adapters.sqlalchemy_ledger import tables
from agentops_graph.errors import ConflictError, GoneError, InputError, NotFoundError
from tests.contracts.desk import AT, POLICY, after, at_once, proposal, slack, sql_desk


@pytest.fixture
def incident_id(desk):
    return desk.report().incident_id


def test_a_proposal_is_pending_under_the_digest_of_what_it_shows(desk, incident_id):
    approval = desk.propose(incident_id)
    assert (approval.approval_id, approval.status) == ("A-1", "pending")
    assert approval.proposal.approval_id == "A-1"
    assert approval.digest == approval.proposal.digest
    assert approval.expires_at == after(3600)
    assert approval.notes == ("gate: passed",)
    assert desk.approvals.get("A-1") == approval
    assert desk.said_in_audit(incident_id) == ["incident.opened", "approval.requested"]


def test_proposing_a_step_again_gives_the_approval_that_stands(desk, incident_id):
    first = desk.propose(incident_id)
    again = desk.propose(incident_id, version="9", at=after(30))
    assert again == first
    assert desk.propose(incident_id, step=1).approval_id != first.approval_id
    assert desk.propose(incident_id, plan_number=1).approval_id != first.approval_id


def test_a_step_proposed_by_several_at_once_has_one_approval(desk, incident_id):
    made = at_once(lambda n: desk.propose(incident_id, version=str(n + 2)))
    assert len({(a.approval_id, a.digest) for a in made}) == 1
    assert len(desk.approvals.listed(incident_id=incident_id)) == 1


def test_a_decision_writes_who_and_why_and_a_job_to_go_on(desk, incident_id):
    approval = desk.propose(incident_id)
    decided = desk.decide(approval, reason="gate is green")
    assert (decided.status, decided.decided_by, decided.decided_via, decided.decided_at) == (
        "approved",
        "mia",
        "cli",
        after(60),
    )
    assert desk.approvals.get(approval.approval_id) == decided
    jobs = desk.jobs.waiting(after(60), incident_id)
    assert [job.why for job in jobs] == ["alert", "approval A-1"]
    assert desk.said_in_audit(incident_id)[-1] == "approval.approved"
    assert desk.timers.due(after(10_000)) == []


def test_of_decisions_made_together_one_counts(desk, incident_id):
    approval = desk.propose(incident_id)
    verdicts = ["approve", "reject"] * 3
    outcomes = at_once(lambda n: desk.decide(approval, verdicts[n], actor=f"person-{n}"))
    winners = [o for o in outcomes if not isinstance(o, Exception)]
    assert len(winners) == 1
    assert all(type(o) is ConflictError for o in outcomes if isinstance(o, Exception))
    assert desk.approvals.get(approval.approval_id) == winners[0]
    resumes = [j for j in desk.jobs.waiting(after(60)) if j.why.startswith("approval")]
    assert len(resumes) == 1
    decided = [
        row for row in desk.said_in_audit() if row in ("approval.approved", "approval.rejected")
    ]
    assert len(decided) == 1


def test_a_rejection_is_final(desk, incident_id):
    approval = desk.propose(incident_id)
    assert desk.decide(approval, "reject", reason="release in progress").status == "rejected"
    with pytest.raises(ConflictError, match="already rejected by mia") as refusal:
        desk.decide(approval, "approve")
    assert refusal.value.status == 409


def test_a_digest_that_is_not_the_pending_one_is_refused(desk, incident_id):
    approval = desk.propose(incident_id)
    with pytest.raises(InputError) as refusal:
        desk.decide(approval, digest="0" * 64)
    assert (refusal.value.field, refusal.value.status) == ("digest", 422)
    assert desk.approvals.get(approval.approval_id).status == "pending"
    assert desk.decide(approval, digest=None).status == "approved"


def test_a_decision_after_the_expiry_is_gone(desk, incident_id):
    approval = desk.propose(incident_id)
    with pytest.raises(GoneError) as refusal:
        desk.decide(approval, at=after(3600))
    assert refusal.value.status == 410
    assert desk.approvals.get(approval.approval_id).status == "pending"


def test_an_unknown_approval_is_said_to_be_unknown(desk, incident_id):
    approval = desk.propose(incident_id)
    with pytest.raises(NotFoundError, match="A-99"):
        desk.approvals.get("A-99")
    with pytest.raises(NotFoundError, match="A-99"):
        desk.decide(approval.model_copy(update={"approval_id": "A-99"}))


def test_time_tells_the_next_person_and_in_the_end_expires(desk, incident_id):
    approval = desk.propose(incident_id)
    (timer,) = desk.timers.due(after(300))
    assert (timer.kind, timer.approval_id) == ("escalate", approval.approval_id)
    first = desk.approvals.lapse(approval.approval_id, policy=POLICY, at=after(300))
    desk.timers.done(timer.timer_id)
    assert (first.status, first.escalation_level) == ("pending", 1)

    (timer,) = desk.timers.due(after(600))
    second = desk.approvals.lapse(approval.approval_id, policy=POLICY, at=after(600))
    desk.timers.done(timer.timer_id)
    assert (second.status, second.escalation_level) == ("pending", 2)
    assert desk.timers.due(after(3599)) == []  # the chain has three people

    (timer,) = desk.timers.due(after(3600))
    assert timer.kind == "expire"
    expired = desk.approvals.lapse(approval.approval_id, policy=POLICY, at=after(3600))
    assert (expired.status, expired.decided_by) == ("expired", "time")
    assert desk.timers.due(after(10_000)) == []
    assert desk.jobs.waiting(after(3600), incident_id)[-1].why == "approval A-1"
    assert desk.said_in_audit(incident_id)[-3:] == [
        "approval.escalated",
        "approval.escalated",
        "approval.expired",
    ]


def test_the_signals_behind_a_pending_approval_are_watched_until_it_ends(desk, incident_id):
    often = POLICY.model_copy(update={"watch_every_s": 60})
    approval = desk.approvals.propose(
        proposal(incident_id), policy=often, reason="changes production", notes=(), at=AT
    )
    assert [t.kind for t in desk.timers.due(after(60))] == ["watch"]
    desk.decide(approval)
    assert desk.timers.due(after(9999)) == []


@pytest.mark.parametrize("status", ["superseded", "withdrawn"])
def test_a_retired_approval_resumes_its_incident_and_is_gone(desk, incident_id, status):
    approval = desk.propose(incident_id)
    retired = desk.approvals.retire(
        approval.approval_id, status, why="the drift is over", by="agentops", at=after(90)
    )
    assert (retired.status, retired.decided_by, retired.reason) == (
        status,
        "agentops",
        "the drift is over",
    )
    assert desk.jobs.waiting(after(90), incident_id)[-1].why == "approval A-1"
    assert desk.timers.due(after(9999)) == []
    assert desk.said_in_audit(incident_id)[-1] == f"approval.{status}"
    with pytest.raises(GoneError):
        desk.decide(approval, at=after(100))


def test_what_is_decided_is_not_retired(desk, incident_id):
    decided = desk.decide(desk.propose(incident_id))
    kept = desk.approvals.retire(
        decided.approval_id, "withdrawn", why="too late", by="agentops", at=after(90)
    )
    assert kept == decided


def test_a_note_is_added_once_and_leaves_the_digest_as_it_was(desk, incident_id):
    approval = desk.propose(incident_id)
    assert desk.approvals.note(approval.approval_id, "PSI fell to 0.2")
    assert not desk.approvals.note(approval.approval_id, "PSI fell to 0.2")
    noted = desk.approvals.get(approval.approval_id)
    assert noted.notes == ("gate: passed", "PSI fell to 0.2")
    assert (noted.digest, noted.status) == (approval.digest, "pending")
    desk.decide(noted)
    assert not desk.approvals.note(approval.approval_id, "too late")


def test_a_timer_that_several_runners_see_raises_the_level_once(desk, incident_id):
    approval = desk.propose(incident_id)
    for second in range(3):
        held = desk.approvals.lapse(approval.approval_id, policy=POLICY, at=after(300 + second))
    assert held.escalation_level == 1
    assert desk.said_in_audit(incident_id).count("approval.escalated") == 1


def test_time_changes_nothing_about_what_is_decided(desk, incident_id):
    approval = desk.propose(incident_id)
    decided = desk.decide(approval)
    after_all = desk.approvals.lapse(approval.approval_id, policy=POLICY, at=after(9999))
    assert after_all == decided


def test_an_expired_approval_can_not_be_approved(desk, incident_id):
    approval = desk.propose(incident_id)
    desk.approvals.lapse(approval.approval_id, policy=POLICY, at=after(3600))
    with pytest.raises(GoneError):
        desk.decide(approval, at=after(10))


def test_a_superseded_approval_is_gone_and_names_the_newer_one(database):
    desk = sql_desk(database)
    approval = desk.propose(desk.report().incident_id)
    replaced = update(tables.approvals).values(status="superseded", superseded_by="A-2")
    with database.write() as connection:
        connection.execute(replaced)
    with pytest.raises(GoneError, match="replaced by A-2"):
        desk.decide(approval)


def test_approvals_are_listed_by_status_and_incident_and_hold_no_notices(desk, incident_id):
    first = desk.propose(incident_id)
    other = desk.report("churn").incident_id
    second = desk.propose(other, at=after(1))
    desk.decide(first)
    desk.outbox.put(incident_id, slack(), marker="m", reason="informs", at=AT)
    assert [a.approval_id for a in desk.approvals.listed()] == ["A-1", second.approval_id]
    assert [a.approval_id for a in desk.approvals.listed(status="pending")] == [second.approval_id]
    assert [a.approval_id for a in desk.approvals.listed(incident_id=incident_id)] == ["A-1"]
