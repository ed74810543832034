"""The curl examples of the pages, asked of a real service over a data folder with approvals."""

import json
import re
import shlex
import socket
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn

from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.domain.action import RollbackModel, ScaleInfrastructure
from agentops_graph.domain.approval import Proposal
from agentops_graph.domain.incident import TimelineEvent
from agentops_graph.domain.ledger import Chapter, Note
from agentops_graph.serving.api import create_app
from tests import data_folder_desk

DOCS = Path(__file__).parent.parent / "docs"
MODEL = "fraud-detector"
SHOWN_AT = "http://127.0.0.1:8000"
COMPONENTS = f"""
components:
  - name: {MODEL}
    entry_points:
      scale_infrastructure: "team.jobs:scale"
"""
FLAGS = {"-s", "-N", "-sN"}


REPORT = "---\nincident_id: {}\nroot_cause: concept_drift\nconfirmed: false\n---\n# Report\n"


class Desk(data_folder_desk.Desk):
    """INC-2026-1001 waits for A-1; 1002 and 1003 belong to a person, A-2 was superseded, A-3
    and A-4 still wait; predictions of an hour; a runner that beats."""

    def __init__(self, home, monkeypatch):
        monkeypatch.setattr(data_folder_desk, "COMPONENTS", COMPONENTS)
        monkeypatch.setattr(data_folder_desk, "SOURCES", "lineage: {}")
        super().__init__(home)
        self.fill_warehouse(SqliteWarehouse(home / "warehouse.db"))
        kinds = ("model_drift", "latency", "accuracy_drop")
        self.ids = [self.report(MODEL, kind) for kind in kinds]
        first, *handed_over = self.ids
        self.put(first, "awaiting_approval")
        for incident_id in handed_over:
            self.put(incident_id, "escalated", owner="on-call")
        assert [self.propose(incident_id) for incident_id in self.ids] == ["A-1", "A-2", "A-3"]
        wider = ScaleInfrastructure(component=MODEL, replicas=4)
        assert self.propose(handed_over[-1], wider, step=1) == "A-4"
        self.workshop.ports.approvals.retire(
            "A-2", "superseded", why="a new plan", by="agentops", at=self.now
        )
        self.workshop.ports.leases.beat("service@docs:1", "service")
        self.workshop.ports.incidents.keep(
            Chapter(incident_id=self.ids[2], kind="postmortem"),
            Note(values={"markdown": REPORT.format(self.ids[2])}),
        )

    @property
    def now(self):
        return self.workshop.ports.clock.now()

    def put(self, incident_id, status, **fields):
        event = TimelineEvent(
            incident_id=incident_id, at=self.now, node="test", kind="step", text=status
        )
        self.workshop.ports.incidents.update(incident_id, event, status=status, **fields)

    def propose(self, incident_id, action=None, step=0):
        ports = self.workshop.ports
        proposal = Proposal(
            approval_id="new",
            incident_id=incident_id,
            plan_number=0,
            step=step,
            action=action or RollbackModel(model=MODEL, to_version="3"),
        )
        held = ports.approvals.propose(
            proposal,
            policy=ports.policy,
            reason="changes production predictions",
            notes=(),
            at=self.now,
        )
        return held.approval_id

    def fill_warehouse(self, warehouse):
        begun = datetime.now(UTC) - timedelta(minutes=50)
        rows = (
            {
                "timestamp": begun + timedelta(seconds=10 * number),
                "prediction_id": f"p-{number}",
                "model_name": MODEL,
                "model_version": "3",
                "features": {"amount": number % 17},
                "prediction": number % 2,
            }
            for number in range(290)
        )
        warehouse.write("PREDICTION_LOGS", rows)


@contextmanager
def served(desk):
    """The service, without its runner, on a free port of this machine."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(create_app(desk.workshop, run=False), log_level="warning", lifespan="off")
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()


def examples(page):
    """(curl line, what is shown under it) of the console blocks of a page, in order."""
    text = (DOCS / page).read_text(encoding="utf-8").replace("\\\n", " ")
    found = []
    for block in re.findall(r"^```console\n(.*?)^```", text, re.S | re.M):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            line, _, shown = part.partition("\n")
            if line.startswith("curl "):
                found.append((line, shown.strip()))
    return found


def asked(line, url):
    """The request that curl would send, by the few options the pages use."""
    words = iter(shlex.split(line)[1:])
    method, body, headers, address = None, None, {}, None
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-d":
            body = next(words)
            headers.setdefault("content-type", "application/x-www-form-urlencoded")
        elif word == "-H":
            name, _, value = next(words).partition(":")
            headers[name.strip().lower()] = value.strip()
        elif word not in FLAGS:
            assert address is None, f"{word} is no option this test knows"
            assert word.startswith(SHOWN_AT), f"{word} is not an address of the service"
            address = word.replace(SHOWN_AT, url)
    method = method or ("GET" if body is None else "POST")
    return httpx.request(method, address, content=body, headers=headers, timeout=30)


def holds(shown, answer, place="answer"):
    """Every key that is shown is there, with a value of the same kind."""
    if isinstance(shown, dict):
        assert isinstance(answer, dict), f"{place} is {answer!r}"
        for key, value in shown.items():
            assert key in answer, f"{place} has no {key}: {answer!r}"
            holds(value, answer[key], f"{place}.{key}")
    elif isinstance(shown, list):
        assert isinstance(answer, list), f"{place} is {answer!r}"
        assert bool(shown) == bool(answer), f"{place} is {answer!r}"
        for one, other in zip(shown, answer, strict=False):
            holds(one, other, place)
    elif isinstance(shown, str):
        assert isinstance(answer, str), f"{place} is {answer!r}"
        same = shown == answer or varies(shown) or begins(shown, answer)
        assert same, f"{place} is {answer!r}, the page shows {shown!r}"
    elif isinstance(shown, float | int) and not isinstance(shown, bool):
        assert isinstance(answer, float | int), f"{place} is {answer!r}"
    else:
        assert shown == answer, f"{place} is {answer!r}, the page shows {shown!r}"


def begins(shown, answer):
    """What is shown up to its dots is how the answer begins."""
    start, dots, _ = shown.partition("...")
    return bool(dots) and answer.startswith(start)


def varies(text):
    """Times, digests, ids that carry a date, the name of a runner."""
    return re.match(r"\d{4}-\d\d-\d\dT|9c3f|service@|alert_|INC-", text) is not None


def compared(shown, response):
    if shown.startswith("data:"):
        lines = [line for line in response.text.split("\n") if line]
        assert lines[-1] == shown.split("\n")[-1] == "data: [DONE]"
        first, last = (json.loads(line.removeprefix("data:")) for line in shown.split("\n")[:2])
        holds(first, json.loads(lines[0].removeprefix("data:")))
        assert set(last) == set(json.loads(lines[-2].removeprefix("data:")))
        return
    if not shown:
        assert (response.status_code, response.text) == (204, "")
        return
    if shown.startswith("# TYPE"):
        assert response.is_success
        assert set(shown.split("\n")) <= set(response.text.split("\n"))
        return
    document = json.loads(shown)
    status = document.get("status")
    if isinstance(status, int):
        assert response.headers["content-type"] == "application/problem+json"
        assert response.status_code == status
    else:
        assert response.is_success
    holds(document, response.json())


@pytest.mark.parametrize("page", ["http.md", "mlflow.md"])
def test_every_curl_example_of_a_page_answers_as_it_is_shown(page, tmp_path, monkeypatch):
    desk = Desk(tmp_path / "desk", monkeypatch)
    found = examples(page)
    assert len(found) >= 5
    with served(desk) as url:
        for line, shown in found:
            here = re.sub(r"INC-2026-100(\d)", lambda m: desk.ids[int(m[1]) - 1], line)
            response = asked(here, url)
            try:
                compared(shown, response)
            except (AssertionError, ValueError) as error:
                raise AssertionError(f"{page}: {line}\n{response.text[:2000]}\n{error}") from error


def test_page_shows_every_route(tmp_path, monkeypatch):
    desk = Desk(tmp_path / "desk", monkeypatch)
    paths = create_app(desk.workshop, run=False).openapi()["paths"]
    routes = {(m.upper(), path) for path, methods in paths.items() for m in methods}
    shown = set()
    for line, _ in examples("http.md") + examples("mlflow.md"):
        named = re.search(r" -X (\w+)", line)
        method = named[1] if named else "POST" if " -d " in line else "GET"
        address = re.search(rf"{SHOWN_AT}(/[^\s'?]*)", line)[1]
        shown |= {(method, path) for path in paths if fits(path, address)}
    assert routes - shown == set()


def fits(path, address):
    return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), address) is not None
