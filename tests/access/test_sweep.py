"""Every route, asked by everyone, about an approval in every state: one table says the answer."""

import json
import re
from dataclasses import dataclass

import pytest
from fastapi.testclient import TestClient

from agentops_graph.access import Keys
from agentops_graph.access.keys import begin_session
from agentops_graph.domain.action import ScaleInfrastructure
from agentops_graph.domain.approval import Proposal
from agentops_graph.serving.api import create_app
from agentops_graph.serving.api.door import COOKIE
from tests import data_folder_desk
from tests.access.conftest import Desk
from tests.routes import every_route
from tests.sampled import sampled

COMPONENTS = """\
components:
  - name: fraud_model
    tenant: north
    entry_points: {scale_infrastructure: "team.jobs:scale"}
  - {name: churn-model, tenant: south}
"""
ALERT = {
    "severity": "warning",
    "alert_type": "latency",
    "affected_component": "fraud_model",
    "metrics": {"latency_p99": 1500},
    "timestamp": "2026-02-28T10:15:00Z",
}
PUSHED = {
    "version": "4",
    "groupKey": "{}:{}",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "Slow", "service": "fraud_model", "alert_type": "latency"},
            "startsAt": "2026-02-28T10:15:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "fingerprint": "a1b2c3d4e5f60718",
        }
    ],
}
EVENT = {
    "specversion": "1.0",
    "id": "deploy-81",
    "source": "/ci/fraud",
    "type": "agentops.change",
    "data": {"kind": "deploy", "subject": "fraud_model", "summary": "version 4 went live"},
}
RUN = {"eventTime": "2026-02-28T10:15:00Z", "job": {"namespace": "etl", "name": "load"}}
STATES = ("none", "pending", "decided", "superseded", "expired")
PEOPLE = {  # role and tenant of their tokens; the approval is one of the tenant north
    "no token": None,
    "revoked": ("admin", None),
    "viewer": ("viewer", None),
    "operator": ("operator", None),
    "approver": ("approver", None),
    "admin": ("admin", None),
    "other tenant": ("approver", "south"),
}
RANK = ("viewer", "operator", "approver", "admin")


@dataclass(frozen=True)
class Asked:
    """One route: who may, what is sent, and the answer to each state when they may."""

    least: str | None  # the least role; None when the route asks nobody for a token
    answer: int | dict[str, int]
    body: dict | None = None
    elsewhere: int | None = None  # the answer to another tenant, when not the same


READ_ONE = dict.fromkeys(STATES, 200) | {"none": 404}
OPEN_INCIDENT = dict.fromkeys(STATES, 409) | {"none": 404}
DECIDED = {"none": 404, "pending": 200, "decided": 409, "superseded": 410, "expired": 410}
LINKED = {"none": 404, "pending": 201, "decided": 409, "superseded": 409, "expired": 409}
WORDS = {"messages": [{"role": "user", "content": "what is wrong?"}]}

ROWS = [{"timestamp": "2026-02-28T10:15:00Z", "model_name": "fraud_model", "f1": 0.9}]

DECISION = "POST /api/v1/approvals/{approval_id}/decision"
TABLE = {
    "GET /healthz": Asked(None, 200),
    "GET /readyz": Asked("viewer", 200),
    "GET /openapi.json": Asked("viewer", 200),
    "GET /api/v1/alerts": Asked("viewer", 200),
    "POST /api/v1/alerts/alertmanager": Asked("operator", 200, PUSHED),
    "POST /api/v1/events": Asked("operator", 200, EVENT, elsewhere=404),
    "GET /metrics": Asked("viewer", 200, elsewhere=403),
    "POST /api/v1/alerts": Asked("operator", 200, ALERT, elsewhere=404),
    "GET /api/v1/incidents": Asked("viewer", 200),
    "GET /api/v1/incidents/{incident_id}": Asked("viewer", READ_ONE, elsewhere=404),
    "POST /api/v1/incidents/{incident_id}/retry": Asked(
        "operator", OPEN_INCIDENT, {}, elsewhere=404
    ),
    "POST /api/v1/incidents/{incident_id}/close": Asked(
        "operator", OPEN_INCIDENT, {"note": "done"}, elsewhere=404
    ),
    "GET /api/v1/noise": Asked("viewer", 200),
    "POST /api/v1/incidents/{incident_id}/verdict": Asked(
        "operator", READ_ONE, {"verdict": "right"}, elsewhere=404
    ),
    # No report was written yet: these incidents are open.
    "GET /api/v1/incidents/{incident_id}/postmortem": Asked("viewer", 404),
    "POST /api/v1/incidents/{incident_id}/postmortem/confirm": Asked("operator", 404, {}),
    "GET /api/v1/reasoner/report": Asked("viewer", 200, elsewhere=403),
    # Too few outcomes to learn from.
    "POST /api/v1/reasoner/accept": Asked("admin", 422, {}, elsewhere=403),
    # Without its section in sources.yaml lineage is off.
    "POST /api/v1/lineage": Asked("operator", 404, RUN, elsewhere=403),
    "POST /v1/lineage": Asked("operator", 404, RUN, elsewhere=403),
    "GET /api/v1/approvals": Asked("viewer", 200),
    "GET /api/v1/approvals/{approval_id}": Asked("viewer", READ_ONE, elsewhere=404),
    f"{DECISION} approve": Asked("approver", DECIDED, {"verdict": "approve"}, elsewhere=404),
    f"{DECISION} reject": Asked(
        "approver", DECIDED, {"verdict": "reject", "reason": "no"}, elsewhere=404
    ),
    f"{DECISION} edit": Asked(
        "operator", DECIDED, {"verdict": "edit", "arguments": {"replicas": 3}}, elsewhere=404
    ),
    f"{DECISION} respond": Asked(
        "operator", DECIDED, {"verdict": "respond", "text": "why?"}, elsewhere=404
    ),
    "POST /api/v1/approvals/{approval_id}/links": Asked(
        "approver", LINKED, {"name": "ben"}, elsewhere=404
    ),
    "POST /api/v1/investigations": Asked(
        "viewer", 422, {"question": "is fraud_model healthy?"}, elsewhere=404
    ),
    "POST /api/v1/ingest/{kind}": Asked("operator", 200, ROWS, elsewhere=422),
    "GET /api/v1/search": Asked("viewer", 200),
    "POST /invocations": Asked("viewer", 200, WORDS),
    "GET /api/v1/session": Asked("viewer", 200),
    "POST /api/v1/session": Asked("viewer", 201),
    "DELETE /api/v1/session": Asked("viewer", 204),
    # The link is the proof, whatever token comes beside it.
    "GET /a/{secret}": Asked(None, dict.fromkeys(STATES, 410) | {"pending": 200}),
    "POST /a/{secret}": Asked(None, DECIDED | {"none": 410, "expired": 410}),
}


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.setattr(data_folder_desk, "COMPONENTS", COMPONENTS)
    return Desk(tmp_path / "desk")


class Scene:
    """One app, its people, and approvals in one state; what a request uses up is made anew."""

    def __init__(self, desk, state):
        boundless = {"requests_per_minute": 10**6, "requests_per_hour": 10**6}
        desk.workshop.settings = desk.workshop.settings.model_copy(update=boundless)
        self.desk, self.state, self.step = desk, state, 0
        self.app = create_app(desk.workshop, run=False)
        self.client = TestClient(self.app, base_url="http://localhost")
        self.incident = desk.report()
        desk.report(alert_type="latency")
        self.keys = Keys(desk.open)
        self.keys.create("root", "admin")
        self.linking = Keys(desk.at("admin"))  # a link ends with the token that made it
        self.secrets = {person: self._secret(person) for person in PEOPLE}
        self.expected = []
        self.renew()

    def _secret(self, person):
        if PEOPLE[person] is None:
            return None
        role, tenant = PEOPLE[person]
        made = self.keys.create(person, role, tenant=tenant)
        if person == "revoked":
            self.keys.revoke(made.credential.credential_id)
        return made.secret

    def renew(self):
        """An approval in the state, with a link whose page was opened while it waited."""
        if self.state == "none":
            self.ids = {"incident_id": "INC-2026-9999", "approval_id": "A-999"}
            self.ids["secret"], self.form = "agops_" + "x" * 43, {}
            self.ids["kind"] = "metrics"
            return
        ports, desk, self.step = self.desk.workshop.ports, self.desk, self.step + 1
        held = ports.approvals.propose(
            Proposal(
                approval_id="new",
                incident_id=self.incident,
                plan_number=0,
                step=self.step,
                action=ScaleInfrastructure(component="fraud_model", replicas=4),
            ),
            policy=ports.policy,
            reason="costs money",
            notes=(),
            at=desk.in_(),
        )
        self.digest = held.digest
        self.ids = {"incident_id": self.incident, "approval_id": held.approval_id}
        self.ids["kind"] = "metrics"
        self.ids["secret"] = self.linking.link(held.approval_id, "ben").secret
        page = self.client.get(f"/a/{self.ids['secret']}").text
        self.form = dict(re.findall(r'name="(digest|view)" value="([^"]*)"', page))
        if self.state == "decided":
            desk.service.decide(held.approval_id, "reject", actor="x", via="python", reason="no")
        if self.state == "superseded":
            ports.approvals.retire(
                held.approval_id, "superseded", why="moved", by="agentops", at=desk.in_()
            )
        if self.state == "expired":
            ports.approvals.lapse(held.approval_id, policy=ports.policy, at=held.expires_at)

    def ask(self, person, line):
        """The answer, after noting which row of the audit it has to leave."""
        method, template, *_ = line.split()
        secret, sent = self.secrets[person], TABLE[line].body
        headers = {"authorization": f"Bearer {secret}"} if secret else {}
        more = {"json": sent} if sent is not None else {}
        if line == "POST /api/v1/events":
            headers["content-type"] = "application/cloudevents+json"
        if line == "POST /api/v1/session":
            more = {"json": {"token": secret or "agops_" + "x" * 43}}
        if line == "DELETE /api/v1/session":
            headers = {"cookie": f"{COOKIE}={self._session(person)}"}
        if line == "POST /a/{secret}":
            more = {"data": self.form | {"verdict": "approve"}}
        query = {"q": "drift"} if template == "/api/v1/search" else None
        path = template.format(**self.ids)
        answer = self.client.request(method, path, headers=headers, params=query, **more)
        self.client.cookies.clear()
        self._expect(person, method, template, answer.status_code)
        return answer

    def _session(self, person):
        if (secret := self.secrets[person]) is None or person == "revoked":
            return ""
        return begin_session(self.desk.service, secret).secret

    def _expect(self, person, method, template, status):
        if method != "GET" or status in (401, 403):
            is_known = PEOPLE[person] is not None and person != "revoked"
            actor = person if is_known else "anonymous"
            if template == "/a/{secret}":
                actor = "anonymous" if self.state == "none" else "ben"
            self.expected.append((actor, method, template, status))

    def rows(self):
        written = [r for r in self.desk.workshop.ports.audit.rows() if r["what"] == "request"]
        fields = [json.loads(row["fields"]) for row in written]
        return [
            (row["actor"], held["method"], held["route"], held["status"])
            for row, held in zip(written, fields, strict=True)
        ]


def due(person, line, state):
    """The answer that the table says."""
    asked = TABLE[line]
    answer = asked.answer if isinstance(asked.answer, int) else asked.answer[state]
    if asked.least is None:
        return answer
    if person in ("no token", "revoked"):
        return 401
    role, tenant = PEOPLE[person]
    if RANK.index(role) < RANK.index(asked.least):
        return 403
    return asked.elsewhere if tenant and asked.elsewhere else answer


def test_every_route_stands_in_the_table(desk):
    app = create_app(desk.workshop, run=False)
    there = {
        f"{method} {route.path}"
        for route in every_route(app.routes)
        for method in route.methods - {"HEAD"}
    }
    assert there == {" ".join(line.split()[:2]) for line in TABLE}


@pytest.mark.parametrize("state", sampled(STATES, {"pending"}))
def test_everyone_gets_the_answer_of_the_table_and_is_written_down(desk, state):
    scene, wrong = Scene(desk, state), []
    for line in TABLE:
        for person in PEOPLE:
            answer = scene.ask(person, line)
            if answer.status_code != due(person, line, state):
                wrong.append((line, person, answer.status_code, answer.text[:90]))
            if person == "other tenant" and "/a/" not in line and state != "none":
                assert scene.digest not in answer.text
                assert scene.incident not in answer.text or scene.incident in answer.url.path
            if answer.is_success and answer.request.method != "GET" and "{" in line:
                scene.renew()
    assert wrong == []
    assert scene.rows() == scene.expected
    assert desk.workshop.ports.audit.verify() is None


def shape(answer, known):
    """An answer without the id that was asked for, and what only the clock changes."""
    headers = {n: v for n, v in answer.headers.items() if n != "date"}
    return answer.status_code, headers, answer.text.replace(known, "ID")


@pytest.mark.parametrize("role", RANK)
def test_another_tenants_id_and_one_that_is_not_are_answered_alike(desk, role):
    scene = Scene(desk, "pending")
    secret = scene.keys.create("guesser", role, tenant="south").secret
    headers, tried = {"authorization": f"Bearer {secret}"}, 0
    unknown = {"incident_id": scene.incident[:-4] + "9999", "approval_id": "A-9"}
    for line, asked in TABLE.items():
        method, template, *_ = line.split()
        for name in unknown.keys() & set(re.findall(r"{(\w+)}", template)):
            for body in (asked.body, {}, {"digest": scene.digest, "verdict": "approve"}):
                seen, none = (
                    scene.client.request(
                        method, template.format(**{name: known}), headers=headers, json=body
                    )
                    for known in (scene.ids[name], unknown[name])
                )
                assert shape(seen, scene.ids[name]) == shape(none, unknown[name]), (line, body)
                assert seen.status_code in (403, 404, 422)
                tried += 1
    assert tried == 36
    assert desk.service.approval(scene.ids["approval_id"]).status == "pending"
