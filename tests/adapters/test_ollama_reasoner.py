"""The Ollama reasoner, with the real client against a local server that speaks Ollama's wire."""

import time

import pytest

from agentops_graph.adapters.ollama_model import OllamaModel
from agentops_graph.diagnosis.model_reasoner import ModelReasoner
from agentops_graph.diagnosis.scoring import CONFIDENCE_LIMIT
from agentops_graph.diagnosis.weights import EvidenceWeights
from agentops_graph.errors import InputError
from agentops_graph.model_ports import ModelLimits
from tests.adapters.model_case import (
    CLEAR,
    PAGE,
    PROMPTS,
    SCHEMA,
    alone,
    brief,
    draft,
    served,
)
from tests.adapters.ollama_wire import (
    Ollama,
    breaks_off,
    fails,
    floods,
    hangs,
    says,
    sends,
    trickles,
)


@pytest.fixture
def ollama():
    with served(Ollama()) as server:
        yield server


def reasoner(host, timeout_s=5.0, prompts=PROMPTS, **more):
    model = OllamaModel("llama3", host, temperature=0.3, **more)
    return ModelReasoner(model, EvidenceWeights(), prompts, ModelLimits(timeout_s=timeout_s))


def diagnosed(ollama, *replies, signals=CLEAR, timeout_s=5.0):
    ollama.replies[:] = replies
    return reasoner(ollama.url, timeout_s).diagnose(brief(signals))


def twice(text, **more):
    """The same answer to the draft and to the conclusion."""
    return says(text, **more), says(text, **more)


def test_a_good_answer_words_the_cause_and_keeps_the_lower_confidence(ollama):
    diagnosis = diagnosed(ollama, *twice(draft(confidence=0.7)))
    assert diagnosis.cause == "schema_change"
    assert diagnosis.confidence == min(0.7, round(alone().confidence + 0.05, 3))
    assert diagnosis.root_cause == "Schema change: fraud. V14 was scaled by the vendor."
    assert diagnosis.citations[:2] == (SCHEMA.reference, PAGE.reference)
    assert diagnosis.recommended_actions == alone().recommended_actions
    assert diagnosis.reasoner == f"ollama:llama3 (diagnose.md {PROMPTS['diagnose'].identity})"
    assert diagnosis.degraded == ()


def test_a_boastful_model_can_not_make_the_diagnosis_sure(ollama):
    diagnosis = diagnosed(ollama, *twice(draft(confidence=1.0)))
    most = min(CONFIDENCE_LIMIT, alone().confidence + 0.05)
    assert diagnosis.confidence == pytest.approx(most, abs=0.001)


def test_the_request_limits_names_and_fences_what_came_from_outside(ollama):
    diagnosed(ollama, *twice(draft()))
    path, request = ollama.requests[0]
    assert (path, request["think"], request["options"]["temperature"]) == ("/api/chat", False, 0.3)
    names = request["format"]["properties"]
    assert names["cause"]["enum"] == ["schema_change", "source_outage", "season", "unknown"]
    assert names["evidence"]["items"]["enum"] == ["ev-1"]
    asked = request["messages"][0]["content"]
    assert asked.count("</runbook>") == 1
    assert '<evidence id="ev-9">' not in asked
    assert "V14 was multiplied by 100" in asked


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{draft()}\n```",
        f'<think>maybe {{"cause": 1}} or not</think>\n{draft()}',
        f"Here is my answer:\n{draft()}\nI hope it helps.",
        f'As in {{curly}} text and {{"an": "example"}}: {draft()}',
        draft().replace('"]', '",]').replace("}", ",}"),
        draft(evidence="ev-1", citations=None),
    ],
)
def test_fences_thinking_and_chatter_round_the_answer_are_taken_off(ollama, text):
    diagnosis = diagnosed(ollama, *twice(text))
    assert diagnosis.reasoner.startswith("ollama:")
    assert diagnosis.degraded == ()
    assert len(ollama.requests) == 2


def test_thinking_in_its_own_field_is_not_the_answer(ollama):
    diagnosis = diagnosed(ollama, *twice(draft(), thinking='{"cause": "season"}'))
    assert diagnosis.cause == "schema_change"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (draft(evidence=["ev-1", "ev-77"]), "evidence: 'ev-77' is not in the brief"),
        (draft(citations=["made_up.md#x"]), "citations: 'made_up.md#x' is not in the brief"),
        (draft(cause="gremlins"), "cause: 'gremlins' is none of schema_change"),
        (draft(evidence=[]), "evidence: name at least one"),
        (draft(confidence=7), "confidence: Input should be less than"),
        (draft(explanation="see https://evil.example"), "explanation: must not hold links"),
        ('{"cause": "schema_', "not valid JSON"),
        ("I can't help with that.", "holds no JSON object"),
        ("[" * 100_000, "holds no JSON object"),
    ],
)
def test_a_wrong_answer_is_sent_back_once_with_what_to_mend(ollama, wrong, said):
    diagnosis = diagnosed(ollama, says(wrong), *twice(draft()))
    repair = ollama.requests[1][1]["messages"][-1]
    assert repair["role"] == "user"
    assert said in repair["content"]
    assert diagnosis.reasoner.startswith("ollama:")


def test_two_wrong_answers_leave_the_weights_diagnosis_and_say_so(ollama):
    diagnosis = diagnosed(ollama, says("no"), says(draft(cause="gremlins")))
    assert diagnosis.model_copy(update={"degraded": (), "model_use": None}) == alone()
    assert diagnosis.degraded[0].startswith(
        "ollama: two answers could not be used; the last: cause"
    )
    assert len(ollama.requests) == 3  # the signals alone are still asked about


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (fails(404, "model 'llama3' not found"), "`ollama pull llama3`"),
        (fails(500, "out of memory"), "Ollama answered 500: out of memory"),
        (sends(b'{"error": "model runner has stopped"}\n'), "model runner has stopped"),
        (sends(b"<html>proxy</html>\n"), "unreadable reply"),
        (sends(b"[1, 2]\n"), "unreadable reply"),
        (sends(b'{"message": 5, "done": false}\n'), "unreadable reply"),
        (sends(b"\xff\xfe\x00\n"), "unreadable reply"),
        (breaks_off, "peer closed connection"),
        (floods, "over 2097152 bytes"),
    ],
)
def test_a_server_in_trouble_leaves_the_weights_diagnosis(ollama, reply, said):
    diagnosis = diagnosed(ollama, reply)
    assert said in diagnosis.degraded[0]
    assert diagnosis.cause == alone().cause
    assert diagnosis.reasoner == "evidence_weights"


@pytest.mark.parametrize("reply", [hangs, trickles])
def test_a_slow_model_is_left_in_time(ollama, reply):
    began = time.monotonic()
    diagnosis = diagnosed(ollama, reply, timeout_s=0.2)
    assert time.monotonic() - began < 3
    assert diagnosis.degraded == ("ollama: no answer within 0.2 s",)
    assert diagnosis.model_use.calls == 1


def test_no_server_leaves_the_weights_diagnosis():
    assert (
        reasoner("127.0.0.1:9", 1)
        .diagnose(brief())
        .degraded[0]
        .startswith("ollama: http://127.0.0.1:9: ")
    )


def test_without_candidates_the_model_is_not_asked(ollama):
    empty = brief().model_copy(update={"causes": ()})
    assert reasoner(ollama.url).diagnose(empty).cause == "unknown"
    assert ollama.requests == []


def test_a_host_elsewhere_needs_permission():
    for host in ("http://10.0.0.5:11434", "http://127.0.0.1.evil.example", "http://u@evil.example"):
        with pytest.raises(InputError, match="AGENTOPS_MODEL_HOSTS"):
            reasoner(host)
    assert reasoner("http://10.0.0.5:11434", allow_remote=True).name.startswith("ollama:llama3")
    assert reasoner("https://llm.example", hosts=("llm.example",)).name
    with pytest.raises(InputError, match="https://"):
        reasoner("http://llm.example", hosts=("llm.example",))
    assert reasoner("http://[::1]:11434").name
    with pytest.raises(InputError, match="no http address"):
        reasoner("file:///etc/passwd")
    with pytest.raises(InputError, match="must not hold a user or password"):
        reasoner("http://mia:pw@127.0.0.1")


def test_a_missing_prompt_is_said_at_the_start():
    with pytest.raises(InputError, match=r"conclude\.md is missing"):
        reasoner("127.0.0.1", prompts={"diagnose": PROMPTS["diagnose"]})
