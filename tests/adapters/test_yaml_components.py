"""A component that makes no sense is refused where it stands."""

import pytest

from agentops_graph.adapters.yaml_components import read_components
from agentops_graph.domain.component import Component
from agentops_graph.errors import InputError


@pytest.mark.parametrize(
    ("threshold", "value"),
    [
        ("aggregate_psi", -0.3),
        ("metric_drop", 0),
        ("drift_window_s", 0),
        ("drift_min_rows", 0),
        ("volume_low", 1.5),
        ("volume_high", 0.5),
        ("anomaly_rate", 7),
        ("agent_error_rate", -1),
        ("cost_ratio", ".nan"),
    ],
)
def test_a_threshold_out_of_range_is_refused_with_file_and_line(tmp_path, threshold, value):
    file = tmp_path / "components.yaml"
    file.write_text(
        "components:\n  - name: ok\n  - name: fraud\n    thresholds:\n"
        f"      session_minutes: 5\n      {threshold}: {value}\n"
    )
    with pytest.raises(InputError, match=rf"^components.yaml:6: thresholds.{threshold}: "):
        read_components(file)


def test_a_health_window_of_no_length_is_refused(tmp_path):
    file = tmp_path / "components.yaml"
    file.write_text("components:\n  - name: fraud\n    health: {seconds: 0}\n")
    with pytest.raises(InputError, match=r"components.yaml:3: health.seconds: .*greater than 0"):
        read_components(file)


def test_an_unknown_field_is_refused_with_its_entry(tmp_path):
    file = tmp_path / "components.yaml"
    file.write_text("components:\n  - name: fraud\n    colour: red\n")
    with pytest.raises(InputError, match=r"components.yaml:3: colour: unknown$"):
        read_components(file)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (
            "    expected_row_per_hour: 5\n",
            ":3: expected_row_per_hour: unknown; .* expected_rows",
        ),
        ("    latency_p99: 5\n", ":3: latency_p99: unknown; .* mean thresholds.latency_p99_ms[?]$"),
        ("    health:\n      every: 5\n", ":4: health.every: unknown; did you mean every_s[?]$"),
    ],
)
def test_a_misspelt_key_is_refused_with_the_nearest_one(tmp_path, entry, told):
    with pytest.raises(InputError, match=told):
        read(tmp_path, entry)


def test_defaults_are_within_their_ranges(tmp_path):
    file = tmp_path / "components.yaml"
    default = Component(name="fraud")
    file.write_text(f"components: [{default.model_dump_json()}]\n")
    assert read_components(file) == {"fraud": default}


def read(tmp_path, entry):
    file = tmp_path / "components.yaml"
    file.write_text(f"components:\n  - name: ours\n{entry}")
    return read_components(file)["ours"]


@pytest.mark.parametrize(
    ("entry", "name", "task", "direction", "others"),
    [
        ("", "f1", "binary", "higher_is_better", ()),
        ("    metric:\n", "f1", "binary", "higher_is_better", ()),
        ("    task: regression\n", "mae", "regression", "lower_is_better", ()),
        ("    metric: mae\n", "mae", "regression", "lower_is_better", ()),
        (
            "    task: forecast\n    metric: smape\n    other_metrics: [mae, r2]\n",
            "smape",
            "forecast",
            "lower_is_better",
            ("mae", "r2"),
        ),
        (
            "    metric: macro_f1\n    other_metrics: [accuracy, {name: weighted_f1}]\n",
            "macro_f1",
            "multiclass",
            "higher_is_better",
            ("accuracy", "weighted_f1"),
        ),
        (
            "    task: ranking\n    other_metrics: [mrr]\n",
            "ndcg",
            "ranking",
            "higher_is_better",
            ("mrr",),
        ),
        (
            "    metric: {name: pinball, quantile: 0.9, task: forecast}\n",
            "pinball",
            "forecast",
            "lower_is_better",
            (),
        ),
        (
            "    other_metrics: [recall, roc_auc]\n",
            "f1",
            "binary",
            "higher_is_better",
            ("recall", "roc_auc"),
        ),
    ],
)
def test_a_component_names_its_metrics_in_short(tmp_path, entry, name, task, direction, others):
    component = read(tmp_path, entry)
    metric = component.metric
    assert (metric.name, metric.task, metric.direction) == (name, task, direction)
    assert tuple(other.name for other in component.other_metrics) == others
    assert {other.task for other in component.other_metrics} <= {task}
    assert Component.model_validate_json(component.model_dump_json()) == component


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("    metric: maee\n", r":3: metric: 'maee' is not a known metric .*known: f1, precision"),
        ("    task: regression\n    metric: f1\n", r":4: metric: 'f1' .*known: mae, rmse"),
        ("    metric: {name: mae, direction: higher_is_better}\n", ":3: metric: mae is lower_is_b"),
        ("    task: regression\n    metric: {name: f1, task: binary}\n", "the task is regression"),
        (
            "    task: regresion\n    metric: mae\n",
            r"'mae' is not a known metric of the task regresion",
        ),
        ("    metric: f1\n    other_metrics: [f1]\n", "a metric stands twice in f1, f1"),
        ("    other_metrics: [recal]\n", r"other_metrics.0: 'recal' is not a known metric"),
        (
            "    metric: mae\n    other_metrics: [{name: f1, task: binary}]\n",
            "the task is regression, but its metric says binary",
        ),
        ("    metric: {name: pinball, quantile: 1.5}\n", r":3: metric.quantile: .*less than 1"),
        ("    metric: {name: mae, tolerance: lots}\n", r":3: metric.tolerance: "),
    ],
)
def test_metrics_that_make_no_sense_are_refused_where_they_stand(tmp_path, entry, told):
    with pytest.raises(InputError, match=told):
        read(tmp_path, entry)
