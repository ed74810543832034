"""What schemathesis makes of the description: no answer is a fault, and none is without proof."""

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentops_graph.access import Keys
from agentops_graph.serving.api import create_app
from agentops_graph.serving.api.bodies import ALERT_EXAMPLE

schemathesis = pytest.importorskip("schemathesis", reason="it comes with the extra `dev`")
from schemathesis.generation import GenerationMode  # noqa: E402
from schemathesis.specs.openapi import checks as openapi_checks  # noqa: E402

BASE = "http://127.0.0.1"
CONFORMANCE = [
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
]
TALKS = [
    {"messages": [{"role": "user", "content": words}], "stream": stream}
    for words in ("what is wrong?", "approve A-2", "why INC-2026-0001?", "is fraud_model healthy?")
    for stream in (False, True)
]
BODIES = {
    "/api/v1/alerts": [ALERT_EXAMPLE, ALERT_EXAMPLE | {"affected_component": "churn-model"}],
    "/invocations": TALKS,
    "/api/v1/approvals/{approval_id}/decision": [
        {"verdict": "approve"},
        {"verdict": "reject", "reason": "no"},
        {"verdict": "edit", "arguments": {"to_version": "2"}},
        {"verdict": "respond", "text": "why?"},
    ],
}
OPEN_TO_ALL = {"/healthz"}
MADE_UP = "agops_" + "x" * 43


def bounded(examples):
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture
def records(desk):
    """An incident with an approval in each state; the ids of all."""
    ports, incident = desk.workshop.ports, desk.report()
    waiting, decided, superseded, expired = (desk.propose(incident, step=n) for n in range(4))
    desk.service.decide(decided.approval_id, "reject", actor="x", via="python", reason="no")
    ports.approvals.retire(
        superseded.approval_id, "superseded", why="moved", by="agentops", at=desk.in_()
    )
    ports.approvals.lapse(expired.approval_id, policy=ports.policy, at=expired.expires_at)
    approvals = [held.approval_id for held in (waiting, decided, superseded, expired)]
    return {"incident_id": [incident], "approval_id": approvals}


@pytest.fixture
def app(desk):
    boundless = {"requests_per_minute": 10**6, "requests_per_hour": 10**6}
    desk.workshop.settings = desk.workshop.settings.model_copy(update=boundless)
    return create_app(desk.workshop, run=False)


@pytest.fixture
def admins(desk):
    """What an admin of every tenant shows; from now on nobody is let in without."""
    secret = Keys(desk.open).create("root", "admin").secret
    return {"authorization": f"Bearer {secret}"}


def likely(document, records):
    """The description, in which what is on record comes up often among what is made up."""
    document = copy.deepcopy(document)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if (known := records.get(parameter["name"])) is not None:
                    parameter["schema"] = {"enum": [*known, "INC-2026-9999", "A-999", "é"]}
            if path in BODIES and "requestBody" in operation:
                taken = operation["requestBody"]["content"]["application/json"]
                taken["schema"] = {"anyOf": [{"enum": BODIES[path]}, taken["schema"]]}
    return document


@pytest.fixture
def operations(app, records):
    described = schemathesis.openapi.from_dict(likely(app.openapi(), records))
    described.app = app
    described.config.update(base_url=BASE)
    found = [each.ok() for each in described.get_all_operations()]
    assert len(found) == sum(len(path) for path in app.openapi()["paths"].values())
    return found


def cases_of(operation):
    return st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode))


def tried(operation, examples, look):
    """Calls `look` with what schemathesis makes up for the operation; how many it was."""
    seen = []

    @bounded(examples)
    @given(case=cases_of(operation))
    def run(case):
        seen.append(case)
        look(case)

    run()
    return len(seen)


def answers_well(case, headers):
    """The answer to the proof that is meant, and to none that was made up along with the case."""
    case.headers.pop("Authorization", None)
    case.cookies.clear()
    answer = case.call(base_url=BASE, headers=dict(headers))
    assert answer.status_code < 500, (case.as_curl_command(), answer.text)
    case.validate_response(answer, checks=CONFORMANCE)
    return answer


def asked_with_proof(operations, admins, examples):
    statuses = set()
    for operation in operations:
        assert tried(
            operation, examples, lambda case: statuses.add(answers_well(case, admins).status_code)
        )
    return statuses


def asked_without_proof(operations, examples):
    def look(case):
        for headers in ({}, {"authorization": f"Bearer {MADE_UP}"}):
            answer = answers_well(case, headers)
            if case.operation.path in OPEN_TO_ALL:
                assert answer.status_code == 200
            else:
                assert answer.status_code == 401, (case.as_curl_command(), answer.text)
                assert answer.headers["www-authenticate"] == ["Bearer"]

    for operation in operations:
        assert tried(operation, examples, look)


def ledger_of(desk, records):
    held = [desk.service.approval(approval_id) for approval_id in records["approval_id"]]
    return held, desk.service.incidents(), desk.service.alerts()


@pytest.mark.slow
def test_admin_is_answered_as_the_description_says(operations, admins):
    statuses = asked_with_proof(operations, admins, examples=10)
    assert {200, 404, 409, 422} <= statuses


def test_nobody_gets_anything_but_health_and_nothing_changes(desk, operations, admins, records):
    before = ledger_of(desk, records)
    asked_without_proof(operations, examples=6)
    assert ledger_of(desk, records) == before
    assert desk.workshop.ports.audit.verify() is None


@pytest.mark.slow
def test_long_search_finds_nothing_more(desk, operations, admins, records):
    before = ledger_of(desk, records)
    asked_without_proof(operations, examples=60)
    assert ledger_of(desk, records) == before
    statuses = asked_with_proof(operations, admins, examples=150)
    assert {200, 404, 409, 410, 422} <= statuses
    assert desk.workshop.ports.audit.verify() is None
