"""Credentials in what is gathered reach no evidence, no diagnosis, no report and no model."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from agentops_graph.adapters.memory.outside import ShelfInMemory
from agentops_graph.adapters.ollama_model import OllamaModel
from agentops_graph.diagnosis.model_reasoner import ModelReasoner
from agentops_graph.diagnosis.weights import EvidenceWeights
from agentops_graph.domain.frames import Change
from agentops_graph.domain.knowledge import Page
from agentops_graph.domain.ledger import Version
from agentops_graph.domain.redaction import redacted_setting
from agentops_graph.gathering.asked_reads import AskedReads
from tests.adapters import ollama_wire
from tests.adapters.model_case import OUTAGE, PROMPTS, SCHEMA, served
from tests.desk import MODEL, NOON, Desk

PARAMETERS = {
    "db_url": "postgres://bob:planted-01-word@db/x",
    "aws_secret_access_key": "planted/02/wJalrXUtnFEMIK7MDENG",
    "api_key": "planted-03-key",
    "db_password_prod": "planted-04 of two words",
    "SECRET_KEY": "planted-05-key",
    "connect_args": "{'password': 'planted-06-word', 'port': 5432}",
    "sas": "https://blob/data?sig=planted-07-signature",
}
TAGS = {"training_data_token": "planted-08-token"}
IN_A_CHANGE = "rotated: password=planted-09-word"
IN_A_RUNBOOK = ("model drift " * 20) + "api_key=planted-10-key0000000000000000000000000000"


def asks_then_answers(request):
    """The wire's reply: reads first, and then nothing that can be used."""
    asked = request["messages"]
    if request.get("tools") and len(asked) == 1:
        return ollama_wire.calls("search_runbooks", {"words": "model drift"})
    return ollama_wire.says("READY")


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path / "d")
    versions = [
        Version(model=MODEL, version="0", created_at=NOON - timedelta(days=60)),
        Version(
            model=MODEL,
            version="1",
            created_at=NOON - timedelta(days=30),
            parameters=PARAMETERS | {"max_tokens": "4096", "depth": "7"},
            tags=TAGS,
        ),
    ]
    desk.models.__init__(versions, {MODEL: "1"})
    at = NOON - timedelta(hours=1)
    desk.warehouse.record_change(
        Change(at=at, kind="config_change", subject=MODEL, summary=IN_A_CHANGE)
    )
    page = Page(
        reference="model_drift.md#s",
        document="model_drift.md",
        kind="runbook",
        title="Model drift",
        text=IN_A_RUNBOOK,
        alert_types=("model_drift",),
    )
    desk.shelf = ShelfInMemory([page], [SCHEMA, OUTAGE])
    return desk


def test_ten_planted_secrets_are_nowhere(desk):
    server = ollama_wire.Ollama(asks_then_answers)
    with served(server):
        reasoner = ModelReasoner(
            OllamaModel("small", server.url),
            EvidenceWeights(),
            PROMPTS,
            reads_for=lambda brief: AskedReads(desk.ports, brief),
        )
        desk.ports = replace(desk.ports, reasoner=reasoner, shelf=desk.shelf)
        desk.runner.ports = desk.ports
        desk.service.__init__(desk.ports)
        incident_id = desk.report(summary="Model drift detected")
        desk.work()
    while desk.case(incident_id).pending:
        desk.reject(incident_id)
    desk.service.close(incident_id, actor="mia", note="the vendor mended the feed")
    case = desk.case(incident_id)
    assert [e for e in case.evidence if e.evidence_id.endswith("/T1")]
    assert server.requests
    sent = json.dumps(server.requests)
    assert "version_diff" in sent
    told = desk.service.postmortem(incident_id) + str(desk.shelf.incidents)
    for where, text in (("case", str(case)), ("sent", sent), ("report", told)):
        assert [n for n in range(1, 11) if f"planted-{n:02}" in text] == [], where
        assert "planted" not in text
    (versions,) = [e for e in case.evidence if e.kind == "version_diff"]
    assert versions.values["parameter.max_tokens"] == "none -> 4096"
    assert versions.values["parameter.depth"] == "none -> 7"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("password", "123456", "[credential removed]"),
        ("api_token", "123456", "123456"),  # of tokens: a count
        ("tokenizer", "bert", "bert"),
        ("url", "postgres://bob:word@db/x", "postgres://[credential removed]@db/x"),
        ("auth", "Bearer abcdefghijk", "Bearer [credential removed]"),
        ("learning_rate", "0.1", "0.1"),
        ("password", "", ""),
    ],
)
def test_a_setting_is_cleared_by_its_name_and_by_its_value(name, value, told):
    assert redacted_setting(name, value) == told
