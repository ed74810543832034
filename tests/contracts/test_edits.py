"""Contract of `ApprovalLog.edit`: an edit is a new proposal in the place of the old one."""

import pytest

from agentops_graph.domain.approval import Decision, Edit
from agentops_graph.errors import ConflictError, ForbiddenError, GoneError, InputError
from tests.contracts.desk import AT, POLICY, after, at_once, proposal


@pytest.fixture
def incident_id(desk):
    return desk.report().incident_id


def edited(desk, approval, actor="mia", version="7", *, policy=POLICY, at=None, **changes):
    words = {"via": "http", "digest": approval.digest, "change": f"version 2 -> {version}"}
    edit = Edit(approval_id=approval.approval_id, actor=actor, **words | changes)
    held = approval.proposal
    return desk.approvals.edit(
        edit,
        proposal(held.incident_id, version=version, step=held.step, plan_number=held.plan_number),
        policy=policy,
        reason="changes production predictions",
        notes=("edited",),
        at=at or after(60),
    )


def approve(desk, approval, actor, at=None):
    decision = Decision(
        approval_id=approval.approval_id,
        verdict="approve",
        actor=actor,
        via="cli",
        digest=approval.digest,
    )
    return desk.approvals.decide(decision, at=at or after(90))


def test_an_edit_asks_anew_at_the_same_step_and_the_old_one_is_gone(desk, incident_id):
    old = desk.propose(incident_id)
    new = edited(desk, old)
    assert (new.status, new.requested_by, new.revision) == ("pending", "mia", 1)
    assert (new.place, new.proposal.action.version) == (old.place, "7")
    assert new.approval_id != old.approval_id
    assert new.digest == new.proposal.digest != old.digest
    assert new.expires_at == after(60 + 3600)
    gone = desk.approvals.get(old.approval_id)
    assert (gone.status, gone.superseded_by, gone.digest) == (
        "superseded",
        new.approval_id,
        old.digest,
    )
    assert gone.reason == "edited by mia: version 2 -> 7"
    with pytest.raises(GoneError, match=f"replaced by {new.approval_id}"):
        approve(desk, old, "tom")
    assert desk.said_in_audit(incident_id)[-2:] == ["approval.superseded", "approval.requested"]
    assert desk.jobs.waiting(after(60), incident_id)[-1].why == f"approval {old.approval_id}"
    assert {t.approval_id for t in desk.timers.due(after(99_999))} == {new.approval_id}


def test_who_edited_it_can_not_approve_it_and_somebody_else_can(desk, incident_id):
    new = edited(desk, desk.propose(incident_id))
    for name in ("mia", "Mia", "mia "):
        with pytest.raises(ForbiddenError, match="somebody else has to approve") as refusal:
            approve(desk, new, name)
    assert refusal.value.status == 403
    assert approve(desk, new, "tom").status == "approved"


def test_a_link_made_with_the_editors_token_does_not_approve_the_edit(desk, incident_id):
    new = edited(desk, desk.propose(incident_id), credential_id="T-1", role="operator")
    assert new.requested_with == "T-1"
    with pytest.raises(ForbiddenError, match="somebody else has to approve"):
        desk.decide(new, actor="tom", credential_id="T-1", role="approver", at=after(90))


def test_who_edited_it_can_take_it_back(desk, incident_id):
    new = edited(desk, desk.propose(incident_id))
    assert desk.decide(new, "reject", reason="a slip", at=after(90)).status == "rejected"


def test_where_four_eyes_are_not_asked_for_one_person_may_edit_and_approve(desk, incident_id):
    policy = POLICY.model_copy(update={"four_eyes": False})
    new = edited(desk, desk.propose(incident_id), policy=policy)
    assert approve(desk, new, "mia").status == "approved"


def test_an_edit_can_be_edited_and_then_the_first_editor_may_approve(desk, incident_id):
    first = edited(desk, desk.propose(incident_id))
    second = edited(desk, first, "tom", "8")
    assert (second.revision, second.requested_by) == (2, "tom")
    with pytest.raises(ForbiddenError):
        approve(desk, second, "tom")
    assert approve(desk, second, "mia").status == "approved"


def test_votes_for_what_was_asked_before_are_no_votes_for_the_edit(desk, incident_id):
    policy = POLICY.model_copy(update={"quorum": {"deploy_model": 2}})
    old = desk.approvals.propose(
        proposal(incident_id), policy=policy, reason="changes production", notes=(), at=AT
    )
    approve(desk, old, "ann")
    new = edited(desk, old, policy=policy)
    assert (new.votes, new.so_far) == ((), "0 of 2")
    assert approve(desk, new, "ann").status == "pending"
    assert approve(desk, new, "tom").status == "approved"


def test_proposing_the_step_again_gives_the_edit(desk, incident_id):
    new = edited(desk, desk.propose(incident_id))
    assert desk.propose(incident_id, at=after(70)) == new


def test_people_who_were_told_of_the_old_one_are_not_told_from_the_start(desk, incident_id):
    old = desk.propose(incident_id)
    desk.approvals.lapse(old.approval_id, policy=POLICY, at=after(300))
    new = edited(desk, old, at=after(310))
    assert new.escalation_level == 1
    assert [t.timer_id for t in desk.timers.due(after(610))] == [f"{new.approval_id}:escalate:2"]
    told = desk.approvals.lapse(new.approval_id, policy=POLICY, at=after(610))
    assert told.escalation_level == 2
    assert desk.timers.due(after(3600))[1:] == []


def test_a_new_plan_is_named_in_the_approval_that_it_replaces(desk, incident_id):
    old = desk.propose(incident_id)
    desk.approvals.lapse(old.approval_id, policy=POLICY, at=after(300))
    desk.approvals.retire(
        old.approval_id, "superseded", why="it moved", by="agentops", at=after(400)
    )
    new = desk.propose(incident_id, plan_number=1, at=after(410))
    assert desk.approvals.get(old.approval_id).superseded_by == new.approval_id
    with pytest.raises(GoneError, match=f"replaced by {new.approval_id}: it moved"):
        approve(desk, old, "tom", at=after(420))
    assert new.escalation_level == 1
    later = [t.timer_id for t in desk.timers.due(after(710))]
    assert later == [f"{new.approval_id}:escalate:2"]


def test_what_was_rejected_or_has_a_successor_gets_none(desk, incident_id):
    rejected = desk.decide(desk.propose(incident_id), "reject", reason="no")
    second = desk.propose(incident_id, step=1, at=after(70))
    assert desk.approvals.get(rejected.approval_id).superseded_by is None
    new = edited(desk, second, at=after(80))
    desk.approvals.retire(new.approval_id, "superseded", why="moved", by="agentops", at=after(90))
    third = desk.propose(incident_id, plan_number=1, at=after(95))
    assert desk.approvals.get(second.approval_id).superseded_by == new.approval_id
    assert desk.approvals.get(new.approval_id).superseded_by == third.approval_id


def test_an_edit_that_comes_too_late_changes_nothing(desk, incident_id):
    decided = approve(desk, desk.propose(incident_id), "tom")
    with pytest.raises(ConflictError, match="already approved by tom"):
        edited(desk, decided, at=after(95))
    other = desk.propose(incident_id, step=1, at=after(100))
    with pytest.raises(GoneError):
        edited(desk, other, at=after(9999))
    with pytest.raises(InputError, match="digest"):
        edited(desk, other, digest="0" * 64, at=after(110))
    assert [a.approval_id for a in desk.approvals.listed()] == ["A-1", other.approval_id]


def test_a_viewer_may_not_edit_and_an_operator_may(desk, incident_id):
    old = desk.propose(incident_id)
    with pytest.raises(ForbiddenError, match="the role viewer may not edit"):
        edited(desk, old, role="viewer")
    assert edited(desk, old, role="operator").status == "pending"


def test_of_edits_and_approvals_made_together_one_counts(desk, incident_id):
    old = desk.propose(incident_id)

    def speak(number):
        if number % 2:
            return edited(desk, old, f"editor-{number}", str(number))
        return approve(desk, old, f"person-{number}", at=after(60))

    outcomes = at_once(speak)
    (winner,) = [o for o in outcomes if not isinstance(o, Exception)]
    assert all(isinstance(o, ConflictError) for o in outcomes if isinstance(o, Exception))
    held = desk.approvals.listed(incident_id=incident_id)
    assert len(held) == (1 if winner.status == "approved" else 2)
    assert desk.approvals.get(winner.approval_id) == winner
