"""Contract of `Approvals`: how many approve, who may, and whose word still counts at the call."""

import pytest

from agentops_graph.domain.approval import REVOKED_SINCE, Decision
from agentops_graph.domain.identity import Credential
from agentops_graph.errors import ConflictError, ForbiddenError, RefusedError
from tests.contracts.desk import AT, POLICY, after, at_once, proposal

TWO = POLICY.model_copy(update={"quorum": {"deploy_model": 2}})


@pytest.fixture
def incident_id(desk):
    return desk.report().incident_id


def asked(desk, incident_id, policy=TWO):
    return desk.approvals.propose(
        proposal(incident_id), policy=policy, reason="changes production", notes=(), at=AT
    )


def said(approval, actor, verdict="approve", **proof):
    return Decision(
        approval_id=approval.approval_id,
        verdict=verdict,
        actor=actor,
        via="http",
        digest=approval.digest,
        reason="as I see it",
        **proof,
    )


def given(desk, kind="token", *, name="mia", role="approver", parent=None):
    """A credential, by the way real ones are made."""
    made = Credential(
        credential_id="new",
        kind=kind,
        name=name,
        role=role,
        parent_id=parent,
        created_by="root",
        created_at=AT,
        expires_at=after(3600),
    )
    secret = f"{len(desk.credentials.listed()):064x}"
    return desk.credentials.add(made, secret_sha256=secret, via="cli").credential_id


def test_the_first_of_two_leaves_it_pending_and_the_second_approves(desk, incident_id):
    approval = asked(desk, incident_id)
    first = desk.approvals.decide(said(approval, "mia"), at=after(60))
    assert (first.status, first.approvers, first.so_far) == ("pending", ("mia",), "1 of 2 (mia)")
    assert [j.why for j in desk.jobs.waiting(after(60), incident_id)] == ["alert"]
    assert desk.timers.due(after(9999)) != []
    second = desk.approvals.decide(said(approval, "tom"), at=after(90))
    assert (second.status, second.decided_by, second.so_far) == (
        "approved",
        "tom",
        "2 of 2 (mia, tom)",
    )
    assert desk.approvals.get(approval.approval_id) == second
    assert desk.approvals.listed(incident_id=incident_id) == [second]
    assert desk.said_in_audit(incident_id)[-2:] == ["approval.voted", "approval.approved"]


@pytest.mark.parametrize("again", ["mia", "MIA", " mia  "])
def test_nobody_approves_twice(desk, incident_id, again):
    approval = asked(desk, incident_id)
    desk.approvals.decide(said(approval, "mia"), at=after(60))
    with pytest.raises(ConflictError, match=r"already did .1 of 2 .mia.."):
        desk.approvals.decide(said(approval, again), at=after(61))
    held = desk.approvals.get(approval.approval_id)
    assert (held.status, held.approvers) == ("pending", ("mia",))


@pytest.mark.parametrize("again", ["mia", "MIA"])
def test_who_approved_may_still_refuse(desk, incident_id, again):
    approval = asked(desk, incident_id)
    desk.approvals.decide(said(approval, "mia"), at=after(60))
    refused = desk.approvals.decide(said(approval, again, "reject"), at=after(61))
    assert (refused.status, refused.decided_by) == ("rejected", again)
    assert [v.verdict for v in refused.votes if v.actor == again] == ["reject"]


def test_one_who_refuses_is_enough(desk, incident_id):
    approval = asked(desk, incident_id)
    desk.approvals.decide(said(approval, "mia"), at=after(60))
    refused = desk.approvals.decide(said(approval, "tom", "reject"), at=after(61))
    assert (refused.status, refused.decided_by) == ("rejected", "tom")
    with pytest.raises(ConflictError):
        desk.approvals.decide(said(approval, "ann"), at=after(62))


def test_of_six_who_approve_together_two_count(desk, incident_id):
    approval = asked(desk, incident_id)
    outcomes = at_once(lambda n: desk.approvals.decide(said(approval, f"person-{n}"), at=after(60)))
    statuses = sorted(o.status for o in outcomes if not isinstance(o, Exception))
    assert statuses == ["approved", "pending"]
    assert all(type(o) is ConflictError for o in outcomes if isinstance(o, Exception))
    assert len(desk.approvals.get(approval.approval_id).votes) == 2
    assert desk.said_in_audit(incident_id).count("approval.approved") == 1
    resumes = [j for j in desk.jobs.waiting(after(60)) if j.why.startswith("approval")]
    assert len(resumes) == 1


def test_one_person_in_six_windows_has_one_vote(desk, incident_id):
    approval = asked(desk, incident_id)
    outcomes = at_once(lambda _: desk.approvals.decide(said(approval, "mia"), at=after(60)))
    assert [o.status for o in outcomes if not isinstance(o, Exception)] == ["pending"]
    assert all(type(o) is ConflictError for o in outcomes if isinstance(o, Exception))


def test_a_quorum_is_that_of_the_time_of_asking(desk, incident_id):
    approval = asked(desk, incident_id, POLICY)
    assert (approval.quorum, approval.so_far) == (1, "")
    assert desk.approvals.decide(said(approval, "mia"), at=after(60)).status == "approved"


@pytest.mark.parametrize("role", ["viewer", "operator"])
@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_a_role_that_may_not_decide_is_refused(desk, incident_id, role, verdict):
    approval = asked(desk, incident_id)
    with pytest.raises(ForbiddenError, match=f"the role {role} may not decide") as refusal:
        desk.approvals.decide(said(approval, "mia", verdict, role=role), at=after(60))
    assert refusal.value.status == 403
    assert desk.approvals.get(approval.approval_id) == approval


@pytest.mark.parametrize("kind", ["token", "session", "link"])
def test_one_token_is_one_person_whatever_names_its_links_are_in(desk, incident_id, kind):
    approval, token = asked(desk, incident_id), given(desk)
    first = given(desk, "link", name="ann", parent=token)
    again = token if kind == "token" else given(desk, kind, name="tom", parent=token)
    desk.approvals.decide(said(approval, "ann", credential_id=first), at=after(60))
    with pytest.raises(ConflictError, match="already did"):
        desk.approvals.decide(said(approval, "tom", credential_id=again), at=after(61))
    other = given(desk, name="eve")
    decided = desk.approvals.decide(said(approval, "eve", credential_id=other), at=after(62))
    assert decided.status == "approved"


# --- whose word still counts when it is carried out ---


def begun(desk, approval, incident_id):
    lease = desk.leases.acquire(incident_id, "runner-1", 60)
    return desk.effects.begin(
        approval.proposal, approval.digest, "do", lease, at=after(120), budget=6
    )


def test_a_vote_and_who_cast_it_with_what_are_kept(desk, incident_id):
    approval, token = asked(desk, incident_id, POLICY), given(desk)
    proof = {"credential_id": token, "role": "approver"}
    decided = desk.approvals.decide(said(approval, "mia", **proof), at=after(60))
    (vote,) = decided.votes
    assert (vote.actor, vote.verdict, vote.via, vote.at) == ("mia", "approve", "http", after(60))
    assert (vote.credential_id, vote.role) == (token, "approver")
    assert begun(desk, decided, incident_id).state == "intent"


def test_a_token_revoked_between_the_decision_and_the_act_stops_the_act(desk, incident_id):
    approval, token = asked(desk, incident_id, POLICY), given(desk)
    proof = {"credential_id": token, "role": "approver"}
    decided = desk.approvals.decide(said(approval, "mia", **proof), at=after(60))
    desk.credentials.revoke(token, by="root", via="cli", at=after(90))
    with pytest.raises(RefusedError, match=REVOKED_SINCE):
        begun(desk, decided, incident_id)
    assert desk.effect_log.listed() == []


@pytest.mark.parametrize("kind", ["session", "link"])
def test_what_was_made_with_a_token_falls_with_it(desk, incident_id, kind):
    approval, token = asked(desk, incident_id, POLICY), given(desk)
    proof = {"credential_id": given(desk, kind, parent=token), "role": "approver"}
    decided = desk.approvals.decide(said(approval, "mia", **proof), at=after(60))
    desk.credentials.revoke(token, by="root", via="cli", at=after(90))
    with pytest.raises(RefusedError, match=REVOKED_SINCE):
        begun(desk, decided, incident_id)


def test_a_link_that_was_used_up_by_its_decision_still_counts(desk, incident_id):
    approval = asked(desk, incident_id, POLICY)
    link = given(desk, "link", parent=given(desk))
    desk.credentials.use(link, at=after(60))
    proof = {"credential_id": link, "role": "approver"}
    decided = desk.approvals.decide(said(approval, "mia", **proof), at=after(60))
    assert begun(desk, decided, incident_id).state == "intent"


def test_what_is_left_of_the_votes_must_still_be_enough(desk, incident_id):
    approval = asked(desk, incident_id)
    tokens = {name: given(desk, name=name) for name in ("mia", "tom")}
    for name, token in tokens.items():
        vote = said(approval, name, credential_id=token, role="approver")
        decided = desk.approvals.decide(vote, at=after(60))
    assert decided.status == "approved"
    desk.credentials.revoke(tokens["mia"], by="root", via="cli", at=after(90))
    with pytest.raises(RefusedError, match=REVOKED_SINCE):
        begun(desk, decided, incident_id)


def test_a_vote_taken_back_by_revocation_does_not_fill_a_quorum(desk, incident_id):
    approval, token = asked(desk, incident_id), given(desk)
    first = said(approval, "mia", credential_id=token, role="approver")
    desk.approvals.decide(first, at=after(60))
    desk.credentials.revoke(token, by="root", via="cli", at=after(70))
    assert desk.approvals.decide(said(approval, "tom"), at=after(80)).status == "pending"
    assert desk.approvals.decide(said(approval, "ann"), at=after(90)).status == "approved"


def test_who_lost_a_token_speaks_again_with_the_next(desk, incident_id):
    approval, lost = asked(desk, incident_id), given(desk)
    desk.approvals.decide(said(approval, "mia", credential_id=lost), at=after(60))
    desk.credentials.revoke(lost, by="root", via="cli", at=after(70))
    held = desk.approvals.get(approval.approval_id)
    assert (held.approvers, held.so_far) == ((), "0 of 2")
    assert desk.approvals.listed(status="pending") == [held]
    first = desk.approvals.decide(said(approval, "mia", credential_id=given(desk)), at=after(80))
    assert (first.status, first.so_far) == ("pending", "1 of 2 (mia)")
    second = desk.approvals.decide(said(approval, "tom"), at=after(90))
    assert (second.status, second.approvers) == ("approved", ("mia", "tom"))


def test_a_fallen_vote_is_not_shown_among_those_that_decided(desk, incident_id):
    approval, lost = asked(desk, incident_id), given(desk)
    desk.approvals.decide(said(approval, "mia", credential_id=lost), at=after(60))
    desk.credentials.revoke(lost, by="root", via="cli", at=after(70))
    for name in ("tom", "ann"):
        decided = desk.approvals.decide(said(approval, name), at=after(80))
    assert (decided.status, sorted(decided.approvers)) == ("approved", ["ann", "tom"])


def test_who_counted_when_it_was_decided_is_shown_after_their_token_went(desk, incident_id):
    approval, token = asked(desk, incident_id, POLICY), given(desk)
    desk.approvals.decide(said(approval, "mia", credential_id=token), at=after(60))
    desk.credentials.revoke(token, by="root", via="cli", at=after(90))
    held = desk.approvals.get(approval.approval_id)
    assert (held.approvers, held.votes[0].stands) == (("mia",), False)


def test_an_intent_left_by_a_dead_runner_is_not_carried_out_on_a_revoked_word(desk, incident_id):
    approval, token = asked(desk, incident_id, POLICY), given(desk)
    proof = {"credential_id": token, "role": "approver"}
    decided = desk.approvals.decide(said(approval, "mia", **proof), at=after(60))
    lease = desk.leases.acquire(incident_id, "runner-1", 60)
    effect = desk.begin(decided, lease)
    desk.credentials.revoke(token, by="root", via="cli", at=after(130))
    retaken = desk.effects.retake(effect, lease, at=after(140), otherwise="failed")
    assert (retaken.state, retaken.error) == ("failed", REVOKED_SINCE)
