"""What is refused and how something was proved stand in the audit; names are not guessed."""

import json
from datetime import timedelta

import pytest

import tests.desk
from agentops_graph.access import Access, Keys
from agentops_graph.access.keys import decide_by_link, identity_of_link
from agentops_graph.domain.approval import Edit
from agentops_graph.domain.identity import Identity
from agentops_graph.domain.policy import Policy
from agentops_graph.errors import ForbiddenError, NotFoundError


def test_second_voice_by_an_own_link_is_refused_in_the_audit_and_keeps_the_link(desk):
    pending = desk.propose(desk.report())
    mia = desk.at("approver")
    of_two = desk.workshop.ports.approvals.propose(
        pending.proposal.model_copy(update={"step": 1}),
        policy=Policy(quorum={"rollback_model": 2}),
        reason="changes production predictions",
        notes=(),
        at=desk.in_(),
    )
    given = Keys(mia).link(of_two.approval_id, "ben")
    mia.decide(of_two.approval_id, "approve", actor="x", via="http")
    link, identity = identity_of_link(desk.service, given.secret)
    access = Access(desk.service, identity, "link")
    with pytest.raises(ForbiddenError):
        decide_by_link(access, link, "approve", of_two.digest, None)
    (refused,) = desk.said("access.refused")
    assert (refused["actor"], refused["via"]) == ("ben", "link")
    assert desk.said("link.used") == []
    decided = decide_by_link(access, link, "reject", of_two.digest, "on second thoughts")
    assert decided.approval.status == "rejected"


def edited_by(access, desk):
    """An approval that this person asked for, by an edit."""
    held = desk.propose(desk.report())
    arguments = {"model": "fraud_model", "to_version": "2"}
    desk.workshop.ports.approval_log.edit(
        Edit(
            approval_id=held.approval_id,
            actor=access.identity.name,
            via="http",
            credential_id=access.identity.credential_id,
            change="to_version 3 -> 2",
        ),
        held.proposal.model_copy(
            update={"action": held.proposal.action.model_copy(update=arguments)}
        ),
        policy=desk.workshop.ports.policy,
        reason="changes production predictions",
        notes=(),
        at=desk.in_(),
    )
    (pending,) = desk.service.approvals()
    return pending


def test_four_eyes_refused_is_a_row_of_the_audit(desk):
    mia = desk.at("approver")
    pending = edited_by(mia, desk)
    with pytest.raises(ForbiddenError, match="somebody else"):
        mia.decide(pending.approval_id, "approve", actor="x", via="http")
    assert [(r["actor"], r["via"]) for r in desk.said("access.refused")] == [
        ("approver-person", "http")
    ]
    with pytest.raises(ForbiddenError, match="somebody else"):
        Keys(mia).link(pending.approval_id, "ben")
    assert len(desk.said("access.refused")) == 2


def test_four_eyes_refused_of_a_link_is_a_row_though_its_use_is_taken_back(desk):
    mia = desk.at("approver")
    pending = edited_by(mia, desk)
    given = Keys(desk.at("admin")).link(pending.approval_id, "Approver-Person")
    link, identity = identity_of_link(desk.service, given.secret)
    access = Access(desk.service, identity, "link")
    with pytest.raises(ForbiddenError, match="somebody else"):
        decide_by_link(access, link, "approve", pending.digest, None)
    assert desk.said("link.used") == []
    assert [row["via"] for row in desk.said("access.refused")] == ["link"]


def test_a_tenants_admin_who_asks_for_a_token_of_everybody_is_in_the_audit(desk):
    north = Keys(desk.at("admin", "north"))
    with pytest.raises(ForbiddenError, match="for north only"):
        north.create("max", "admin")
    assert [row["actor"] for row in desk.said("access.refused")] == ["admin-person"]


def test_decision_of_a_person_from_elsewhere_says_who_vouched(desk):
    pending = desk.propose(desk.report())
    mia = desk.at("approver", credential_id=None, subject="https://issuer.example|77")
    mia.decide(pending.approval_id, "approve", actor="x", via="http")
    (row,) = desk.said("approval.approved")
    assert json.loads(row["fields"])["subject"] == "https://issuer.example|77"


def test_withdrawal_is_kept_with_the_door_it_came_through(tmp_path):
    recovering = tests.desk.Desk(tmp_path / "home")
    incident = recovering.report()
    recovering.work()
    start = tests.desk.NOON - timedelta(hours=3)
    calm = tests.desk.traffic(start, 300, version="1", broken=False)
    recovering.warehouse.give(tests.desk.MODEL, calm)
    for _ in range(2):
        recovering.clock.move(61)
        recovering.work()
    access = Access(recovering.service, Identity(name="mia", role="operator"), "http")
    retired = access.withdraw(recovering.pending(incident), actor="mia")
    assert retired.decided_via == "http"
    rows = [r for r in recovering.ports.audit.rows() if r["what"] == "approval.withdrawn"]
    assert [(row["actor"], row["via"]) for row in rows] == [("mia", "http")]


@pytest.mark.parametrize("question", ["check fraud_model", "check nope", "check it now"])
def test_tenants_only_component_is_not_taken_for_another(desk, question):
    south = desk.at("operator", "south")
    for use in (south.component_in, lambda q: south.investigate(q, actor="x")):
        with pytest.raises(NotFoundError, match="known: churn-model"):
            use(question)
    assert south.component_in("check churn_model") == "churn-model"
