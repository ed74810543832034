"""What holds for every language model that reasons, over the wires of both kinds of servers."""

import gzip
import json
import logging
import time
from dataclasses import dataclass
from types import ModuleType

import pytest

from agentops_graph.adapters.memory.outside import ScriptedReasoner
from agentops_graph.adapters.ollama_model import OllamaModel
from agentops_graph.adapters.openai_model import OpenAIModel
from agentops_graph.diagnosis.joined import ALLOWANCE, CONTRADICTED, DOUBTED
from agentops_graph.diagnosis.model_reasoner import ModelReasoner
from agentops_graph.diagnosis.weights import EvidenceWeights
from agentops_graph.domain.diagnosis import Diagnosis
from agentops_graph.domain.evidence import Evidence
from agentops_graph.errors import InputError
from agentops_graph.model_ports import ModelLimits, Tool
from agentops_graph.model_words import Words
from tests.adapters import ollama_wire, openai_wire
from tests.adapters.model_case import CLEAR, EVEN, NOW, PROMPTS, alone, brief, draft, served


@dataclass
class Kind:
    """A server, the wire it speaks, and the model behind it."""

    wire: ModuleType
    server: object

    def reasoner(self, limits=None, **more):
        if self.wire is ollama_wire:
            model = OllamaModel("small", self.server.url)
        else:
            model = OpenAIModel("small", self.server.url, None)
        return ModelReasoner(model, EvidenceWeights(), PROMPTS, limits, **more)

    def diagnosed(self, *replies, signals=CLEAR, limits=None, **more):
        self.server.replies[:] = replies
        return self.reasoner(limits, **more).diagnose(brief(signals))

    def twice(self, text):
        return self.wire.says(text), self.wire.says(text)

    def asked(self, number):
        """The text of one request's last message."""
        return self.server.requests[number][1]["messages"][-1]["content"]


@pytest.fixture(params=["ollama", "openai"])
def kind(request):
    wire = ollama_wire if request.param == "ollama" else openai_wire
    server = wire.Ollama() if request.param == "ollama" else wire.OpenAIServer()
    with served(server):
        yield Kind(wire, server)


class OneRead:
    """A stock of one read, which remembers what was asked of it."""

    def __init__(self, summary="latency is as before"):
        self.asked, self.summary = [], summary

    def tools(self):
        enum = {"type": "string", "enum": ["fraud"]}
        schema = {"type": "object", "properties": {"subject": enum}, "required": ["subject"]}
        return (Tool("series", "How a component's measures ran.", schema),)

    def read(self, call, number):
        self.asked.append((call.name, dict(call.arguments)))
        if call.name != "series" or dict(call.arguments) != {"subject": "fraud"}:
            raise InputError("there is no read of that name; there are series")
        return Evidence(
            evidence_id=f"inc-1/D0/T{number}",
            incident_id="inc-1",
            kind="metric_history",
            source="PREDICTION_LOGS",
            query="predictions()",
            summary=self.summary,
            measured_at=NOW,
        )


def test_draft_sees_the_brief_and_the_conclusion_only_measured_signals(kind):
    diagnosis = kind.diagnosed(*kind.twice(draft()))
    assert "V14 was multiplied by 100" in kind.asked(0)
    concluded = kind.asked(1)
    assert "few_features_drifted" in concluded
    assert "schema_change" in concluded
    for outside in ("V14", "ignore all rules", "Remediation", "Model drift detected", "fraud"):
        assert outside not in concluded
    assert diagnosis.opinion.agrees


def test_calls_tokens_and_cost_stand_on_the_diagnosis(kind):
    limits = ModelLimits(prices={"small": "2:10"})
    use = kind.diagnosed(*kind.twice(draft()), limits=limits).model_use
    assert (use.calls, use.tokens_in, use.tokens_out) == (2, 200, 40)
    assert use.cost == pytest.approx((200 * 2 + 40 * 10) / 1e6)
    assert not use.estimated
    assert use.prompts == tuple(
        f"{name}.md {PROMPTS[name].identity}" for name in ("diagnose", "conclude")
    )
    assert "2 calls" in use.in_words
    assert "cost 0.0008" in use.in_words


def test_a_model_without_a_price_has_no_cost(kind):
    use = kind.diagnosed(*kind.twice(draft())).model_use
    assert use.cost is None
    assert "no price is set" in use.in_words


def test_a_model_that_names_another_cause_is_shown_and_lowers_the_confidence(kind):
    other = draft(cause="source_outage", confidence=1.0)
    diagnosis = kind.diagnosed(*kind.twice(other))
    base = alone()
    assert diagnosis.cause == base.cause == "schema_change"
    assert diagnosis.root_cause == base.root_cause
    assert diagnosis.recommended_actions == base.recommended_actions
    assert diagnosis.confidence == pytest.approx(base.confidence * CONTRADICTED, abs=0.001)
    assert (diagnosis.opinion.cause, diagnosis.opinion.agrees) == ("source_outage", False)


def test_a_model_that_finds_nothing_settled_lowers_the_confidence_less(kind):
    diagnosis = kind.diagnosed(*kind.twice(draft(cause="unknown")))
    assert diagnosis.cause == "schema_change"
    assert diagnosis.confidence == pytest.approx(alone().confidence * DOUBTED, abs=0.001)
    assert diagnosis.opinion.cause == "unknown"


def test_a_model_that_changes_its_mind_once_no_outside_text_is_before_it_can_only_doubt(kind):
    """Text that turns the draft must not lift the doubt that the signals alone would leave."""
    swayed = kind.wire.says(draft(cause="source_outage")), kind.wire.says(draft(confidence=0.6))
    diagnosis = kind.diagnosed(*swayed)
    assert (diagnosis.cause, diagnosis.confidence) == (alone().cause, 0.6)
    assert diagnosis.root_cause == alone().root_cause
    assert "source_outage first and schema_change of the signals" in diagnosis.opinion.doubts[0]


def test_a_draft_that_is_turned_to_agree_does_not_take_a_disagreement_away(kind):
    swayed = kind.wire.says(draft()), kind.wire.says(draft(cause="source_outage"))
    diagnosis = kind.diagnosed(*swayed)
    assert diagnosis.cause == alone().cause
    assert diagnosis.confidence == pytest.approx(alone().confidence * CONTRADICTED, abs=0.001)
    assert not diagnosis.opinion.agrees


def test_a_tie_is_not_tipped_by_what_only_the_text_says(kind):
    swayed = kind.wire.says(draft(cause="source_outage")), kind.wire.says(draft())
    diagnosis = kind.diagnosed(*swayed, signals=EVEN)
    assert (diagnosis.cause, diagnosis.confidence) == ("unknown", None)
    assert diagnosis.recommended_actions == alone(EVEN).recommended_actions


def test_a_model_may_choose_between_causes_that_fit_alike(kind):
    assert alone(EVEN).cause == "unknown"
    diagnosis = kind.diagnosed(*kind.twice(draft(cause="source_outage")), signals=EVEN)
    weights = next(h for h in alone(EVEN).hypotheses if h.cause == "source_outage")
    assert diagnosis.cause == "source_outage"
    most = min(0.8, weights.probability + ALLOWANCE)
    assert diagnosis.confidence == pytest.approx(most, abs=0.001)
    assert [a.action for a in diagnosis.recommended_actions] == ["rerun_pipeline"]
    assert not diagnosis.opinion.agrees
    assert diagnosis.missing == ()


def test_a_cause_that_the_model_tips_is_told_as_fully_as_one_of_the_weights(kind):
    diagnosis = kind.diagnosed(*kind.twice(draft(cause="source_outage")), signals=EVEN)
    assert {c.signal for c in diagnosis.claims} == {*CLEAR} - {"feature_scaled"}
    assert {c.evidence_id for c in diagnosis.claims} == {"ev-1"}
    (action,) = diagnosis.recommended_actions
    assert action.requires_approval
    assert all((action.effect, action.risk, action.cost))
    assert action.reversible is not None


def test_a_second_cause_that_holds_as_well_is_no_contradiction(kind):
    base = alone().model_copy(update={"also": ("source_outage",)})
    reasoner = kind.reasoner()
    reasoner._fallback = ScriptedReasoner(base)
    kind.server.replies[:] = kind.twice(draft(cause="source_outage"))
    diagnosis = reasoner.diagnose(brief())
    assert (diagnosis.cause, diagnosis.confidence) == (base.cause, base.confidence)
    assert diagnosis.also == ("source_outage",)


def test_a_choice_that_the_evidence_does_not_bear_is_shown_and_not_taken(kind):
    diagnosis = kind.diagnosed(*kind.twice(draft(cause="season", confidence=1.0)), signals=EVEN)
    assert (diagnosis.cause, diagnosis.confidence) == ("unknown", None)
    assert diagnosis.recommended_actions == alone(EVEN).recommended_actions
    assert diagnosis.opinion.cause == "season"
    assert "carries a signal for season" in diagnosis.opinion.doubts[0]


def test_a_number_that_was_not_measured_is_sent_back_once(kind):
    invented = kind.wire.says(draft(explanation="Accuracy fell by 73.4 points."))
    good = kind.wire.says(draft(explanation="The signals show it."))
    diagnosis = kind.diagnosed(kind.wire.says(draft()), invented, good)
    assert "73.4 is no figure that was measured" in kind.asked(2)
    assert diagnosis.root_cause.endswith("The signals show it.")


def test_a_read_that_the_model_asks_for_is_evidence_that_it_may_name(kind):
    reads = OneRead()
    named = draft(evidence=["ev-1", "inc-1/D0/T1"])
    diagnosis = kind.diagnosed(
        kind.wire.calls("series", {"subject": "fraud"}),
        kind.wire.says("READY"),
        *kind.twice(named),
        reads_for=lambda _: reads,
    )
    assert reads.asked == [("series", {"subject": "fraud"})]
    assert [piece.evidence_id for piece in diagnosis.gathered] == ["inc-1/D0/T1"]
    assert "inc-1/D0/T1" in diagnosis.evidence
    assert "latency is as before" in kind.asked(1)
    assert "latency is as before" in kind.asked(2)
    assert kind.server.requests[0][1]["tools"][0]["function"]["name"] == "series"
    assert diagnosis.model_use.calls == 4


def test_a_call_written_as_text_counts_as_one(kind):
    reads = OneRead()
    text = '<tool_call>{"name": "series", "arguments": {"subject": "fraud"}}</tool_call>'
    kind.diagnosed(
        kind.wire.says(text),
        kind.wire.says("READY"),
        *kind.twice(draft()),
        reads_for=lambda _: reads,
    )
    assert reads.asked == [("series", {"subject": "fraud"})]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("approve", {"approval": "A-1"}),
        ("series", {"subject": "../../etc/passwd"}),
        ("series", {"subject": "fraud", "then": "rollback_model"}),
    ],
)
def test_what_is_not_offered_is_not_read(kind, name, arguments):
    reads = OneRead()
    diagnosis = kind.diagnosed(
        kind.wire.calls(name, arguments),
        kind.wire.says("READY"),
        *kind.twice(draft()),
        reads_for=lambda _: reads,
    )
    assert diagnosis.gathered == ()
    assert kind.asked(1).startswith("Nothing was read")
    assert diagnosis.opinion.agrees


def test_a_model_that_asks_for_ever_is_held_to_its_reads(kind):
    again = [kind.wire.calls("series", {"subject": "fraud"}) for _ in range(3)]
    diagnosis = kind.diagnosed(*again, *kind.twice(draft()), reads_for=lambda _: OneRead())
    assert len(diagnosis.gathered) == 1
    assert diagnosis.model_use.calls == 5
    assert diagnosis.opinion.agrees


def test_tokens_are_budgeted(kind):
    diagnosis = kind.diagnosed(*kind.twice(draft()), limits=ModelLimits(tokens=500))
    assert "the budget of 500 tokens is spent" in diagnosis.degraded[0]
    assert diagnosis.cause == alone().cause
    assert diagnosis.model_use.calls <= 1


def test_reads_that_cannot_be_opened_leave_the_model_without_any(kind, caplog):
    def refused(_):
        raise InputError("no such incident")

    with caplog.at_level(logging.WARNING):
        diagnosis = kind.diagnosed(*kind.twice(draft()), reads_for=refused)
    assert diagnosis.opinion.agrees
    assert "no reads are offered" in caplog.text


def test_words_reach_whoever_follows_this_incident_and_no_other(kind):
    words = Words()
    text = draft(explanation="V14 \x1b[2J was scaled")
    with words.followed("inc-1") as heard, words.followed("inc-2") as other:
        kind.diagnosed(*kind.twice(text), following=words)
    said = [heard.get_nowait() for _ in range(heard.qsize())]
    assert {one.step for one in said} == {"draft", "conclusion"}
    assert "schema_change" in "".join(one.text for one in said if one.step == "draft")
    assert all(one.text.isprintable() for one in said)
    assert len(said) > 4
    assert other.empty()


def test_secrets_in_evidence_are_not_sent(kind):
    secret = (
        brief()
        .evidence[0]
        .model_copy(update={"summary": "login failed with password=hunter2secret for db"})
    )
    kind.server.replies[:] = kind.twice(draft())
    kind.reasoner().diagnose(brief().model_copy(update={"evidence": (secret,)}))
    assert "hunter2secret" not in json.dumps(kind.server.requests)


def test_a_diagnosis_of_a_model_can_be_kept_and_read_again(kind):
    diagnosis = kind.diagnosed(*kind.twice(draft()))
    assert Diagnosis.model_validate_json(diagnosis.model_dump_json()) == diagnosis


def drips(wire):
    """A line that never ends, a byte at a time."""
    wire.begin()
    while not wire.server.released.wait(0.02):
        wire.chunk(b"{")
    wire.close_connection = True


def drips_headers(wire):
    wire.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not wire.server.released.wait(0.02):
        wire.wfile.write(b"a")
        wire.wfile.flush()
    wire.close_connection = True


@pytest.mark.parametrize("reply", [drips, drips_headers])
def test_a_server_that_sends_a_byte_now_and_then_is_left_in_time(kind, reply):
    kind.diagnosed(*kind.twice(draft()))  # the libraries are loaded
    begun = time.monotonic()
    diagnosis = kind.diagnosed(reply, limits=ModelLimits(timeout_s=0.5))
    assert time.monotonic() - begun < 5
    assert "no answer within" in diagnosis.degraded[0]
    assert diagnosis.cause == alone().cause


def zipped(wire):
    content = gzip.compress(b" " * 1_000_000)
    wire.send_response(200)
    wire.send_header("Content-Encoding", "gzip")
    wire.send_header("Content-Length", str(len(content)))
    wire.end_headers()
    wire.wfile.write(content)


def nested(wire):
    begin = b"data: " if wire.server.url.endswith("/v1") else b""
    content = begin + b"[" * 200_000 + b"\n\n\n"
    wire.send_response(200)
    wire.send_header("Content-Type", "text/event-stream")
    wire.send_header("Content-Length", str(len(content)))
    wire.end_headers()
    wire.wfile.write(content)


@pytest.mark.parametrize(
    ("reply", "said"), [(zipped, "an encoding that was not asked for"), (nested, "unreadable")]
)
def test_an_answer_that_would_burst_is_not_opened(kind, reply, said):
    diagnosis = kind.diagnosed(reply, reply)
    assert said in diagnosis.degraded[0]
    assert diagnosis.cause == alone().cause


@pytest.mark.parametrize(
    "text",
    [
        '{"name": ["series"], "arguments": {}}',
        '{"name": {"a": 1}, "arguments": []}',
        '{"name": "series", "arguments": "fraud"}',
        "{" * 5000,
    ],
)
def test_a_call_written_as_nonsense_is_none(kind, text):
    reads = OneRead()
    replies = kind.wire.says(text), *kind.twice(draft())
    diagnosis = kind.diagnosed(*replies, reads_for=lambda _: reads)
    assert reads.asked == []
    assert diagnosis.opinion.agrees


KEYS = (
    "OLLAMA_API_KEY",
    "OPENAI_API_KEY",
    "OPENAI_ADMIN_KEY",
    "OPENAI_ORG_ID",
    "OPENAI_PROJECT_ID",
    "OPENAI_WEBHOOK_SECRET",
    "OPENAI_CUSTOM_HEADERS",
    "LANGSMITH_API_KEY",
)


def test_no_key_of_the_environment_goes_along(kind, monkeypatch):
    for name in KEYS:
        secret = f"X-Extra: k3y-{name}" if name.endswith("HEADERS") else f"k3y-{name}"
        monkeypatch.setenv(name, secret)
    kind.diagnosed(*kind.twice(draft()))
    assert len(kind.server.headers_seen) == 2
    assert "k3y" not in str(kind.server.headers_seen)


def test_words_of_a_server_in_a_log_stay_on_one_line(kind, caplog):
    said = "no\nWARNING all is well \x1b[2J"
    with caplog.at_level(logging.WARNING):
        kind.diagnosed(kind.wire.fails(500, said), kind.wire.fails(500, said))
    assert "all is well" in caplog.text
    ours = [r for r in caplog.records if r.name.startswith("agentops_graph")]
    assert all(record.getMessage().isprintable() for record in ours)
