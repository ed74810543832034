"""The component where a fault began is ranked first, whatever the frame looks like."""

import math
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

import agentops_graph
from agentops_graph import rank_root_causes
from agentops_graph.detection.root_causes.names import pair_of
from agentops_graph.errors import InputError

ROWS = 400
BEGIN = 1_700_000_000.0
ONSET = BEGIN + 200
SERVICES = ("front", "cart", "pay", "db")
METRICS = ("cpu", "latency", "error")


@pytest.fixture
def frame():
    """Four healthy services, one row a second."""
    dice = np.random.default_rng(3)
    made = {"time": BEGIN + np.arange(ROWS)}
    for service in SERVICES:
        made[f"{service}_cpu"] = dice.normal(0.5, 0.05, ROWS)
        made[f"{service}_latency"] = np.exp(dice.normal(3, 0.1, ROWS))
        made[f"{service}_error"] = np.zeros(ROWS)
    return made


def raised(frame, column, by, since=ONSET, until=math.inf):
    inside = (frame["time"] >= since) & (frame["time"] < until)
    frame[column] = frame[column] + np.where(inside, by, 0.0)


def test_the_moved_metric_comes_first_with_its_time_direction_and_reason(frame):
    raised(frame, "pay_cpu", 1.0)
    ranking = rank_root_causes(frame, ONSET)
    first = ranking.metrics[0]
    assert (first.component, first.metric, first.column) == ("pay", "cpu", "pay_cpu")
    assert first.direction == "up"
    assert first.began_at == ONSET
    assert first.before == pytest.approx(0.5, abs=0.02)
    assert first.after == pytest.approx(1.5, abs=0.2)
    assert "cpu rose from 0.5" in first.reason
    assert ranking.names[0] == "pay"
    assert sorted(ranking.names) == sorted(SERVICES)
    assert len(ranking.columns) == len(SERVICES) * len(METRICS)
    assert ranking.components[-1].score < ranking.components[0].score / 2


def test_without_an_onset_it_is_found(frame):
    raised(frame, "pay_cpu", 1.0)
    raised(frame, "front_latency", 40.0, ONSET + 4)
    ranking = rank_root_causes(frame)
    assert ranking.onset_from == "found"
    assert ranking.onset == pytest.approx(ONSET, abs=5)
    assert ranking.names[0] == "pay"


@pytest.mark.parametrize("late_s", [-60, 60, 120])
def test_an_onset_declared_late_or_early_changes_nothing(frame, late_s):
    raised(frame, "pay_cpu", 1.0)
    raised(frame, "front_latency", 15.0, ONSET + 8)
    ranking = rank_root_causes(frame, ONSET + late_s)
    assert ranking.names[:2] == ["pay", "front"]
    assert ranking.metrics[0].began_at == pytest.approx(ONSET, abs=5)


def test_noise_alone_begins_nowhere(frame):
    ranking = rank_root_causes(frame, ONSET)
    assert [one for one in ranking.metrics if one.began_at is not None] == []
    found = rank_root_causes(frame)
    assert found.onset is None
    assert found.onset_from == "none"


def test_of_equal_moves_the_earlier_one_leads(frame):
    for service, lag in (("front", 60), ("cart", 20), ("pay", 0)):
        raised(frame, f"{service}_cpu", 1.0, ONSET + lag)
    assert rank_root_causes(frame, ONSET).names[:3] == ["pay", "cart", "front"]


def test_a_spike_that_does_not_last_is_no_cause(frame):
    raised(frame, "cart_cpu", 50.0, ONSET + 30, ONSET + 32)
    raised(frame, "pay_cpu", 0.6)
    assert rank_root_causes(frame, ONSET).names[0] == "pay"


def test_a_call_explains_the_caller_only_as_far_as_it_slowed_down_itself(frame):
    raised(frame, "front_latency", 90.0)
    raised(frame, "pay_latency", 80.0)
    alone = rank_root_causes(frame, ONSET)
    calls = [("front", "cart"), ("front", "pay"), ("pay", "db")]
    known = rank_root_causes(frame, ONSET, calls=calls)
    assert alone.names[0] == "front"
    assert known.names[0] == "pay"
    front = next(one for one in known.metrics if one.column == "front_latency")
    assert front.explained_by == "pay"
    assert "pay moved as well" in front.reason
    # The same graph told as flows, from cause to effect.
    flows = [(callee, caller) for caller, callee in calls]
    assert rank_root_causes(frame, ONSET, flows=flows).names == known.names
    # A dependency that moved by a trifle explains nothing.
    raised(frame, "pay_latency", -75.0)
    assert rank_root_causes(frame, ONSET, calls=calls).names[0] == "front"


def test_a_circle_of_calls_ends(frame):
    raised(frame, "pay_latency", 80.0)
    calls = [("front", "pay"), ("pay", "front"), ("pay", "pay")]
    ranking = rank_root_causes(frame, ONSET, calls=calls, symptom=("front", "latency"))
    assert ranking.names[0] == "pay"


def test_what_the_symptom_does_not_depend_on_counts_less(frame):
    raised(frame, "db_latency", 90.0)
    raised(frame, "cart_latency", 50.0)
    calls = [("front", "cart")]
    assert rank_root_causes(frame, ONSET, calls=calls).names[0] == "db"
    noticed = rank_root_causes(frame, ONSET, calls=calls, symptom="front")
    assert noticed.names[0] == "cart"
    other = rank_root_causes(frame, ONSET, symptom=("front", "error"))
    plain = rank_root_causes(frame, ONSET)
    assert other.components[0].score == pytest.approx(0.5 * plain.components[0].score)
    assert other.metrics == plain.metrics


@pytest.mark.parametrize("slower_ms", [60, 300, 3000])
def test_a_component_speaks_by_its_first_metric_and_not_by_the_symptoms(frame, slower_ms):
    raised(frame, "db_cpu", 1.0)
    raised(frame, "db_latency", slower_ms, ONSET + 15)
    raised(frame, "front_latency", slower_ms, ONSET + 17)
    calls = [("front", "db")]
    first = rank_root_causes(frame, ONSET, calls=calls, symptom=("front", "latency")).components[0]
    assert (first.component, first.metric, first.began_at) == ("db", "cpu", ONSET)
    assert first.reason.startswith("cpu rose from 0.4948 to 1.5")


def test_errors_where_there_never_were_any_are_weighed_against_each_other(frame):
    raised(frame, "pay_error", 5.0)
    raised(frame, "front_error", 0.5)
    assert rank_root_causes(frame, ONSET).names[:2] == ["pay", "front"]


def test_a_counter_is_read_as_its_rate_and_its_reset_is_no_fall(frame):
    dice = np.random.default_rng(4)
    for service in SERVICES:
        steady = dice.normal(10, 1, ROWS)
        steady[200:] += 20 if service == "db" else 0
        total = np.cumsum(steady)
        total[150:] -= total[150]  # restarted
        frame[f"{service}_requests_total"] = total
    ranking = rank_root_causes(frame, ONSET)
    assert ranking.columns[0] == "db_requests_total"
    assert ranking.metrics[0].before == pytest.approx(10, abs=1)
    assert ranking.metrics[0].after == pytest.approx(30, abs=3)


def test_an_availability_is_judged_by_what_is_missing(frame):
    dice = np.random.default_rng(5)
    frame["front_availability"] = np.minimum(100, 99.8 + dice.normal(0, 0.2, ROWS))
    frame["front_availability"][:200:3] = 100.0
    frame["pay_availability"] = np.full(ROWS, 100.0)
    raised(frame, "pay_availability", -12.0)
    raised(frame, "front_availability", -3.0)
    first = rank_root_causes(frame, ONSET).metrics[0]
    assert (first.component, first.direction) == ("pay", "down")
    assert (first.before, first.after) == (100.0, pytest.approx(88.0))


def test_missing_values_and_other_sampling_do_not_matter(frame):
    raised(frame, "pay_cpu", 1.0)
    dice = np.random.default_rng(6)
    series = {}
    for name in frame:
        if name != "time":
            kept = dice.random(ROWS) < (0.2 if name.startswith("db") else 0.8)
            values = np.where(dice.random(ROWS) < 0.1, np.nan, frame[name])
            series[name] = frame["time"][kept], values[kept]
    series["db_cpu"] = series["db_cpu"][0], np.full(len(series["db_cpu"][0]), np.nan)
    ranking = rank_root_causes(series, ONSET)
    assert ranking.names[0] == "pay"
    assert ranking.metrics[ranking.columns.index("db_cpu")].reason.endswith(
        "too few values to tell"
    )


@pytest.mark.parametrize("unsorted", [False, True])
def test_a_table_may_have_its_times_in_any_usual_form(frame, unsorted):
    raised(frame, "pay_cpu", 1.0)
    numbers = pd.DataFrame(frame)
    if unsorted:
        numbers = numbers.sample(frac=1, random_state=1)
    expected = rank_root_causes(frame, ONSET).columns
    moments = pd.to_datetime(numbers["time"], unit="s")
    at = datetime.fromtimestamp(ONSET, UTC)
    tables = {
        "numbers": numbers,
        "index": numbers.set_index("time"),
        "dates": numbers.assign(time=moments),
        "zoned dates": numbers.assign(time=moments.dt.tz_localize("UTC")),
        "zoned index": numbers.drop(columns="time").set_index(pd.DatetimeIndex(moments, tz="UTC")),
        "text": numbers.assign(time=moments.dt.strftime("%Y-%m-%dT%H:%M:%S")),
        "numbers as text": numbers.astype({"pay_cpu": str, "time": str}),
        "nullable": numbers.convert_dtypes(),
        "with a text column": numbers.assign(front_version="v1", pay_ready=True),
    }
    for label, table in tables.items():
        assert rank_root_causes(table, at).columns == expected, label
    for onset in (
        int(ONSET),
        str(ONSET),
        at.isoformat(),
        pd.Timestamp(at),
        np.datetime64(int(ONSET), "s"),
    ):
        assert rank_root_causes(numbers, onset).columns == expected


def test_columns_may_be_tuples_or_be_named_by_the_caller(frame):
    raised(frame, "pay_cpu", 1.0)
    table = pd.DataFrame(frame).set_index("time")
    table.columns = pd.MultiIndex.from_tuples([(*c.split("_"), "Average") for c in table.columns])
    first = rank_root_causes(table, ONSET).metrics[0]
    assert (first.component, first.metric) == ("pay", "cpu_Average")
    plain = {"time": frame["time"], "a": frame["pay_cpu"], "b": frame["db_cpu"]}
    named = rank_root_causes(plain, ONSET, columns={"a": ("pay", "cpu"), "b": ("db", "cpu")})
    assert named.names == ["pay", "db"]


def test_healthy_times_of_another_day_tell_what_is_usual(frame):
    healthy = {name: values.copy() for name, values in frame.items()}
    healthy["time"] = healthy["time"] - 90 * 86400
    healthy["db_latency"] = healthy["db_latency"] - 10  # slower since, and not by the fault
    raised(frame, "pay_latency", 12.0)
    few = {name: values[195:206] for name, values in frame.items()}
    ranking = rank_root_causes(few, ONSET, normal=healthy)
    assert ranking.columns[0] == "pay_latency"
    assert ranking.metrics[ranking.columns.index("db_latency")].score < ranking.metrics[0].score / 2


@pytest.mark.parametrize(
    ("column", "pair"),
    [
        ("adservice_cpu", ("adservice", "cpu")),
        ("front-end_latency-90", ("front-end", "latency-90")),
        ("payment_service_cpu_usage", ("payment_service", "cpu_usage")),
        ("checkout_istio-request-total", ("checkout", "istio-request-total")),
        ("carts-db_socket", ("carts-db", "socket")),
        ("svc/latency_p90", ("svc", "latency_p90")),
        ("a_b_c", ("a", "b_c")),
        ("load", ("load", "value")),
        (("PetSite", "latency", "p50"), ("PetSite", "latency_p50")),
    ],
)
def test_column_names_are_split_where_the_metric_begins(column, pair):
    assert pair_of(column) == pair


@pytest.mark.parametrize(
    ("given", "onset", "problem"),
    [
        ({"time": [1.0, 2.0]}, None, "no numeric series"),
        ({"a_cpu": [1.0, 2.0]}, None, "needs `time`, or a pair"),
        ({"time": [1.0, 2.0], "a_cpu": [1.0]}, None, "1 values for 2 times"),
        ([1.0, 2.0], None, "a list is no frame"),
        ({"time": [1.0, 2.0], "a_cpu": [1.0, 2.0]}, "yesterday", "'yesterday' is no time"),
        ({"time": [1.0, 2.0], "a_cpu": [1.0, 2.0]}, math.nan, "a missing number"),
    ],
)
def test_what_is_no_frame_is_refused_in_words(given, onset, problem):
    with pytest.raises(InputError, match=problem):
        rank_root_causes(given, onset)


@pytest.mark.parametrize("rows", [0, 1, 2, 5])
def test_a_frame_of_hardly_any_rows_is_ranked_as_well(rows):
    frame = {
        "time": np.arange(float(rows)),
        "a_cpu": np.ones(rows),
        "b_cpu": np.arange(float(rows)),
    }
    ranking = rank_root_causes(frame, 2.0)
    assert sorted(ranking.names) == ["a", "b"]


def test_huge_and_infinite_values_stay_finite(frame):
    frame["pay_cpu"] = np.where(frame["time"] >= ONSET, 1e300, frame["pay_cpu"])
    frame["db_cpu"][250] = np.inf
    ranking = rank_root_causes(frame, ONSET)
    assert ranking.names[0] == "pay"
    assert all(math.isfinite(one.score) for one in ranking.metrics)


def test_the_package_gives_it_by_name_and_nothing_else():
    assert agentops_graph.rank_root_causes is rank_root_causes
    with pytest.raises(AttributeError, match="no attribute 'rank'"):
        agentops_graph.rank  # noqa: B018
