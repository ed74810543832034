"""What a language model adds is measured: beside the weights, alone, and when it is not heard."""

import json
import re

import pytest

from agentops_graph.diagnosis.briefing import brief_text
from agentops_graph.diagnosis.weights import EvidenceWeights
from evals.diagnosis.__main__ import main
from evals.diagnosis.arms import (
    Repeated,
    arm_failures,
    arm_reports,
    arms_document,
    printed_arms,
)
from evals.diagnosis.asked import ARMS, asked
from evals.diagnosis.running import of_trunk
from evals.diagnosis.scenarios import SCENARIOS
from evals.diagnosis.world import Lived, Told
from evals.grounding.checks import unfounded
from evals.model_choice import Choice
from tests.adapters import model_case, ollama_wire, openai_wire
from tests.adapters.model_case import served

WEIGHTS, BESIDE, ALONE = ARMS
BLOAT = model_case.cause("token_bloat", "rollback_model", cost_risen=1.5, tokens_high=1.5)
PRICE = model_case.cause("price_change", "send_slack_alert", cost_risen=1.5, drift_abrupt=1.5)
GROWN = {"cost_risen": 1, "tokens_high": 1, "drift_abrupt": -1}
NOTHING = {"cost_risen": 1}


class Reads:
    """A model that answers from the evidence it is shown, and from nothing else."""

    def __init__(self, wire, *, sure=0.9):
        self.wire, self.sure, self.asked = wire, sure, 0

    def cause(self, text):
        return "token_bloat" if re.search(r"tokens_high=\+|seen: [^;]*tokens_high", text) else None

    def answer(self, body):
        if body.get("tools"):
            return self.wire.says("READY")
        self.asked += 1
        text = body["messages"][-1]["content"]
        schema = body.get("format") or body["response_format"]["json_schema"]["schema"]
        named = schema["properties"]["evidence"]["items"]["enum"]
        told = {
            "cause": self.cause(text) or "unknown",
            "confidence": self.sure,
            "explanation": "The signals show it.",
            "evidence": named,
        }
        cites = {"citations": []} if "citations" in schema["properties"] else {}
        return self.wire.says(json.dumps(told | cites))


class Wrong(Reads):
    """A model that always blames the price, and is sure of it."""

    def cause(self, text):
        return "price_change"


@pytest.fixture
def ollama(monkeypatch, tmp_path):
    with served(ollama_wire.Ollama()) as server:
        monkeypatch.setenv("AGENTOPS_HOME", str(tmp_path))
        monkeypatch.setenv("AGENTOPS_OLLAMA_HOST", server.url)
        monkeypatch.setenv("AGENTOPS_MODEL_PRICES", "llama3=1:2")
        yield server


def brief(signals):
    return model_case.brief(signals).model_copy(update={"causes": (PRICE, BLOAT)})


def lived(choice, *signals, scenario="token bloat"):
    cases = []
    for seed, one in enumerate(signals):
        case = brief(one)
        told = Told(case, EvidenceWeights().diagnose(case))
        cases.append(Lived(scenario, seed, told=[told], asked=asked(choice, case)))
    return cases


def figures(cases):
    return {one.arm: arms_document([one])[one.arm] for one in arm_reports(cases)}


def test_a_model_that_reads_the_evidence_is_right_in_both_arms(ollama):
    ollama.answer = Reads(ollama_wire).answer
    cases = lived(Choice("ollama", repeats=3), GROWN, GROWN)
    told = figures(cases)
    for arm in ARMS:
        assert told[arm]["top-1 cause"] == 1.0
    assert told[BESIDE]["intervals"]["top-1 cause"] == (1.0, 1.0)
    assert told[WEIGHTS]["intervals"]["top-1 cause"] is None  # always the same: no repeats
    assert (told[BESIDE]["answers"], told[BESIDE]["calls"]) == (6, 2.0)
    assert (told[ALONE]["calls"], told[ALONE]["tokens_in"]) == (1.0, 100.0)
    assert told[BESIDE]["cost"] == pytest.approx(2 * (100 + 2 * 20) / 1e6)
    assert 0 < told[ALONE]["p50_seconds"] <= told[ALONE]["p95_seconds"]
    assert "top-3 causes" not in told[ALONE]  # it names one
    assert arm_failures(arm_reports(cases)) == []


def test_a_model_that_is_always_wrong_does_no_harm_beside_the_weights(ollama):
    ollama.answer = Wrong(ollama_wire, sure=0.99).answer
    cases = lived(Choice("ollama", repeats=3), GROWN)
    told = figures(cases)
    assert (told[ALONE]["top-1 cause"], told[ALONE]["surely wrong"]) == (0.0, 1.0)
    assert told[ALONE]["calibration error"] == pytest.approx(0.99)
    assert (told[BESIDE]["top-1 cause"], told[BESIDE]["surely wrong"]) == (1.0, 0.0)
    assert arm_failures(arm_reports(cases)) == []


def test_a_product_that_the_model_made_less_safe_fails(ollama):
    ollama.answer = Reads(ollama_wire).answer
    cases = lived(Choice("ollama", repeats=1), GROWN)
    (said,) = [s for s in cases[0].asked if s.arm == BESIDE]
    lie = said.diagnosis.model_copy(update={"cause": "price_change", "confidence": 0.9})
    place = cases[0].asked.index(said)
    cases[0].asked[place] = type(said)(BESIDE, 0, lie, 0.1, said.use)
    failed = arm_failures(arm_reports(cases))
    assert [line.partition(" 1.000")[0] for line in failed[:1]] == [f"{BESIDE}: surely wrong"]
    assert any(line.startswith(f"{BESIDE}: top-1 cause 0.000") for line in failed)


def test_a_model_that_is_down_is_not_wrong_and_its_arms_fail(ollama):
    ollama.answer = lambda _: ollama_wire.fails(500, "out of memory")
    cases = lived(Choice("ollama", repeats=2), GROWN)
    reports = arm_reports(cases)
    told = {one.arm: arms_document([one])[one.arm] for one in reports}
    assert told[WEIGHTS]["top-1 cause"] == 1.0
    for arm in (BESIDE, ALONE):
        assert (told[arm]["answers"], told[arm]["could_not_run"]) == (2, 2)
        assert "surely wrong" not in told[arm]
    failed = arm_failures(reports)
    assert failed[0].startswith(f"{BESIDE}: only 0 of 2 answers came: Ollama answered 500")
    assert failed[1].startswith(f"{ALONE}: only 0 of 2 answers came")
    assert "no diagnosis of the model could be checked" in unfounded(cases)[1]
    assert any("-" in line for line in printed_arms(reports))


def test_an_answer_that_can_not_be_used_was_heard_and_is_not_right(ollama):
    ollama.answer = lambda _: ollama_wire.says("I'd rather talk about cats.")
    told = figures(lived(Choice("ollama", repeats=1), GROWN))
    assert (told[ALONE]["could_not_run"], told[ALONE]["unusable"]) == (0, 1)
    assert (told[ALONE]["top-1 cause"], told[ALONE]["abstaining"]) == (0.0, 1.0)
    assert told[BESIDE]["top-1 cause"] == 1.0  # the weights' diagnosis stood


def test_the_model_alone_is_told_nothing_of_the_weights():
    case = brief(GROWN)
    base = EvidenceWeights().diagnose(case)
    text = brief_text(case, base, weighed=False)
    assert "evidence weights give" in brief_text(case, base)
    assert "evidence weights give" not in text
    assert "for: cost_risen" not in text
    assert text.index('id="price_change"') < text.index('id="token_bloat"')


def test_an_interval_is_that_of_student():
    low, high = Repeated((0.8, 0.9, 0.85)).interval
    assert (low, high) == pytest.approx((0.7258, 0.9742), abs=1e-4)
    assert Repeated((0.9,)).interval is None
    assert Repeated(()).mean is None


def test_a_model_that_is_not_set_up_ends_with_its_reason(capsys, monkeypatch):
    monkeypatch.delenv("AGENTOPS_OPENAI_BASE_URL", raising=False)
    with pytest.raises(SystemExit) as ended:
        main(["--reasoner", "openai", "--quick"])
    assert ended.value.code == 2
    assert "AGENTOPS_OPENAI_BASE_URL" in capsys.readouterr().err


@pytest.mark.slow
def test_a_case_is_lived_through_and_put_to_the_model_with_its_reads(monkeypatch, tmp_path):
    with served(openai_wire.OpenAIServer(Reads(openai_wire).answer)) as server:
        monkeypatch.setenv("AGENTOPS_HOME", str(tmp_path))
        monkeypatch.setenv("AGENTOPS_OPENAI_BASE_URL", server.url)
        cases = of_trunk(["token bloat"], 2, Choice("openai", repeats=1))
        assert [case.trouble for case in cases] == [None]
        offered = [r["tools"] for _, r in server.requests if "tools" in r]
    assert {tool["function"]["name"] for tool in offered[0]} >= {"series", "changes"}
    assert SCENARIOS["token bloat"].causes == {"token_bloat"}
    told = figures(cases)
    assert [told[arm]["top-1 cause"] for arm in ARMS] == [1.0, 1.0, 1.0]
    assert unfounded(cases)[1] == []


@pytest.mark.slow
def test_the_command_prints_the_arms(monkeypatch, tmp_path, capsys):
    with served(ollama_wire.Ollama(Reads(ollama_wire).answer)) as server:
        monkeypatch.setenv("AGENTOPS_HOME", str(tmp_path))
        monkeypatch.setenv("AGENTOPS_OLLAMA_HOST", server.url)
        monkeypatch.setenv("AGENTOPS_REASONER", "ollama")
        code = main(["--only", "token bloat", "--seeds", "1", "--repeats", "2", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (code, told["failed"]) == (0, [])
    assert set(told["arms"]) == set(ARMS)
    assert told["arms"][BESIDE]["answers"] == 2
