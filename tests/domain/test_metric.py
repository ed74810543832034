"""A metric knows its direction and tolerance by name, and the gate takes both from it."""

import pytest

from agentops_graph.domain.component import Component
from agentops_graph.domain.gate import Trial, judge
from agentops_graph.domain.metric import F1, STANDARDS, USUAL, Metric, known_metrics

ERRORS = ("mae", "rmse", "mse", "mape", "smape", "pinball", "log_loss", "brier", "ece")


@pytest.mark.parametrize("name", STANDARDS)
def test_a_known_metric_needs_nothing_but_its_name(name):
    metric = Metric(name=name)
    assert metric.direction == ("lower_is_better" if name in ERRORS else "higher_is_better")
    assert metric.tolerance_of == ("baseline" if name in ERRORS and name != "ece" else "unit")
    assert name in known_metrics(metric.task)
    assert Metric.model_validate_json(metric.model_dump_json()) == metric


def test_the_demos_metric_is_one_instance():
    assert Metric(name="f1") == F1
    assert F1.allowance(0.93) == 0.01
    assert F1.bearable(0.93, 0.05) == pytest.approx(0.0465)
    assert Component(name="fraud").metric == F1


@pytest.mark.parametrize(
    ("given", "name", "task"),
    [
        ("ROC-AUC", "roc_auc", "binary"),
        ("MAE", "mae", "regression"),
        ({"name": "mae", "task": "forecast"}, "mae", "forecast"),
        ({"name": "accuracy", "task": "multiclass"}, "accuracy", "multiclass"),
    ],
)
def test_spelling_and_task_are_understood(given, name, task):
    metric = Metric.model_validate(given)
    assert (metric.name, metric.task) == (name, task)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression", "ranking", "forecast"])
def test_an_unknown_name_is_refused_with_those_that_are_known(task):
    with pytest.raises(ValueError, match="'f2score' is not a known metric") as told:
        Metric(name="f2score", task=task)
    assert all(name in str(told.value) for name in known_metrics(task))
    assert USUAL[task] in known_metrics(task)


def test_a_metric_of_another_task_is_refused():
    with pytest.raises(ValueError, match="'mae' is not a known metric of the task binary"):
        Metric(name="mae", task="binary")


def test_a_metric_of_the_team_says_its_direction():
    own = Metric(name="toxicity", task="text", direction="lower_is_better", tolerance=0.02)
    assert own.loss(0.3, 0.1) == pytest.approx(0.2)


def test_a_direction_against_the_metrics_nature_is_refused():
    with pytest.raises(ValueError, match="mae is lower_is_better"):
        Metric(name="mae", direction="higher_is_better")


def test_a_tolerance_in_percent_is_a_share_of_the_baseline():
    metric = Metric.model_validate({"name": "rmse", "tolerance": "5%"})
    assert metric.allowance(40.0) == pytest.approx(2.0)
    assert metric.holds(41.9, 40.0)
    assert not metric.holds(42.1, 40.0)
    assert Metric.model_validate({"name": "rmse", "tolerance": 0.5}).allowance(40.0) == 0.5
    with pytest.raises(ValueError, match="tolerance"):
        Metric.model_validate({"name": "rmse", "tolerance": "much%"})
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        Metric.model_validate({"name": "rmse", "tolerance": -1})


def test_a_loss_that_the_gate_lets_pass_raises_no_alert():
    wide = Metric(name="mae", tolerance=3.0)
    assert wide.bearable(20.0, 0.05) == 3.0
    assert wide.bearable(100.0, 0.05) == 5.0


def test_a_figure_is_found_in_any_spelling():
    auc = Metric(name="roc_auc")
    assert auc.among({"auc": 0.9, "f1": 0.8}) == 0.9
    assert auc.among({"ROC_AUC": 0.7, "auc": 0.9}) == 0.7
    assert auc.among({"f1": 0.8}) is None


def trial(**changed):
    figures = {"candidate": 2.01, "incumbent": 3.0, "baseline": 2.0} | changed
    return Trial(
        metric="mae",
        holdout_rows=5000,
        holdout_positives=5000,
        holdout_sha256="x",
        candidate_version="2",
        **figures,
    )


@pytest.mark.parametrize(
    ("changed", "verdict", "said"),
    [
        ({}, "passed", "MAE 2.010 against baseline 2.000 + 0.04 (recorded while healthy): ok"),
        ({"candidate": 2.2}, "failed", "2.200 against baseline 2.000 + 0.04"),
        ({"incumbent": 1.9}, "failed", "the incumbent's 1.900 on the same 5000 rows: above"),
        (
            {"candidate": 0.0004, "baseline": 0.0004, "incumbent": 0.002},
            "passed",
            "MAE 0.0004 against baseline 0.0004 + 8e-06",
        ),
    ],
)
def test_the_gate_judges_an_error_in_its_own_direction_and_words(changed, verdict, said):
    report = judge(trial(**changed), Metric(name="mae"), holdout_sha256="x", min_positives=2000)
    assert report.verdict == verdict
    assert any(said in reason for reason in report.reasons)


def test_a_small_holdout_of_numbers_is_counted_in_rows():
    small = trial(noise=0.2).model_copy(update={"holdout_positives": 300})
    report = judge(small, Metric(name="mae"), holdout_sha256="x", min_positives=2000)
    assert report.verdict == "inconclusive"
    assert "300 rows in the holdout are too few to tell (+-0.400)" in report.reasons[-1]
