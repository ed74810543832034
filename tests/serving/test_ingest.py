"""Rows over HTTP: batches once each, refusals by name, no more writes than there is room for."""

import json
import threading

import pytest
from fastapi.testclient import TestClient

from agentops_graph.access import Access, Keys
from agentops_graph.domain.identity import Identity
from agentops_graph.serving.api import create_app
from agentops_graph.serving.api.ingest import MOST_WRITES
from tests import data_folder_desk

URL = "/api/v1/ingest/metrics"
ROW = {"timestamp": "2026-03-01T12:00:00Z", "model_name": "fraud_model", "f1": 0.9}


def figures(desk):
    names, rows = desk.workshop.warehouse.rows_of("MODEL_METRICS")
    return [(row[names.index("model_name")], row[names.index("f1")]) for row in rows]


def test_a_batch_goes_in_and_is_counted(desk, client):
    answer = client.post(URL, json=[ROW, ROW | {"f1": 0.8}])
    assert answer.status_code == 200, answer.text
    assert answer.json() | {"reasons": {}} == {
        "source": "body", "kind": "metrics", "read": 2, "loaded": 2, "repeated": 0, "refused": 0,
        "unkept": 0,
        "reasons": {}, "shown": [], "is_known": False, "resumed_at": 0,
    }  # fmt: skip
    assert figures(desk) == [("fraud_model", 0.9), ("fraud_model", 0.8)]


def test_lines_of_json_are_a_batch_too(desk, client):
    body = "\n".join(json.dumps(ROW | {"f1": n / 10}) for n in range(3))
    headers = {"content-type": "application/x-ndjson"}
    assert client.post(URL, content=body, headers=headers).json()["loaded"] == 3


def test_the_same_content_is_taken_once(desk, client):
    assert [client.post(URL, json=[ROW]).json()["is_known"] for _ in range(3)] == [
        False, True, True,
    ]  # fmt: skip
    assert len(figures(desk)) == 1


def test_a_key_lets_the_same_content_in_twice_and_a_retry_once(desk, client):
    for key in ("a", "b", "a"):
        assert client.post(URL, json=[ROW], headers={"Idempotency-Key": key}).status_code == 200
    assert len(figures(desk)) == 2
    other = client.post(URL, json=[ROW, ROW], headers={"Idempotency-Key": "a"})
    assert other.status_code == 409
    assert "came with other rows before" in other.json()["detail"]


def test_refused_rows_are_named_and_the_good_ones_kept(desk, client):
    answers = [client.post(URL, json=[ROW, ROW | {"f1": "high"}, 7]) for _ in range(2)]
    for answer in answers:  # a retry is told the same
        found = answer.json()
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert found["type"] == "urn:agentops:problem:rows-refused"
        assert (found["read"], found["loaded"], found["refused"]) == (3, 1, 2)
        assert found["shown"] == [
            {"line": 2, "reason": "f1 is no number (seen: high)"},
            {"line": 3, "reason": "is no JSON object"},
        ]
        assert found["reasons"] == {"f1 is no number": 1, "is no JSON object": 1}
    assert [answer.json()["is_known"] for answer in answers] == [False, True]
    assert len(figures(desk)) == 1
    assert desk.workshop.ports.intake.condition().rows == 2


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "neither a JSON array nor JSON lines"),
        (b"\x1f\x8b\x08", "neither a JSON array nor JSON lines"),
        (b'[{"timestamp"', "is no JSON"),
        (b'[{"f1": 1}]', "lacks the column 'timestamp'"),
        (json.dumps([ROW | {"f_1": 1}]).encode(), "has the unknown column 'f_1' (nearest: f1)"),
    ],
)
def test_a_body_that_holds_no_such_rows_is_refused_whole(desk, client, body, said):
    answer = client.post(URL, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert desk.workshop.ports.intake.condition().loads == 0


def test_a_body_of_csv_is_told_that_http_takes_json_only(client):
    answer = client.post(URL, content=b"timestamp\n1\n", headers={"content-type": "text/csv"})
    assert answer.status_code == 422
    assert "HTTP takes JSON only" in answer.json()["detail"]


def test_an_empty_batch_is_no_fault(client):
    assert client.post(URL, json=[]).json()["read"] == 0


def test_of_a_request_only_so_many_refused_rows_are_kept_and_the_rest_is_counted(desk, client):
    for is_known in (False, True):
        answer = client.post(URL, json=[ROW, *[0] * 30_000])
        assert answer.status_code == 422
        said = answer.json()
        assert (said["loaded"], said["refused"], said["unkept"]) == (1, 30_000, 29_000)
        assert said["is_known"] is is_known
        assert "30000 of 30001 rows were refused and of them the first 1000 are" in said["detail"]
    assert desk.workshop.ports.intake.condition().rows == 1000


def test_a_kind_that_is_none_is_refused(client):
    assert client.post("/api/v1/ingest/incidents", json=[ROW]).status_code == 422


def test_a_body_that_is_too_large_is_413(desk):
    desk.workshop.settings = desk.workshop.settings.model_copy(update={"max_body_bytes": 2000})
    client = TestClient(create_app(desk.workshop, run=False), base_url="http://localhost")
    answer = client.post(URL, json=[ROW] * 100)
    assert (answer.status_code, answer.json()["status"]) == (413, 413)
    assert client.post(URL, json=[ROW]).status_code == 200


def test_more_batches_than_there_is_room_for_are_sent_away_for_a_second(desk, client):
    """While another process writes, as many wait as there is room for; the next is told at once."""
    from agentops_graph.adapters.sqlite_warehouse.tables import writing

    client.post(URL, json=[ROW])
    answers = []

    def send(number):
        answers.append(client.post(URL, json=[ROW | {"f1": number / 100}]))

    waiting = [threading.Thread(target=send, args=(n,)) for n in range(MOST_WRITES)]
    free = client.app.state.writes._free
    with writing(desk.workshop.places.warehouse):
        for thread in waiting:
            thread.start()
        while free._value:  # until all are inside
            threading.Event().wait(0.005)
        refused = client.post(URL, json=[ROW | {"f1": 0.77}])
    for thread in waiting:
        thread.join(30)
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    assert [answer.status_code for answer in answers] == [200] * MOST_WRITES
    assert client.post(URL, json=[ROW | {"f1": 0.77}]).status_code == 200
    assert len(figures(desk)) == MOST_WRITES + 2


COMPONENTS = """\
components:
  - {name: fraud_model, tenant: north}
  - {name: churn-model, tenant: south}
"""


def test_a_tenant_loads_rows_of_its_own_components_only(tmp_path, monkeypatch):
    monkeypatch.setattr(data_folder_desk, "COMPONENTS", COMPONENTS)
    desk = data_folder_desk.Desk(tmp_path / "desk")
    client = TestClient(create_app(desk.workshop, run=False), base_url="http://localhost")
    keys = Keys(Access(desk.service, Identity(name="root", role="admin"), "cli"))
    keys.create("root", "admin")
    secrets = {
        name: keys.create(name, "operator", tenant=name).secret for name in ("north", "south")
    }
    rows = [ROW, ROW | {"model_name": "churn-model"}, ROW | {"model_name": "nobody"}]
    for tenant, own in (("north", "fraud_model"), ("south", "churn-model")):
        headers = {"authorization": f"Bearer {secrets[tenant]}", "Idempotency-Key": "same"}
        answer = client.post(URL, json=rows, headers=headers)
        assert (answer.status_code, answer.json()["loaded"]) == (422, 1)
        told = {one["reason"].partition(" (")[0] for one in answer.json()["shown"]}
        assert told == {"model_name is no component"}
        assert figures(desk)[-1] == (own, 0.9)
    viewer = keys.create("vic", "viewer").secret
    refused = client.post(URL, json=[ROW], headers={"authorization": f"Bearer {viewer}"})
    assert refused.status_code == 403
    assert len(figures(desk)) == 2
