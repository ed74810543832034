"""Silences and maintenance windows."""

import pytest

from agentops_graph.errors import InputError, NotFoundError
from agentops_graph.monitor import tick
from tests.desk import MODEL, Desk


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "home")


def silence(desk: Desk, **how: object):
    return desk.service.silence(MODEL, hours=1, reason="planned load test", actor="mia", **how)


def test_a_silenced_component_opens_nothing_by_its_monitor(desk):
    silence(desk)
    assert tick(desk.ports).admissions == []
    assert desk.service.incidents() == []


def test_an_alert_from_outside_is_recorded_and_suppressed_with_the_reason(desk):
    silence(desk)
    incident = desk.report()
    desk.work()
    held = desk.case(incident).incident
    assert held.status == "suppressed"
    assert "planned load test" in held.summary


def test_a_silence_of_one_type_lets_the_others_through(desk):
    silence(desk, alert_type="latency")
    assert [a.alert.alert_type for a in tick(desk.ports).admissions] == ["model_drift"]


def test_a_silence_ends_by_itself_and_survives_a_restart(desk):
    silence(desk)
    desk.again()
    assert len(desk.service.silences()) == 1
    desk.clock.move(3601)
    assert desk.service.silences() == []


def test_a_silence_is_ended_by_a_person(desk):
    held = silence(desk)
    desk.service.end_silence(held.silence_id, actor="mia")
    assert desk.service.silences() == []
    with pytest.raises(NotFoundError):
        desk.service.end_silence("S-99", actor="mia")


def test_nothing_is_done_to_a_component_in_maintenance(desk):
    incident = desk.report()
    desk.work()
    silence(desk, maintenance=True)
    desk.approve(incident)
    assert desk.actuator.keys == []
    assert "maintenance" in desk.case(incident).timeline[-1].text


@pytest.mark.parametrize("hours", [0, -1, 1000])
def test_a_silence_has_an_end_within_two_weeks(desk, hours):
    with pytest.raises(InputError, match="hours"):
        desk.service.silence(MODEL, hours=hours, reason="x", actor="mia")


def test_only_a_known_component_can_be_silenced(desk):
    with pytest.raises(NotFoundError, match="known"):
        desk.service.silence("nobody", hours=1, reason="x", actor="mia")


def test_a_clock_put_back_does_not_end_a_maintenance(desk):
    incident = desk.report()
    desk.work()
    silence(desk, maintenance=True)
    desk.clock.move(-60)
    desk.approve(incident)
    assert desk.actuator.keys == []
