"""Rows and batches that were loaded twice are told; those that are only alike are not."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agentops_graph.detection.loaded_twice import loaded_twice, repeated, repeated_rows, twins_of
from agentops_graph.detection.triggers import Window
from agentops_graph.domain.component import Component
from agentops_graph.domain.frames import Predictions, Series

AT = datetime(2026, 3, 2, 14, tzinfo=UTC)
WINDOW = Window(Component(name="feed", kind="pipeline"), AT - timedelta(hours=1), AT)
PAST = 2000


def rows(ids, values, prediction=None):
    count = len(ids)
    nan = np.full(count, np.nan)
    return Predictions(
        ids=list(ids),
        timestamps=AT.timestamp() - 3600 + np.arange(count, dtype=float),
        features={"amount": np.asarray(values, dtype=float)},
        prediction=np.ones(count) if prediction is None else np.asarray(prediction, dtype=float),
        confidence=nan,
        label=nan,
        latency_ms=nan,
        version=["1"] * count,
    )


def batches(records, start=0.0):
    records = np.asarray(records, dtype=float)
    return Series(
        AT.timestamp() - 3600 + start + 300.0 * np.arange(len(records)),
        {
            "record_count": records,
            "schema_violations": np.zeros(len(records)),
            "null_rate": np.full(len(records), 0.01),
        },
    )


def past(rng):
    return batches(rng.poisson(5000, PAST), start=-300.0 * PAST)


def test_a_row_logged_twice_is_a_repeat_and_the_first_of_it_is_not():
    found = repeated_rows(rows(["a", "b", "a", "c", "a"], [1.0, 2.0, 1.0, np.nan, 1.0]))
    assert found.tolist() == [False, False, True, False, True]


def test_missing_values_are_alike():
    assert repeated_rows(rows(["a", "a"], [np.nan, np.nan])).tolist() == [False, True]


def test_rows_numbered_anew_in_every_batch_are_no_repeats():
    assert not repeated_rows(rows(["0", "1", "0", "1"], [1.0, 2.0, 3.0, 4.0])).any()
    assert not repeated_rows(rows(["0", "0"], [1.0, 1.0], prediction=[0.0, 1.0])).any()


def test_a_log_loaded_twice_is_a_finding_that_says_since_when():
    once = [f"p{n}" for n in range(100)]
    share, finding = repeated(WINDOW, rows([*once, *once], np.tile(np.arange(100.0), 2)))
    assert share == pytest.approx(0.5)
    assert finding.alert_type == "data_quality"
    assert finding.summary == "100 of 200 predictions are logged twice, limit 5%"
    assert finding.onset_at == AT - timedelta(hours=1) + timedelta(seconds=100)


def test_a_few_retries_are_no_finding_and_no_rows_are_none():
    ids = [f"p{n}" for n in range(200)]
    assert repeated(WINDOW, rows([*ids, "p0", "p1"], [*np.arange(200.0), 0.0, 1.0]))[1] is None
    assert repeated(WINDOW, rows([], [])) == (0.0, None)


def test_batches_loaded_twice_are_found_and_dated():
    rng = np.random.default_rng(0)
    single = rng.poisson(5000, 6)
    twins = twins_of(batches([*single, *single]), past(rng))
    finding = loaded_twice(WINDOW, twins, volume_ratio=1.9)
    assert finding.summary == "6 batches are loaded twice: 50% of the records"
    assert finding.onset_at == AT - timedelta(hours=1)


def test_a_feed_of_ever_the_same_size_has_no_twins():
    same = batches([5000] * 12)
    usual = batches([5000] * PAST, start=-300.0 * PAST)
    assert loaded_twice(WINDOW, twins_of(same, usual), volume_ratio=1.0) is None


def test_a_young_or_empty_feed_is_not_judged():
    assert twins_of(batches([5000, 5000]), batches([])) is None
    assert twins_of(batches([]), past(np.random.default_rng(0))) is None


def test_healthy_feeds_raise_nothing_in_two_years_of_looks():
    rng = np.random.default_rng(1)
    told = 0
    for size in (60, 600, 6000):
        before = batches(rng.poisson(size, PAST), start=-300.0 * PAST)
        for _ in range(600):
            twins = twins_of(batches(rng.poisson(size, 12)), before)
            told += loaded_twice(WINDOW, twins, volume_ratio=1.0) is not None
    assert told <= 2
