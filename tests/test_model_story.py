"""An incident that a language model helps to diagnose, from alert to what people are shown."""

import io

import pytest
from rich.console import Console

from agentops_graph.cli import case_view, screen
from agentops_graph.settings import read_settings
from evals.safety.world import BENIGN, world
from tests.adapters.model_case import served
from tests.adapters.openai_wire import OpenAIServer, calls, fails, says
from tests.desk import MODEL

HONEST = '{"cause": "%s", "confidence": 0.9, "explanation": "%s", "evidence": ["%s"]}'


class Scripted:
    """A model that has one read made and then names a cause."""

    def __init__(self, cause, words="The signals show it."):
        self.cause, self.words = cause, words

    def answer(self, body):
        if body.get("tools"):
            first = len(body["messages"]) == 1
            return calls("series", {"subject": MODEL, "hours": 3}) if first else says("READY")
        schema = body["response_format"]["json_schema"]["schema"]["properties"]
        named = schema["evidence"]["items"]["enum"]
        return says(HONEST % (self.cause, self.words, named[-1]))


def lived(home, answer):
    with served(OpenAIServer(answer)) as server:
        settings = read_settings(
            {},
            home=home,
            reasoner="openai",
            openai_base_url=server.url,
            model_prices={"llama3": "1:2"},
        )
        with world(home / "desk", "change", BENIGN, settings) as desk:
            return desk.lived()


@pytest.fixture
def page(monkeypatch):
    """What is printed, as wide as needed."""
    sheet = io.StringIO()
    monkeypatch.setattr(screen, "out", lambda: Console(file=sheet, width=400, color_system=None))
    return sheet


def test_a_read_of_the_model_is_evidence_of_the_incident(tmp_path, page):
    case = lived(tmp_path, Scripted("upstream_schema_change").answer)
    (asked,) = [piece for piece in case.evidence if "/T" in piece.evidence_id]
    assert asked.evidence_id in case.diagnosis.evidence
    known = {piece.evidence_id for piece in case.evidence}
    assert set(case.diagnosis.evidence) <= known
    assert (case.model_use.calls, case.diagnosis.gathered) == (4, ())
    assert case.model_use.cost == pytest.approx(
        (case.model_use.tokens_in + 2 * case.model_use.tokens_out) / 1e6
    )
    case_view.print_case(case, evidence=True)
    shown = page.getvalue()
    assert "4 calls" in shown
    assert "cost 0.00" in shown
    assert asked.evidence_id in shown
    assert "diagnose.md 2-" in shown
    assert "model disagrees" not in shown


def test_a_model_of_another_mind_is_shown_and_what_is_asked_stays(tmp_path, page):
    agreed = lived(tmp_path / "a", Scripted("upstream_schema_change").answer)
    case = lived(tmp_path / "b", Scripted("bad_release", "Blame \\u001b[2J the release.").answer)
    assert case.diagnosis.cause == agreed.diagnosis.cause
    assert case.diagnosis.confidence < agreed.diagnosis.confidence
    actions = [[a.proposal.action.action for a in c.approvals] for c in (agreed, case)]
    assert actions[0] == actions[1] == ["retrain_model"]
    case_view.print_case(case, evidence=False, why=True)
    shown = page.getvalue()
    assert "openai:llama3 says bad_release" in shown
    why = shown.partition("what openai:llama3 says")[2]
    assert "bad_release (90%)" in why
    assert "put upstream_schema_change first; they give its cause 0." in why
    assert "confidence of both" in why
    assert "\x1b" not in shown


def test_a_model_that_is_down_costs_words_only(tmp_path, page):
    case = lived(tmp_path, lambda _: fails(500, "boom"))
    assert case.diagnosis.cause == "upstream_schema_change"
    assert "answered 500" in case.diagnosis.degraded[-1]
    assert [a.proposal.action.action for a in case.approvals] == ["retrain_model"]
    case_view.print_case(case, evidence=False)
    assert "did not answer" in page.getvalue()
