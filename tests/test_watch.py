"""The world moves while a person thinks."""

from datetime import timedelta

import pytest

from agentops_graph.adapters.memory.outside import ScriptedReasoner
from agentops_graph.errors import ConflictError, GoneError, UnavailableError
from agentops_graph.sweep import LONGEST_LOOK, sources
from tests.desk import MODEL, NOON, Desk, diagnosis, traffic


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "home")


def waiting(desk: Desk) -> str:
    incident = desk.report()
    desk.work()
    return incident


def minutes(desk: Desk, count: int) -> None:
    """Time passes and the runner looks; the data of the last hour stays what it was."""
    for _ in range(count):
        desk.clock.move(61)
        desk.work()


def calm(desk: Desk) -> None:
    start = NOON - timedelta(hours=3)
    desk.warehouse.give(MODEL, traffic(start, 300, version="1", broken=False))


def test_an_alert_that_recovers_offers_the_approval_for_withdrawal(desk):
    incident = waiting(desk)
    approval = desk.pending(incident)
    digest = desk.service.approval(approval).digest
    calm(desk)
    minutes(desk, 2)
    held = desk.service.approval(approval)
    assert held.status == "pending"
    assert held.digest == digest
    assert any("recovered" in note for note in held.notes)
    told = [m for m in desk.notifier.sent if m.endswith(":recovered")]
    assert told == [f"{approval}:recovered"]
    desk.service.withdraw(approval, actor="mia")
    desk.work()
    case = desk.case(incident)
    assert case.incident.status == "resolved"
    assert desk.actuator.keys == []


def test_one_whose_alert_is_back_can_not_be_withdrawn_any_more(desk):
    incident = waiting(desk)
    calm(desk)
    minutes(desk, 2)
    approval = desk.pending(incident)
    start = desk.clock.now() - timedelta(minutes=55)
    desk.warehouse.give(MODEL, traffic(start, 55, version="1", broken=True, seed=2))
    with pytest.raises(ConflictError, match="needed again"):
        desk.service.withdraw(approval, actor="mia")
    assert desk.service.approval(approval).status == "pending"


def test_a_recovered_approval_can_still_be_approved(desk):
    incident = waiting(desk)
    calm(desk)
    minutes(desk, 1)
    desk.approve(incident)
    assert desk.actuator.keys == ["A-1:do"]


def test_an_approval_that_is_needed_can_not_be_withdrawn(desk):
    incident = waiting(desk)
    with pytest.raises(ConflictError, match="still needed"):
        desk.service.withdraw(desk.pending(incident), actor="mia")


def test_a_production_that_moves_supersedes_the_approval_with_a_new_digest(desk):
    incident = waiting(desk)
    first = desk.service.approval(desk.pending(incident))
    desk.models.serving[MODEL] = "0"
    minutes(desk, 1)
    second = desk.service.approval(desk.pending(incident))
    assert second.approval_id != first.approval_id
    assert second.digest != first.digest
    assert second.proposal.precondition.equals == "0"
    with pytest.raises(GoneError, match="production moved from 1 to 0"):
        desk.service.decide(first.approval_id, "approve", actor="mia", via="cli")


class Opinions:
    """A reasoner that is of one opinion after the other."""

    def __init__(self, causes, confidence):
        self._causes, self._confidence = list(causes), confidence
        self.asked = 0

    def diagnose(self, brief):
        cause = self._causes[min(self.asked, len(self._causes) - 1)]
        self.asked += 1
        confidence = None if cause == "unknown" else self._confidence
        named = {"cause": cause, "confidence": confidence, "root_cause": f"It is {cause}"}
        return ScriptedReasoner(diagnosis().model_copy(update=named)).diagnose(brief)


def names(desk: Desk, *causes: str, confidence: float = 0.9) -> Opinions:
    """From now on fresh evidence names these causes, one after the other; the last one stays."""
    opinions = Opinions(causes, confidence)
    object.__setattr__(desk.ports, "reasoner", opinions)
    return opinions


def test_another_cause_supersedes_the_approval_once_two_diagnoses_agree_on_it(desk):
    incident = waiting(desk)
    first = desk.pending(incident)
    names(desk, "bad_release")
    minutes(desk, 9)
    assert desk.pending(incident) == first
    minutes(desk, 1)
    assert desk.service.approval(first).status == "superseded"
    assert "bad_release" in desk.service.approval(first).reason
    assert desk.case(incident).diagnosis.cause == "bad_release"


@pytest.mark.parametrize(
    "causes",
    [
        ("bad_release", "season", "bad_release", "season"),
        ("bad_release", "upstream_schema_change", "bad_release", "unknown"),
        ("unknown",),
    ],
)
def test_causes_on_which_no_two_diagnoses_agree_change_nothing(desk, causes):
    incident = waiting(desk)
    first = desk.pending(incident)
    opinions = names(desk, *causes)
    minutes(desk, 20)
    assert opinions.asked == 4
    assert desk.pending(incident) == first


def test_another_cause_that_is_little_more_than_a_guess_changes_nothing(desk):
    incident = waiting(desk)
    first = desk.pending(incident)
    names(desk, "bad_release", confidence=desk.ports.policy.supersede_confidence - 0.01)
    minutes(desk, 20)
    assert desk.pending(incident) == first


def test_the_first_of_two_diagnoses_is_remembered_over_a_restart(desk):
    incident = waiting(desk)
    first = desk.pending(incident)
    names(desk, "bad_release")
    minutes(desk, 5)
    desk.again()
    names(desk, "bad_release")
    minutes(desk, 5)
    assert desk.service.approval(first).status == "superseded"


def test_what_was_said_of_an_earlier_approval_does_not_count_for_the_next(desk):
    incident = waiting(desk)
    names(desk, "bad_release", "upstream_schema_change", "bad_release")
    minutes(desk, 5)
    desk.models.serving[MODEL] = "0"
    minutes(desk, 1)
    second = desk.pending(incident)
    minutes(desk, 5)
    assert desk.pending(incident) == second


def replaced_three_times(desk: Desk) -> str:
    """Production moves again and again, and each time a new plan follows."""
    incident = waiting(desk)
    for version in ("0", "1", "0"):
        desk.models.serving[MODEL] = version
        before = desk.pending(incident)
        minutes(desk, 1)
        assert desk.pending(incident) != before
    return incident


def test_after_three_replans_another_cause_is_noted_and_left_to_the_person(desk):
    incident = replaced_three_times(desk)
    last = desk.pending(incident)
    names(desk, "bad_release")
    minutes(desk, 20)
    assert desk.pending(incident) == last
    said = (
        "the cause looks like bad_release now, not upstream_schema_change; it was replaced 3 times "
        "already: decide or reject"
    )
    assert desk.service.approval(last).notes.count(said) == 1
    assert [m for m in desk.notifier.sent if m.endswith(":replaced")] == [f"{last}:replaced"]
    assert said in desk.notifier.sent[f"{last}:replaced"].text
    desk.approve(incident)
    assert desk.actuator.keys == [f"{last}:do"]


def test_after_three_replans_what_can_not_be_carried_out_any_more_goes_to_a_person(desk):
    incident = replaced_three_times(desk)
    last = desk.pending(incident)
    desk.models.serving[MODEL] = "1"
    minutes(desk, 1)
    case = desk.case(incident)
    assert (case.incident.status, case.pending) == ("escalated", ())
    assert len(case.approvals) == 4
    with pytest.raises(GoneError, match=r"moved from 0 to 1 .* a person takes over"):
        desk.service.decide(last, "approve", actor="mia", via="cli")
    (told,) = [n for m, n in desk.notifier.sent.items() if m.endswith(":handed_over")]
    assert "replaced 3 times; production moved from 0 to 1" in told.text


def test_whoever_has_it_planned_anew_begins_a_new_count(desk):
    incident = replaced_three_times(desk)
    desk.models.serving[MODEL] = "1"
    minutes(desk, 1)
    desk.service.retry(incident, actor="mia")
    desk.work()
    for version in ("0", "1", "0"):
        before = desk.pending(incident)
        desk.models.serving[MODEL] = version
        minutes(desk, 1)
        assert desk.pending(incident) != before


def test_an_approval_decided_in_the_middle_of_a_look_is_not_counted_as_replaced(desk):
    incident = waiting(desk)
    first = desk.pending(incident)

    def moves_while_mia_decides(model):
        del desk.models.production
        desk.service.decide(first, "reject", actor="mia", via="cli", reason="not now")
        desk.models.serving[MODEL] = "0"
        return desk.models.production(model)

    desk.models.production = moves_while_mia_decides
    minutes(desk, 1)
    assert desk.service.approval(first).status == "rejected"
    assert desk.ports.incidents.kept(incident, "replan") == []


def test_a_registry_that_is_down_changes_nothing(desk):
    incident = waiting(desk)
    approval = desk.pending(incident)

    def down(model):
        raise UnavailableError("the registry is down")

    desk.models.production = down
    minutes(desk, 3)
    assert desk.pending(incident) == approval
    del desk.models.production
    desk.models.serving[MODEL] = "0"
    minutes(desk, 1)
    assert desk.service.approval(approval).status == "superseded"


def test_the_watch_survives_a_restart(desk):
    incident = waiting(desk)
    approval = desk.pending(incident)
    desk.again()
    desk.models.serving[MODEL] = "0"
    minutes(desk, 1)
    assert desk.service.approval(approval).status == "superseded"


class Crowd(Opinions):
    """While it thinks, other runners come by and do all that is due."""

    def __init__(self, desk):
        super().__init__(["upstream_schema_change"], 0.9)
        self._desk = desk

    def diagnose(self, brief):
        if self.asked < 5:  # else it would never end where every runner looks
            found = super().diagnose(brief)
            for source in sources(self._desk.ports, "http://127.0.0.1"):
                for deed in source():
                    deed()
            return found
        raise AssertionError("every runner looks at once")


def test_one_runner_looks_while_the_others_leave_it_alone(desk):
    waiting(desk)
    crowd = Crowd(desk)
    object.__setattr__(desk.ports, "reasoner", crowd)
    minutes(desk, 5)
    assert crowd.asked == 1


def test_a_look_that_its_runner_did_not_live_to_end_is_taken_by_another(desk):
    incident = waiting(desk)
    first = desk.pending(incident)
    desk.clock.move(61)
    now = desk.clock.now()
    (due,) = [timer for timer in desk.ports.timers.due(now) if timer.kind == "watch"]
    assert desk.ports.timers.claim(due.timer_id, until=now + LONGEST_LOOK, at=now)
    desk.models.serving[MODEL] = "0"
    minutes(desk, 1)
    assert desk.pending(incident) == first
    minutes(desk, 1)
    assert desk.service.approval(first).status == "superseded"
