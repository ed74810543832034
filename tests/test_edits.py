"""Other arguments for an action that waits, through the real graph, runner and ledger."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agentops_graph.adapters.memory import FixedModels, RecordingActuator
from agentops_graph.domain.action import ACTION_KINDS
from agentops_graph.domain.approval import REVOKED_SINCE
from agentops_graph.domain.identity import Credential, Identity
from agentops_graph.domain.ledger import Version
from agentops_graph.edits import EDITABLE
from agentops_graph.errors import ConflictError, ForbiddenError, GoneError, InputError
from agentops_graph.runner import Runner
from agentops_graph.service import Service
from tests.desk import MODEL, NOON, Desk
from tests.invariants import violations

SCALE = (("scale_infrastructure", 1, None),)


class Keeping(RecordingActuator):
    """Remembers what it was asked for, by key."""

    def __init__(self, file):
        super().__init__(file)
        self.asked = {}

    def carry_out(self, action, *, key, incident_id):
        self.asked[key] = action
        return super().carry_out(action, key=key, incident_id=incident_id)


class AnyDesk(Desk):
    """A desk with the means for every kind of action."""

    def open(self):
        super().open()
        self.actuator = Keeping(self.home / "effects.txt")
        self.models = FixedModels(
            [
                Version(model=MODEL, version=name, created_at=NOON - timedelta(days=days))
                for name, days in (("oldest", 90), ("0", 60), ("1", 30), ("2", 0))
            ],
            {MODEL: "1"},
        )
        component = self.ports.components[MODEL].model_copy(update={"feeds": ("orders",)})
        self.ports = replace(
            self.ports,
            components={MODEL: component},
            models=self.models,
            actuators=dict.fromkeys(ACTION_KINDS, self.actuator),
        )
        self.service = Service(self.ports)
        self.runner = Runner(
            self.ports,
            self.runner.graph,
            kind="desk",
            lease_s=15,
            public_url="http://127.0.0.1:8000",
        )

    def with_policy(self, **changes):
        policy = self.ports.policy.model_copy(update=changes)
        self.ports = replace(self.ports, policy=policy)
        self.service = Service(self.ports)
        self.runner.ports = self.ports
        return self

    def waits(self, kind):
        """The approval of this kind that an incident waits for."""
        incident_id = self.report()
        self.work()
        (held,) = self.case(incident_id).pending
        assert held.proposal.action.action == kind
        return held

    def edit(self, held, actor="tom", **arguments):
        return self.service.edit(held.approval_id, arguments, actor=actor, via="cli").approval

    def answer(self, held, actor="mia", verdict="approve", **how):
        said = {"actor": actor, "via": "cli", "reason": "as I see it"}
        return self.service.decide(held.approval_id, verdict, **said | how).approval


@pytest.fixture
def opened(tmp_path):
    def desk_for(kind):
        desk = AnyDesk(tmp_path / "home", plan=((kind, 1, None),))
        return desk, desk.waits(kind)

    return desk_for


def test_what_was_edited_and_approved_by_another_is_what_is_carried_out(opened):
    desk, held = opened("scale_infrastructure")
    new = desk.edit(held, replicas="2")
    desk.work()
    assert desk.actuator.asked == {}
    assert (held.proposal.action.replicas, new.proposal.action.replicas) == (4, 2)
    assert "edited by tom: replicas 4 -> 2 (was A-1)" in new.notes
    desk.answer(new)
    desk.work()
    (asked,) = desk.actuator.asked.items()
    assert asked == (f"{new.approval_id}:do", new.proposal.action)
    said = [event.text for event in desk.case(held.proposal.incident_id).timeline]
    assert f"{new.approval_id} asks instead of {held.approval_id}: tom edited it" in said
    assert violations(desk.home) == []


@pytest.mark.parametrize("when", ["before the runner sees the edit", "after a restart"])
def test_the_paused_thread_goes_on_with_the_edit(opened, when):
    desk, held = opened("scale_infrastructure")
    new = desk.edit(held, replicas=2)
    if when == "after a restart":
        desk.work()
        desk.again()
    desk.answer(new)
    desk.work()
    assert list(desk.actuator.asked) == [f"{new.approval_id}:do"]


def test_an_edit_of_an_edit_is_carried_out(opened):
    desk, held = opened("scale_infrastructure")
    first = desk.edit(held, "tom", replicas=2)
    second = desk.edit(first, "mia", replicas=3)
    with pytest.raises(GoneError, match=f"replaced by {second.approval_id}"):
        desk.answer(first, "ann")
    desk.answer(second, "tom")
    desk.work()
    assert desk.actuator.asked == {f"{second.approval_id}:do": second.proposal.action}


def test_a_rejected_edit_is_a_rejected_step(opened):
    desk, held = opened("scale_infrastructure")
    new = desk.edit(held, replicas=2)
    desk.answer(new, verdict="reject")
    desk.work()
    assert desk.case(held.proposal.incident_id).incident.status == "escalated"
    assert desk.actuator.asked == {}
    assert violations(desk.home) == []


def test_the_editor_does_not_approve_the_edit(opened):
    desk, held = opened("scale_infrastructure")
    new = desk.edit(held, replicas=2)
    with pytest.raises(ForbiddenError):
        desk.answer(new, "tom")
    assert desk.service.approval(new.approval_id) == new


def test_the_digest_is_of_the_edit_and_the_old_one_approves_nothing(opened):
    desk, held = opened("scale_infrastructure")
    new = desk.edit(held, replicas=2)
    with pytest.raises(InputError, match="digest"):
        desk.answer(new, digest=held.digest)
    with pytest.raises(GoneError):
        desk.answer(held, digest=held.digest)


@pytest.mark.parametrize(
    ("kind", "arguments", "becomes"),
    [
        ("shift_traffic", {"percent": 10}, {"percent": 10}),
        (
            "rerun_pipeline",
            {"window_from": "2026-03-01T11:00:00Z"},
            {"window_from": NOON - timedelta(hours=1)},
        ),
    ],
)
def test_other_actions_are_edited_too(opened, kind, arguments, becomes):
    desk, held = opened(kind)
    new = desk.edit(held, **arguments)
    before, after = held.proposal.action.model_dump(), new.proposal.action.model_dump()
    assert after == before | becomes
    assert new.proposal.precondition == held.proposal.precondition
    assert new.proposal.guard == held.proposal.guard


def test_a_rollback_goes_to_a_version_that_is_there_and_older(opened):
    desk, held = opened("rollback_model")
    for wrong in ("1", "2", "9"):  # serves, is newer, is not there
        with pytest.raises(InputError, match="those are: 0, oldest"):
            desk.edit(held, to_version=wrong)
    new = desk.edit(held, to_version="oldest")
    assert new.proposal.action.to_version == "oldest"
    assert new.proposal.guard == held.proposal.guard


REFUSED = (
    ({}, "arguments"),
    ({"replicas": 4}, "arguments"),  # what is asked for already
    ({"replicas": 0}, "arguments.replicas"),
    ({"replicas": 21}, "arguments.replicas"),
    ({"replicas": "many"}, "arguments.replicas"),
    ({"replicas": True}, "arguments.replicas"),
    ({"replicas": 2.5}, "arguments.replicas"),
    ({"replicas": [2]}, "arguments.replicas"),
    ({"replicas": None}, "arguments.replicas"),
    ({"component": "other"}, "arguments.component"),
    ({"action": "deploy_model"}, "arguments.action"),
    ({"replicas": 2, "target": "x"}, "arguments.target"),
)


def test_what_can_not_be_is_refused_with_its_name(opened):
    desk, held = opened("scale_infrastructure")
    for arguments, field in REFUSED:
        with pytest.raises(InputError) as refusal:
            desk.edit(held, **arguments)
        assert refusal.value.field == field, arguments
    assert desk.service.approvals(status=None) == [held]


def test_a_window_that_can_not_be_is_refused(opened):
    desk, held = opened("rerun_pipeline")
    for window in (
        {"window_until": "2026-03-01T12:00:01Z"},  # not yet
        {"window_from": "2026-03-01T12:00:00Z"},  # empty
        {"window_from": "2026-03-01T11:00:00"},  # in no time zone
    ):
        with pytest.raises(InputError, match=r"arguments\.window"):
            desk.edit(held, **window)


def test_nothing_of_a_retraining_can_be_edited(opened):
    desk, held = opened("retrain_model")
    with pytest.raises(InputError, match="nothing of a retrain_model can be edited"):
        desk.edit(held, holdout_rows=1)


def test_every_kind_of_action_says_what_can_be_edited():
    assert set(EDITABLE) == set(ACTION_KINDS)
    assert all(name != "model" for names in EDITABLE.values() for name in names)


def test_an_edit_after_production_moved_is_refused(opened):
    desk, held = opened("shift_traffic")
    desk.models.serving[MODEL] = "2"
    with pytest.raises(ConflictError, match="the world has moved since A-1"):
        desk.edit(held, percent=10)
    assert desk.service.approval(held.approval_id) == held


def test_a_viewer_edits_nothing(opened):
    desk, held = opened("scale_infrastructure")
    identity = Identity(name="vic", role="viewer", credential_id="T-9")
    with pytest.raises(ForbiddenError, match="the role viewer may not edit"):
        desk.service.edit(
            held.approval_id, {"replicas": 2}, actor="vic", via="http", identity=identity
        )


def test_a_link_speaks_for_its_own_approval_only(opened):
    desk, held = opened("scale_infrastructure")
    link = Identity(name="mia", role="approver", credential_id="L-1", approval_id="A-99")
    with pytest.raises(ForbiddenError, match="speaks for A-99 only"):
        desk.answer(held, identity=link)


def test_two_have_to_approve_where_policy_says_so(tmp_path):
    desk = AnyDesk(tmp_path / "home", plan=SCALE).with_policy(quorum={"scale_infrastructure": 2})
    held = desk.waits("scale_infrastructure")
    first = desk.service.decide(held.approval_id, "approve", actor="mia", via="cli")
    assert first.approval.status == "pending"
    assert first.hint == "approved by 1 of 2 (mia); somebody else has to approve it too"
    desk.work()
    assert desk.actuator.asked == {}
    desk.answer(held, "tom")
    desk.work()
    assert list(desk.actuator.asked) == [f"{held.approval_id}:do"]
    assert violations(desk.home) == []


def test_a_token_revoked_before_the_runner_acts_gives_the_incident_to_a_person(opened):
    desk, held = opened("scale_infrastructure")
    credentials = desk.ports.credentials
    token = Credential(
        credential_id="new", kind="token", name="mia", role="approver", created_by="root",
        created_at=NOON,
    )  # fmt: skip
    token = credentials.add(token, secret_sha256="0" * 64, via="cli")
    desk.answer(held, identity=token.identity)
    credentials.revoke(token.credential_id, by="root", via="cli", at=NOON)
    desk.work()
    case = desk.case(held.proposal.incident_id)
    assert case.incident.status == "escalated"
    assert any(REVOKED_SINCE in event.text for event in case.timeline)
    assert desk.actuator.asked == {}
    assert violations(desk.home) == []


def test_a_question_is_kept_beside_the_approval_which_goes_on_waiting(opened):
    desk, held = opened("scale_infrastructure")
    kept = desk.service.respond(
        held.approval_id, "why four?", answer="two more than now", actor="mia", via="http"
    )
    assert kept == held.model_copy(update={"notes": (*held.notes, "mia asks: why four?")})
    said = [event.text for event in desk.case(held.proposal.incident_id).timeline][-2:]
    assert said == ["mia asks of A-1: why four?", "answered: two more than now"]
    (row,) = [r for r in desk.ports.audit.rows() if r["what"] == "approval.asked_about"]
    assert (row["actor"], row["via"]) == ("mia", "http")
    desk.work()
    assert desk.actuator.asked == {}
    desk.answer(held)
    with pytest.raises(ConflictError, match="does not wait any more"):
        desk.service.respond(held.approval_id, "too late?", answer="-", actor="mia", via="http")
    with pytest.raises(InputError, match="text"):
        desk.service.respond(held.approval_id, "  ", answer="-", actor="mia", via="http")
