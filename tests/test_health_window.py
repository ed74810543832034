"""The health window of a deploy: what is judged, by which rows, and who undoes."""

from dataclasses import replace

import pytest
from pydantic import ValidationError

from agentops_graph.domain.approval import shown_lines
from agentops_graph.domain.component import HealthWindow
from agentops_graph.domain.health import MOST_LOOKS, longest_wait
from tests.desk import MODEL, NOON, Desk
from tests.sampled import sampled
from tests.test_loop import deployed

pytestmark = pytest.mark.slow

HOUR = 3600


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "home")


def traffic_passes(desk, minutes, **kind):
    """Time with traffic in which no runner works."""
    work, desk.work = desk.work, lambda: None
    desk.minutes_pass(minutes, **kind)
    desk.work = work


def looks(desk, incident):
    return [document for _, document in desk.ports.incidents.kept(incident, "look")]


def last_words(desk, incident):
    return desk.case(incident).timeline[-1].text


def test_runners_that_were_down_for_the_whole_wait_look_before_they_judge(desk):
    incident = deployed(desk)
    traffic_passes(desk, 1, failed=0.5)
    desk.clock.move(HOUR)
    desk.work()
    assert desk.actuator.keys == ["A-1:do", "A-2:do", "A-2:undo"]
    assert desk.models.serving[MODEL] == "1"
    (look,) = looks(desk, incident)
    assert look["rows_inside"] == 1200
    assert look["rows"] == 1200


def test_what_goes_wrong_after_the_window_is_a_persons_and_undoes_nothing(desk):
    incident = deployed(desk)
    traffic_passes(desk, 1)
    traffic_passes(desk, 1, failed=0.5)
    desk.work()
    case = desk.case(incident)
    assert desk.actuator.keys == ["A-1:do", "A-2:do"]
    assert desk.models.serving[MODEL] == "2"
    assert case.incident.status == "escalated"
    assert "too late" in last_words(desk, incident)
    assert "error_rate" in last_words(desk, incident)


def test_a_breach_inside_the_window_is_not_thinned_by_later_rows(desk):
    incident = deployed(desk)
    traffic_passes(desk, 1, failed=0.08)
    traffic_passes(desk, 9)
    desk.work()
    assert desk.actuator.keys == ["A-1:do", "A-2:do", "A-2:undo"]
    assert "undone" in {a.status for a in desk.case(incident).resolution.actions_taken}


def test_after_a_window_that_nobody_watched_looks_are_taken_at_their_pace(desk):
    incident = deployed(desk)
    traffic_passes(desk, 2)
    desk.work()
    assert len(looks(desk, incident)) == 1
    assert desk.case(incident).incident.status == "verifying"
    desk.minutes_pass(1)
    assert len(looks(desk, incident)) == 3
    assert desk.case(incident).incident.status == "resolved"


def test_a_window_by_a_clock_that_stays_back_ends_in_its_own_time(desk):
    incident = deployed(desk)
    desk.clock.move(-2 * HOUR)
    desk.work()
    assert desk.case(incident).incident.status == "verifying"
    desk.minutes_pass(1)
    assert desk.case(incident).incident.status == "verifying"
    desk.minutes_pass(1)
    case = desk.case(incident)
    assert case.incident.status == "resolved", last_words(desk, incident)
    assert desk.actuator.keys == ["A-1:do", "A-2:do"]


def test_a_breach_by_a_clock_that_stays_back_is_undone(desk):
    deployed(desk)
    desk.clock.move(-2 * HOUR)
    desk.minutes_pass(1, failed=0.5)
    assert desk.actuator.keys == ["A-1:do", "A-2:do", "A-2:undo"]
    assert desk.clock.now() < NOON


def test_without_data_a_clock_that_stays_back_is_not_waited_for_for_hours(desk):
    incident = deployed(desk)
    desk.clock.move(-2 * HOUR)
    for _ in range(14):
        desk.clock.move(20)
        desk.work()
    assert desk.case(incident).incident.status == "escalated"
    assert "can't be judged" in last_words(desk, incident)


@pytest.mark.parametrize("jump", sampled([-5, -15, -30, -45, -70], {-30}))
def test_a_clock_put_back_in_the_middle_of_the_window_costs_no_round_without_rest(desk, jump):
    incident = deployed(desk)
    desk.minutes_pass(0.5)
    desk.clock.move(jump)
    desk.work()  # it raises when the runner never comes to rest
    desk.minutes_pass(2.5)
    assert desk.case(incident).incident.status == "resolved"


def shifting(tmp_path):
    desk = Desk(tmp_path / "home", plan=(("shift_traffic", 1, None),))
    actuators = {**desk.ports.actuators, "shift_traffic": desk.actuator}
    desk.ports = replace(desk.ports, actuators=actuators)
    desk.runner.ports, desk.service._ports = desk.ports, desk.ports
    return desk


def test_a_shift_of_traffic_is_watched_and_its_approval_says_what_for(tmp_path):
    desk = shifting(tmp_path)
    incident = desk.report()
    desk.work()
    proposal = desk.service.approval(desk.pending(incident)).proposal
    assert (proposal.guard.window_s, proposal.undo) == (60, None)
    shown = dict(shown_lines(proposal.canonical()))
    assert shown["goes to a person"] == "if error_rate > 0.05 within 60.0 s"
    assert "rolls back by itself" not in shown


def test_a_shift_of_traffic_that_turns_out_bad_goes_to_a_person(tmp_path):
    desk = shifting(tmp_path)
    incident = desk.report()
    desk.work()
    desk.approve(incident)
    desk.models.serving[MODEL] = "0"  # what the traffic of these minutes is written as
    desk.minutes_pass(1, failed=0.5)
    assert desk.actuator.keys == ["A-1:do"]
    assert desk.case(incident).incident.status == "escalated"
    assert "unhealthy after shift_traffic: error_rate" in last_words(desk, incident)


def test_the_window_of_a_deploy_says_that_it_rolls_back_by_itself(desk):
    incident = desk.report()
    desk.work()
    desk.approve(incident)
    desk.training_ends(incident)
    proposal = desk.service.approval(desk.pending(incident)).proposal
    assert "rolls back by itself" in dict(shown_lines(proposal.canonical()))


@pytest.mark.parametrize(("seconds", "every_s"), [(86400, 60), (900, 5.52), (900, 1)])
def test_a_window_of_more_looks_than_can_be_kept_apart_is_refused(seconds, every_s):
    with pytest.raises(ValidationError, match="set every_s above"):
        HealthWindow(seconds=seconds, every_s=every_s)
    limit = longest_wait(seconds) / MOST_LOOKS
    assert HealthWindow(seconds=seconds, every_s=limit * 1.001).seconds == seconds


def test_a_window_approved_before_that_limit_ends_at_it_with_a_person(desk, monkeypatch):
    monkeypatch.setattr("agentops_graph.window.MOST_LOOKS", 8)
    component = desk.ports.components[MODEL]
    long = component.model_copy(update={"health": HealthWindow(seconds=400, every_s=20)})
    desk.ports.components[MODEL] = long
    incident = deployed(desk)
    desk.minutes_pass(4)
    assert len(looks(desk, incident)) == 8
    assert desk.case(incident).incident.status == "escalated"
    assert "all that a window may take" in last_words(desk, incident)


def test_a_breach_at_the_last_look_of_a_window_is_still_undone(desk, monkeypatch):
    monkeypatch.setattr("agentops_graph.window.MOST_LOOKS", 3)
    incident = deployed(desk)
    desk.minutes_pass(2 / 3)
    assert len(looks(desk, incident)) == 2
    desk.minutes_pass(1 / 3, failed=0.9)
    assert desk.actuator.keys == ["A-1:do", "A-2:do", "A-2:undo"]
