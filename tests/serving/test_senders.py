"""What one sender says of its alerts, and of a time to come, leaves all others' alerts alone."""

import json
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from agentops_graph.access import Access, Keys
from agentops_graph.bootstrap import Workshop
from agentops_graph.domain.identity import Identity
from agentops_graph.serving.api import create_app
from tests import data_folder_desk
from tests.serving.test_deliveries import (
    ALERTMANAGER,
    CHANGE,
    COMPONENTS,
    EVENTS,
    FIRING,
    ONE,
    notification,
    outcomes,
    post_event,
)

FAR = "2999-01-01T00:00:00Z"
ENDED = {"status": "resolved", "endsAt": "2026-02-28T10:20:00Z"}


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.setattr(data_folder_desk, "COMPONENTS", COMPONENTS)
    return data_folder_desk.Desk(tmp_path / "desk")


@pytest.fixture
def keys(desk):
    keys = Keys(Access(desk.service, Identity(name="root", role="admin"), "cli"))
    keys.create("root", "admin")
    return keys


def token(keys, name):
    return {"authorization": f"Bearer {keys.create(name, 'sender').secret}"}


def soon(desk, minutes):
    """A time so long from now; the desk's clock is the real one."""
    return (desk.workshop.ports.clock.now() + timedelta(minutes=minutes)).isoformat()


def followed(desk):
    (incident,) = desk.service.incidents()
    return desk.workshop.ports.outside_alerts.followed(incident.incident_id)


def test_end_of_an_alert_that_begins_in_the_far_future_mutes_nothing(client, desk):
    never = notification({"status": "resolved", "startsAt": FAR, "endsAt": FAR})
    assert outcomes(client.post(ALERTMANAGER, json=never)) == ["resolved"]
    within_slack = notification({"startsAt": soon(desk, 2)})
    assert outcomes(client.post(ALERTMANAGER, json=within_slack)) == ["over"]
    later = notification({"startsAt": soon(desk, 6)})
    assert outcomes(client.post(ALERTMANAGER, json=later)) == ["opened"]
    (held,) = followed(desk)
    assert held.starts_at.isoformat() <= soon(desk, 5)


def test_event_that_ends_in_the_far_future_mutes_nothing(client, desk):
    ended = FIRING | {"id": "2", "type": "agentops.alert.resolved", "time": FAR}
    del ended["data"]
    assert outcomes(post_event(client, ended)) == ["resolved"]
    later = FIRING | {"id": "3", "time": soon(desk, 6)}
    assert outcomes(post_event(client, later)) == ["opened"]


def test_sender_neither_ends_nor_mutes_what_another_told(client, keys, desk):
    cluster, robot = token(keys, "alertmanager"), token(keys, "ci-bot")
    ended = notification(ENDED)
    assert outcomes(client.post(ALERTMANAGER, json=ended, headers=robot)) == ["resolved"]
    told = client.post(ALERTMANAGER, json=notification(), headers=cluster)
    assert outcomes(told) == ["opened"]
    late = notification(ENDED | {"endsAt": "2026-02-28T10:30:00Z"}, groupKey="other")
    assert outcomes(client.post(ALERTMANAGER, json=late, headers=robot)) == ["resolved"]
    assert followed(desk)[0].over_at is None
    assert outcomes(client.post(ALERTMANAGER, json=ended, headers=cluster)) == ["resolved"]
    assert followed(desk)[0].over_at is not None


def test_event_of_one_sender_is_not_that_of_another(client, keys, desk):
    one, other = token(keys, "watcher"), token(keys, "ci-bot")
    assert outcomes(post_event(client, FIRING, **one)) == ["opened"]
    assert outcomes(post_event(client, FIRING, **one)) == ["known"]
    ended = FIRING | {"id": "2", "type": "agentops.alert.resolved"}
    del ended["data"]
    assert outcomes(post_event(client, ended, **other)) == ["resolved"]
    assert followed(desk)[0].over_at is None
    assert outcomes(post_event(client, CHANGE, **one)) == ["recorded"]


def test_tokens_that_share_a_source_speak_for_each_other(desk, keys):
    shared = "alertmanager: {shared_by: [east, west]}\n"
    desk.workshop.places.sources.write_text(shared)
    reopened = Workshop(desk.workshop.settings)
    client = TestClient(create_app(reopened, run=False), base_url="http://localhost")
    east, west, stranger = (token(keys, name) for name in ("east", "west", "robot"))
    told, ended = notification(), notification(ENDED)
    assert outcomes(client.post(ALERTMANAGER, json=told, headers=east)) == ["opened"]
    assert outcomes(client.post(ALERTMANAGER, json=told, headers=west)) == ["known"]
    assert outcomes(client.post(ALERTMANAGER, json=ended, headers=stranger)) == ["resolved"]
    assert followed(desk)[0].over_at is None
    assert outcomes(client.post(ALERTMANAGER, json=ended, headers=west)) == ["resolved"]
    assert followed(desk)[0].over_at is not None


def test_events_in_one_batch_are_of_one_sender(client, keys):
    headers = token(keys, "watcher") | {"content-type": ONE}
    assert outcomes(client.post(EVENTS, content=json.dumps(FIRING), headers=headers)) == ["opened"]


def test_nobody_outside_tells_of_our_own_sources(client, desk):
    name = "source:warehouse"
    claim = {
        "severity": "info",
        "alert_type": "provider_outage",
        "affected_component": name,
        "timestamp": "2026-02-28T10:00:00Z",
    }
    told = client.post("/api/v1/alerts", json=claim)
    assert (told.status_code, told.json()["field"]) == (422, "affected_component")
    pushed = notification({"labels": {"alertname": "X", "component": name}})
    (refused,) = client.post(ALERTMANAGER, json=pushed).json()["deliveries"]
    assert (refused["outcome"], "one of our own sources" in refused["said"]) == ("refused", True)
    event = FIRING | {"data": FIRING["data"] | {"affected_component": name}}
    assert outcomes(post_event(client, event)) == ["refused"]
    assert desk.service.incidents() == []


def test_notification_is_taken_up_to_its_most_and_the_rest_is_said(client):
    told = notification(*(ENDED | {"fingerprint": f"{n:x}"} for n in range(503)), truncatedAlerts=2)
    answer = client.post(ALERTMANAGER, json=told)
    assert outcomes(answer) == ["resolved"] * 500
    assert answer.json()["left_out"] == 5
