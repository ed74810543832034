"""A part of the traffic that goes bad is named; a healthy model of many parts stays quiet."""

from dataclasses import replace

import numpy as np
import pytest

from agentops_graph.domain.component import Component
from agentops_graph.domain.metric import Metric
from agentops_graph.gathering.charts import with_charts
from agentops_graph.gathering.measure import measure
from tests.gathering.segment_world import (
    COUNTRIES,
    GOOD,
    HOUR,
    MODEL,
    NOW,
    after,
    looked_at,
    reference_of,
    spoilt,
    stored_in,
    traffic,
    where,
)

ROWS = 6000


@pytest.fixture(scope="module")
def rows():
    return traffic(1, ROWS, NOW - HOUR)


def lost(measured):
    return [f.segment for f in measured.findings if f.alert_type == "accuracy_drop" and f.segment]


@pytest.mark.parametrize("stored", [True, False], ids=["reference", "rows before"])
def test_only_the_country_that_went_bad_is_named(rows, stored):
    measured = looked_at(spoilt(rows, where(rows, "DE"), wrong=0.3), stored=stored)
    (finding,) = measured.findings
    assert finding.segment == "country=DE"
    assert finding.severity == "warning"  # the model as a whole is within what is borne
    assert finding.summary == (
        f"F1 dropped from {finding.baseline:.2f} to {finding.value:.2f} only for country=DE, "
        "8% of traffic"
    )
    figures = finding.figures
    assert figures["loss_low"] < finding.baseline - finding.value < figures["loss_high"]
    assert figures["share_of_traffic"] == pytest.approx(0.08, abs=0.01)
    assert figures["rest_f1"] == pytest.approx(figures["baseline_rest_f1"], abs=0.02)


def test_a_loss_of_the_whole_that_one_country_makes_is_one_alert_of_that_country(rows):
    measured = looked_at(spoilt(rows, where(rows, "US")))
    (claim,) = measured.grouped()
    assert (claim.segment, claim.severity) == ("country=US", "critical")
    assert "it alone takes the whole model to" in claim.summary
    assert claim.metrics["current_f1"] < claim.metrics["current_f1[all]"]


def test_a_model_that_is_down_everywhere_has_no_segment_of_it(rows):
    measured = looked_at(spoilt(rows, np.ones(ROWS, dtype=bool), wrong=0.2))
    assert [f.segment for f in measured.findings] == [None]


def test_two_bad_countries_are_one_alert(rows):
    measured = looked_at(spoilt(rows, where(rows, "DE") | where(rows, "FR")))
    assert set(lost(measured)) == {"country=DE", "country=FR"}
    (claim,) = measured.grouped()
    assert claim.metrics["current_f1[country=DE]"] < 0.8


def test_a_part_of_a_bad_country_is_not_told_beside_it(rows):
    measured = looked_at(spoilt(rows, where(rows, "FR")))
    (finding,) = [f for f in measured.findings if f.segment]
    assert finding.segment == "country=FR"
    assert set(finding.covers) >= {"country=FR & device=phone", "country=FR & device=desktop"}


def test_a_bad_pair_is_told_and_not_the_country_around_it(rows):
    measured = looked_at(spoilt(rows, where(rows, "DE", "phone")))
    assert lost(measured) == ["country=DE & device=phone"]


def test_a_bad_range_of_a_feature_is_found_unasked(rows):
    bad = rows.features["x1"] > 0.7
    (segment,) = lost(looked_at(spoilt(rows, bad)))
    assert segment.startswith("x1>=0.6")


def test_declared_cuts_and_values_are_used_as_they_are_written(rows):
    numbered = replace(rows, features=rows.features | {"shop": np.arange(ROWS) % 7.0})
    healthy = traffic(99, 40_000, GOOD)
    healthy = replace(healthy, features=healthy.features | {"shop": np.arange(40_000) % 7.0})
    component = Component.model_validate(
        {
            "name": "fraud",
            "segments": ["shop", {"by": "x0", "bins": [0.0, 1.5]}],
            "discover_segments": False,
        }
    )
    for bad, named in (
        (numbered.features["shop"] == 3, "shop=3"),
        (numbered.features["x0"] >= 1.5, "x0>=1.5"),
    ):
        measured = looked_at(spoilt(numbered, bad), component=component, healthy=healthy)
        assert lost(measured) == [named]
        judged = {reading.segment for reading in measured.segments}
        assert not any("country" in name for name in judged)


def test_too_few_rows_of_a_segment_say_nothing(rows):
    few = where(rows, "DE") & (np.cumsum(where(rows, "DE")) > 40)
    kept = np.flatnonzero(~few)
    small = replace(
        rows,
        ids=[rows.ids[i] for i in kept],
        timestamps=rows.timestamps[kept],
        features={name: values[kept] for name, values in rows.features.items()},
        prediction=rows.prediction[kept],
        confidence=rows.confidence[kept],
        label=rows.label[kept],
        latency_ms=rows.latency_ms[kept],
        version=["1"] * len(kept),
        segment=[rows.segment[i] for i in kept],
    )
    measured = looked_at(spoilt(small, where(small, "DE"), wrong=0.9))
    assert measured.findings == []
    (reading,) = [r for r in measured.segments if r.segment == "country=DE"]
    assert (reading.rows, reading.value) == (40, None)


def test_a_country_that_was_never_seen_is_held_against_the_whole(rows):
    renamed = replace(rows, segment=[text.replace("FR", "BR") for text in rows.segment])
    assert looked_at(renamed).findings == []
    assert lost(looked_at(spoilt(renamed, where(renamed, "BR")))) == ["country=BR"]


def test_a_country_that_was_always_worse_raises_nothing():
    healthy = traffic(99, 40_000, GOOD)
    healthy = spoilt(healthy, where(healthy, "DE"), seed=1, wrong=0.3)
    rows = traffic(1, ROWS, NOW - HOUR)
    for stored in (True, False):
        measured = looked_at(
            spoilt(rows, where(rows, "DE"), wrong=0.3), healthy=healthy, stored=stored
        )
        assert measured.findings == []


def test_more_traffic_from_a_bad_country_is_no_loss_of_that_country():
    healthy = traffic(99, 40_000, GOOD)
    healthy = spoilt(healthy, where(healthy, "DE"), seed=1, wrong=0.3)
    mix = {"DE": 0.5, "FR": 0.1, "US": 0.3, "UK": 0.1}
    rows = traffic(1, ROWS, NOW - HOUR, countries=mix)
    measured = looked_at(spoilt(rows, where(rows, "DE"), wrong=0.3), healthy=healthy)
    assert lost(measured) == []


def test_drift_of_one_country_is_told_as_that_country_s(rows):
    features = {name: values.copy() for name, values in rows.features.items()}
    here = where(rows, "FR")
    features["x0"][here] += 2
    features["x1"][here] *= 3
    (claim,) = looked_at(replace(rows, features=features)).grouped()
    assert (claim.alert_type, claim.segment) == ("model_drift", "country=FR")
    assert "only for country=FR" in claim.summary
    assert {"psi_x0", "psi_x1"} <= set(claim.metrics)


@pytest.mark.parametrize("fault", ["loss", "drift"])
def test_the_chart_of_a_segment_is_of_its_rows(fault):
    three_hours = after(
        traffic(1, ROWS, NOW - 3 * HOUR),
        after(traffic(2, ROWS, NOW - 2 * HOUR), traffic(3, ROWS, NOW - HOUR)),
    )
    here = where(three_hours, "DE") & (three_hours.timestamps >= (NOW - HOUR).timestamp())
    if fault == "loss":
        rows = spoilt(three_hours, here, wrong=0.3)
    else:
        moved = {
            name: np.where(here, values + 3, values)
            for name, values in three_hours.features.items()
        }
        rows = replace(three_hours, features=moved)
    warehouse = stored_in(rows)
    (claim,) = measure(warehouse, MODEL, NOW).grouped()
    finding = with_charts(warehouse, MODEL, claim).findings[0]
    assert finding.segment == "country=DE"
    values = [value for value in finding.chart.values if value is not None]
    assert len(values) >= 3
    if fault == "loss":
        assert values[0] > finding.chart.threshold > values[-1]
        assert values[-1] == pytest.approx(finding.value, abs=0.1)
    else:
        assert values[0] < finding.chart.threshold < values[-1]


def test_drift_everywhere_is_the_whole_model_s(rows):
    moved = replace(rows, features={n: 3 * v + 2 for n, v in rows.features.items()})
    drifts = [f for f in looked_at(moved).findings if f.alert_type == "model_drift"]
    assert [f.segment for f in drifts] == [None]


@pytest.mark.parametrize("name", ["mae", "rmse"])
def test_numbers_are_judged_by_segment(name):
    component = Component(name="fraud", metric=Metric.model_validate({"name": name}))
    healthy, rows = (numbered(seed, n, at) for seed, n, at in ((99, 20_000, GOOD), (1, ROWS, NOW)))
    rows = replace(rows, timestamps=rows.timestamps - 3600)
    assert looked_at(rows, component=component, healthy=healthy).findings == []
    off = np.where(where(rows, "DE"), 2.0, 1.0)
    worse = replace(rows, prediction=rows.label + off * (rows.prediction - rows.label))
    measured = looked_at(worse, component=component, healthy=healthy)
    (finding,) = [f for f in measured.findings if f.segment]
    assert finding.segment == "country=DE"
    assert finding.summary.startswith(f"{name.upper()} rose from ")


def numbered(seed, count, since):
    rows = traffic(seed, count, since)
    rng = np.random.default_rng(seed + 1)
    label = rng.normal(size=count)
    return replace(rows, label=label, prediction=label + rng.standard_t(5, size=count))


@pytest.mark.parametrize("name", ["f1", "balanced_accuracy"])
def test_several_classes_are_judged_by_segment(name):
    component = Component.model_validate({"name": "fraud", "task": "multiclass", "metric": name})
    healthy, rows = (classed(seed, n, at) for seed, n, at in ((99, 20_000, GOOD), (1, ROWS, NOW)))
    rows = replace(rows, timestamps=rows.timestamps - 3600)
    assert looked_at(rows, component=component, healthy=healthy).findings == []
    flip = where(rows, "FR") & (np.random.default_rng(3).random(ROWS) < 0.4)
    worse = replace(rows, prediction=np.where(flip, (rows.prediction + 1) % 4, rows.prediction))
    assert lost(looked_at(worse, component=component, healthy=healthy)) == ["country=FR"]


def classed(seed, count, since):
    rows = traffic(seed, count, since)
    rng = np.random.default_rng(seed + 1)
    label = rng.integers(0, 4, count) * 1.0
    wrong = rng.random(count) < 0.08
    return replace(rows, label=label, prediction=np.where(wrong, (label + 1) % 4, label))


def test_an_auc_is_judged_by_segment():
    component = Component(name="fraud", metric=Metric.model_validate("auc"))
    healthy, rows = (scored(seed, n, at) for seed, n, at in ((99, 20_000, GOOD), (1, ROWS, NOW)))
    rows = replace(rows, timestamps=rows.timestamps - 3600)
    assert looked_at(rows, component=component, healthy=healthy).findings == []
    noise = np.random.default_rng(3).random(ROWS)
    worse = replace(rows, confidence=np.where(where(rows, "UK"), noise, rows.confidence))
    assert lost(looked_at(worse, component=component, healthy=healthy)) == ["country=UK"]


def scored(seed, count, since):
    rows = traffic(seed, count, since)
    noise = np.random.default_rng(seed + 1).normal(size=count)
    score = 1 / (1 + np.exp(-(4 * rows.label - 2 + noise)))
    return replace(rows, confidence=score)


def test_names_that_no_alert_could_carry_are_no_segments(rows):
    strange = ["x" * 500, "a\x00b", "two\nlines", ""]
    named = replace(rows, segment=[strange[n % 4] for n in range(ROWS)])
    measured = looked_at(spoilt(named, np.arange(ROWS) % 4 == 1))
    assert lost(measured) == []


def test_a_log_without_segments_and_features_is_judged_as_a_whole(rows):
    plain = replace(rows, segment=[""] * ROWS, features={"x0": np.ones(ROWS)})
    healthy = traffic(99, 40_000, GOOD)
    healthy = replace(healthy, segment=[""] * len(healthy), features={"x0": np.ones(len(healthy))})
    measured = looked_at(plain, healthy=healthy)
    assert (measured.findings, measured.segments) == ([], [])
    assert looked_at(spoilt(plain, np.ones(ROWS, dtype=bool)), healthy=healthy).findings


def test_fifty_healthy_segments_stay_quiet_over_many_looks():
    countries = {f"C{n}": share for n, share in enumerate(np.full(50, 0.02))}
    healthy = traffic(99, 40_000, GOOD, countries=countries, features=6)
    profile = reference_of(healthy)
    for seed in range(30):
        rows = traffic(seed, ROWS, NOW - HOUR, countries=countries, features=6)
        measured = looked_at(rows, healthy=healthy, profile=profile)
        assert measured.findings == [], seed
        assert sum(reading.baseline is not None for reading in measured.segments) > 70


def test_a_component_says_what_its_segments_are_or_is_refused():
    component = Component.model_validate({"name": "m", "segments": ["country", {"by": "age"}]})
    assert [rule.by for rule in component.segments] == ["country", "age"]
    for wrong in ({"by": "age", "bins": [3, 2]}, {"by": "age", "bins": []}, {"bins": [1]}):
        with pytest.raises(ValueError):
            Component.model_validate({"name": "m", "segments": [wrong]})
    assert MODEL.segments == ()
    assert len(COUNTRIES) == 4
