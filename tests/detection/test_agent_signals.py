"""Signals of an agent: bursts of errors, whose fault they are, leaks, stalls, rises at night."""

import numpy as np
import pytest

from agentops_graph.detection.clustered import mean_floor, scored, share_of
from agentops_graph.detection.leak import leak_of
from agentops_graph.detection.providers import blame
from agentops_graph.detection.rise import rise_since, suspected
from agentops_graph.detection.sessions import sessions_of
from agentops_graph.detection.text_quality import chosen, settled
from agentops_graph.detection.usual_level import over_usual
from agentops_graph.domain.outputs import Calls

HOUR = 3600.0
DAY = 24 * HOUR


def calls(times, **given):
    count = len(times)
    usual = {
        "ids": [f"r{n}" for n in range(count)],
        "version": ["1"] * count,
        "session": [""] * count,
        "provider": [""] * count,
        "failure": [""] * count,
        "failed": np.zeros(count),
        **{
            name: np.full(count, np.nan)
            for name in ("retries", "latency_ms", "cost", "tokens", "progress", "false_positive")
        },
    }
    return Calls(timestamps=np.asarray(times, dtype=float), **(usual | given))


def test_errors_in_one_burst_prove_less_than_errors_everywhere():
    sizes = np.full(60, 100.0)
    spread, burst = np.full(60, 6.0), np.r_[np.full(4, 90.0), np.zeros(56)]
    assert share_of(spread, sizes)[1] > 0.045
    assert share_of(burst, sizes)[0] == pytest.approx(0.06)
    assert share_of(burst, sizes)[1] < 0.02


@pytest.mark.parametrize("seed", range(5))
def test_the_interval_of_a_clustered_share_holds_its_true_value(seed):
    rng, inside = np.random.default_rng(seed), 0
    for _ in range(200):
        rates = rng.beta(0.5, 9.5, 60)  # 5% in the mean, five times as spread as chance
        inside += share_of(rng.binomial(100, rates) * 1.0, np.full(60, 100.0), 2.5758)[1] <= 0.05
    assert inside / 200 >= 0.98


def test_unknown_numbers_of_requests_count_a_row_as_one_case():
    assert share_of(np.array([0.5, 0.5, 0.5]), np.zeros(3))[1] < 0.1


def test_one_absurd_request_does_not_raise_the_mean_for_sure():
    assert mean_floor(np.r_[np.full(99, 0.01), 50.0], np.ones(100)) < 0.1
    assert mean_floor(np.full(100, 0.3), np.ones(100)) == pytest.approx(0.3)
    assert mean_floor(np.array([9.0]), np.ones(1)) == float("-inf")


def test_scores_that_are_all_one_still_have_an_interval():
    value, low, high = scored(np.ones(60), [], 2.5758)
    assert (value, high) == (1.0, 1.0)
    assert 0.85 < low < 0.95


def test_scores_of_one_session_count_less_than_as_many_sessions():
    scores = np.repeat([0.0, 1.0], [40, 160])
    together = [f"s{n // 10}" for n in range(200)]
    low_together = scored(scores, together, 2.5758)[1]
    apart = np.random.default_rng(0).permutation(scores)
    assert low_together < scored(apart, [f"s{n}" for n in range(200)], 2.5758)[1]


def test_a_sample_is_the_same_for_everyone_and_grows_with_its_cap():
    ids = [f"r{n}" for n in range(5000)]
    few, more = chosen(ids, 1.0, 100), chosen(ids[::-1], 1.0, 300)
    assert set(few) < set(more)
    assert (len(few), len(more)) == (100, 300)
    assert 400 < len(chosen(ids, 0.1, 5000)) < 600
    assert chosen([], 1.0, 10) == []


def test_a_retry_that_helped_is_no_failure():
    tried = calls([0, 1, 2], ids=["a", "a", "b"], failed=np.array([1.0, 0.0, 1.0]))
    assert tried.failed[settled(tried)].tolist() == [0.0, 1.0]


def outage(at, elsewhere, rng):
    where = [("east", "west")[n % 2] for n in range(600)]
    share = np.where(np.array(where) == "east", at, elsewhere)
    failed = (rng.random(600) < share) * 1.0
    return calls(np.arange(600) * 6.0, provider=where, failed=failed)


def test_errors_at_one_provider_are_its_outage():
    found = blame(outage(0.6, 0.01, np.random.default_rng(0)))
    assert "an outage of east" in found.said
    assert found.figures["error_rate_worst_provider"] > 0.5


def test_errors_on_all_providers_alike_are_the_agents_own():
    assert "own fault" in blame(outage(0.3, 0.3, np.random.default_rng(0))).said


@pytest.mark.parametrize(
    ("text", "said"), [("HTTP 503 upstream", "refusals"), ("KeyError: 'user'", "agent's own")]
)
def test_with_one_provider_the_texts_of_the_errors_tell(text, said):
    bad = calls(range(50), failed=np.ones(50), failure=[text] * 50, provider=["east"] * 50)
    assert said in blame(bad).said


def test_a_providers_name_is_shown_as_plain_short_text():
    rng = np.random.default_rng(0)
    bad = outage(0.6, 0.01, rng)
    evil = "\x1b[31m" + "east\n" * 50 + " sk-abcdefghijklmnopqrstuv"
    named = [evil if name == "east" else name for name in bad.provider]
    said = blame(calls(bad.timestamps, provider=named, failed=bad.failed)).said
    assert "\n" not in said
    assert "\x1b" not in said
    assert len(said) < 250


def minutes(days, level):
    times = np.arange(0, days * DAY, 60.0)
    noise = np.random.default_rng(3).normal(0, 8, len(times))
    return times, level(times) + noise + 40 * (np.arange(len(times)) % 15 == 0)


def test_a_leak_says_when_the_limit_is_reached():
    end = 2 * DAY
    times, memory = minutes(2, lambda t: 900 + np.maximum(t - (end - 4 * HOUR), 0) / HOUR * 150)
    found = leak_of(times, memory, 2048, 6)
    assert found.growth == pytest.approx(150, rel=0.15)
    assert found.hours == pytest.approx((2048 - 1500) / 150, rel=0.2)
    assert found.soonest <= found.hours <= found.latest
    assert found.since == pytest.approx(end - 4 * HOUR, abs=0.3 * HOUR)


@pytest.mark.parametrize(
    "level",
    [
        lambda t: np.full(len(t), 1900.0),
        lambda t: 1500 + 450 * np.sin(2 * np.pi * t / DAY),  # back every day to where it was
        lambda t: 1900 - 900 * np.exp(-(t - (2 * DAY - 6 * HOUR)).clip(0) / HOUR),  # cache fills
        lambda t: 800 + (t % (2 * HOUR)) / HOUR * 500,  # freed every two hours
        lambda t: 500 + t / DAY * 20,  # months away
        lambda t: np.full(len(t), np.nan),
    ],
)
def test_memory_that_does_not_run_into_its_limit_is_no_leak(level):
    times, memory = minutes(2, level)
    for back in range(0, 24, 2):
        seen = times < 2 * DAY - back * HOUR
        assert leak_of(times[seen], memory[seen], 2048, 6) is None


def test_few_rows_of_memory_say_nothing():
    assert leak_of(np.arange(5.0), np.arange(5.0), 10, 6) is None
    assert leak_of(np.empty(0), np.empty(0), 10, 6) is None


def test_a_session_that_is_taken_up_again_is_two():
    times = [0, 60, 120, 7200, 7260]
    (late,) = sessions_of(calls(times, session=["s"] * 5), 7000.0)
    assert (late.minutes, late.turns) == (1.0, 2)


def test_turns_without_progress_are_counted_on_end():
    progress = np.array([1, 0, 0, np.nan, 0, 1, 0], dtype=float)
    (seen,) = sessions_of(calls(range(7), session=["s"] * 7, progress=progress), 0.0)
    assert seen.idle == 3


def rhythm(seed, days=15):
    times = np.arange(0, days * DAY, 600.0)
    level = 1 + 0.5 * np.cos((times % DAY / HOUR - 15) * np.pi / 12)
    return times, level * 200 * np.random.default_rng(seed).lognormal(0, 0.08, len(times))


@pytest.mark.parametrize("hour", [0, 3, 9, 15, 21])
def test_a_doubling_is_found_at_any_time_of_day(hour):
    times, values = rhythm(hour)
    start = 14 * DAY + hour * HOUR
    seen = times < start + 2 * HOUR
    values[times >= start] *= 2
    times, values = times[seen], values[seen]
    since = start + HOUR
    day = times >= since - DAY
    assert suspected(times[day], values[day], since)
    assert rise_since(times, values, since).level > 1.5 * rise_since(times, values, since).expected


def test_a_series_that_strays_much_has_to_rise_more():
    rng = np.random.default_rng(2)
    times, values = rhythm(1)
    values *= np.repeat(rng.lognormal(0, 0.4, len(times) // 6 + 1), 6)[: len(times)]
    values[-6:] *= 1.8
    assert over_usual(times, values, times[-1] - HOUR + 1, 1.5) is None


@pytest.mark.parametrize("rows", [0, 1, 100])
def test_a_short_series_has_no_usual_level(rows):
    times = np.arange(rows) * 600.0
    assert over_usual(times, np.ones(rows), 0.0, 1.5) is None


def test_a_constant_series_and_one_of_zeros_have_not_risen():
    times = np.arange(0, 15 * DAY, 600.0)
    for level in (0.0, 5.0):
        assert over_usual(times, np.full(len(times), level), times[-6], 1.5) is None
