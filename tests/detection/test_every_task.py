"""Metrics of every task agree with scikit-learn, and say why when they can't be told."""

import re

import numpy as np
import pytest
from sklearn import metrics as sk

from agentops_graph.detection.performance import Unmeasured, appraise, estimate, row_losses
from agentops_graph.domain.metric import Metric, known_metrics

NONE = np.full(3, np.nan)


def metric(name, task, **more):
    return Metric.model_validate({"name": name, "task": task, **more})


def two_classes(seed=1, rows=900):
    rng = np.random.default_rng(seed)
    label = (rng.random(rows) < 0.2).astype(float)
    score = np.clip(rng.normal(0.35 + 0.3 * label, 0.15), 0.01, 0.99)
    return label, (score > 0.5).astype(float), score


def four_classes(seed=2, rows=900):
    rng = np.random.default_rng(seed)
    label = rng.choice([0.0, 1.0, 5.0, 7.0], rows, p=[0.5, 0.3, 0.15, 0.05])
    return label, np.where(rng.random(rows) < 0.8, label, rng.choice([0.0, 1.0, 5.0], rows))


def numbers(seed=3, rows=600):
    rng = np.random.default_rng(seed)
    label = rng.normal(10, 4, rows)
    return label, label + rng.normal(0.2, 1.5, rows)


def rankings(seed=4, queries=60, items=9, *, ties=False, one_relevant=False):
    rng = np.random.default_rng(seed)
    grades = rng.integers(0, 4, (queries, items)) * (rng.random((queries, items)) < 0.5)
    grades[:, 0] = np.maximum(grades[:, 0], 1)
    if one_relevant:
        grades = np.eye(items)[rng.integers(0, items, queries)]
    score = grades + rng.normal(size=(queries, items)) * 1.5
    score = np.round(score) if ties else score
    ids = [f"search:{q}:d{i}" for q in range(queries) for i in range(items)]
    order = rng.permutation(queries * items)
    flat = grades.astype(float).ravel()[order], score.ravel()[order], [ids[i] for i in order]
    return grades, score, *flat


def value_of(name, task, label, prediction, confidence=None, ids=(), **more):
    confidence = np.full(len(label), np.nan) if confidence is None else confidence
    found = appraise(metric(name, task, **more), label, prediction, confidence, ids)
    assert not isinstance(found, Unmeasured), found.why
    assert found.low < found.value < found.high
    return found.value


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("f1", lambda y, p, s: sk.f1_score(y, p)),
        ("precision", lambda y, p, s: sk.precision_score(y, p)),
        ("recall", lambda y, p, s: sk.recall_score(y, p)),
        ("accuracy", lambda y, p, s: sk.accuracy_score(y, p)),
        ("balanced_accuracy", lambda y, p, s: sk.balanced_accuracy_score(y, p)),
        ("auc", lambda y, p, s: sk.roc_auc_score(y, s)),
        ("roc_auc", lambda y, p, s: sk.roc_auc_score(y, s)),
        ("log_loss", lambda y, p, s: sk.log_loss(y, s)),
        ("brier", lambda y, p, s: sk.brier_score_loss(y, s)),
    ],
)
def test_metrics_of_two_classes_agree(name, wanted):
    label, prediction, score = two_classes()
    found = value_of(name, "binary", label, prediction, score)
    assert found == pytest.approx(wanted(label, prediction, score))


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("macro_f1", lambda y, p: sk.f1_score(y, p, average="macro")),
        (
            "macro_precision",
            lambda y, p: sk.precision_score(y, p, average="macro", zero_division=0),
        ),
        ("macro_recall", lambda y, p: sk.recall_score(y, p, average="macro")),
        ("weighted_f1", lambda y, p: sk.f1_score(y, p, average="weighted")),
        ("accuracy", sk.accuracy_score),
        ("balanced_accuracy", sk.balanced_accuracy_score),
    ],
)
def test_metrics_of_several_classes_agree(name, wanted):
    label, prediction = four_classes()
    found = value_of(name, "multiclass", label, prediction)
    assert found == pytest.approx(wanted(label, prediction))


@pytest.mark.parametrize("task", ["regression", "forecast"])
@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("mae", sk.mean_absolute_error),
        ("rmse", sk.root_mean_squared_error),
        ("mse", sk.mean_squared_error),
        ("mape", sk.mean_absolute_percentage_error),
        ("r2", sk.r2_score),
        ("smape", lambda y, p: np.mean(2 * abs(y - p) / (abs(y) + abs(p)))),
    ],
)
def test_metrics_of_numbers_agree(name, task, wanted):
    label, prediction = numbers()
    assert value_of(name, task, label, prediction) == pytest.approx(wanted(label, prediction))


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_pinball_agrees_at_its_quantile(quantile):
    label, prediction = numbers()
    found = value_of("pinball", "forecast", label, prediction, quantile=quantile)
    assert found == pytest.approx(sk.mean_pinball_loss(label, prediction, alpha=quantile))


@pytest.mark.parametrize("ties", [False, True])
def test_ndcg_agrees_over_queries_in_any_order_of_rows(ties):
    grades, score, label, prediction, ids = rankings(ties=ties)
    found = value_of("ndcg", "ranking", label, prediction, ids=ids)
    assert found == pytest.approx(sk.ndcg_score(grades, score))


@pytest.mark.parametrize("ties", [False, True])
def test_mrr_of_one_relevant_item_is_label_ranking_average_precision(ties):
    grades, score, label, prediction, ids = rankings(ties=ties, one_relevant=True)
    found = value_of("mrr", "ranking", label, prediction, ids=ids)
    assert found == pytest.approx(sk.label_ranking_average_precision_score(grades, score))


def test_a_constant_score_ranks_nothing_well():
    _, _, label, prediction, ids = rankings(one_relevant=True)
    constant = np.zeros(len(label))
    good = estimate(metric("mrr", "ranking"), label, prediction, constant, ids)
    flat = estimate(metric("mrr", "ranking"), label, constant, constant, ids)
    assert flat.value == pytest.approx(1 / 9)
    assert good.value > 2 * flat.value


def test_a_rows_loss_in_a_ranking_is_its_querys():
    _, _, label, prediction, ids = rankings()
    label[3] = np.nan
    losses = row_losses(metric("ndcg", "ranking"), label, prediction, ids)
    assert np.isnan(losses).tolist() == np.isnan(label).tolist()
    query = np.array([text.rpartition(":")[0] for text in ids])
    assert all(len(set(losses[(query == q) & ~np.isnan(losses)])) == 1 for q in set(query))
    assert np.isnan(
        row_losses(metric("ndcg", "ranking"), label, prediction, ["x"] * len(ids))
    ).all()


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression", "forecast", "ranking"])
def test_every_known_metric_is_computed_and_leaves_out_missing_labels(task):
    label, prediction, score = two_classes()
    ids = [f"{n // 10}:{n}" for n in range(len(label))]
    gaps = np.where(np.arange(len(label)) % 7 == 0, np.nan, label)
    known = np.isfinite(gaps)
    for name in known_metrics(task):
        judged = metric(name, task)
        found = estimate(judged, gaps, prediction, score, ids)
        kept = [text for text, keep in zip(ids, known, strict=True) if keep]
        assert found == estimate(judged, label[known], prediction[known], score[known], kept)
        assert found.rows == known.sum()


@pytest.mark.parametrize(
    ("name", "task", "label", "prediction", "why"),
    [
        ("f1", "binary", NONE, [0, 1, 1], "no labelled rows"),
        ("mae", "regression", [], [], "no labelled rows"),
        ("ndcg", "ranking", NONE, [1, 2, 3], "no labelled rows"),
        ("recall", "binary", [0, 0, 0], [0, 1, 0], "no row is labelled 1"),
        ("precision", "binary", [0, 1, 0], [0, 0, 0], "nothing called 1"),
        ("f1", "binary", [0, 0, 0], [0, 0, 0], "no row is labelled 1 and none called 1"),
        ("f1", "binary", [0, 1, 2], [0, 1, 1], "labels of a binary model are 0 and 1, 1 of 3"),
        ("f1", "binary", [0, 1, 1], [0, 0.3, 0.9], "predictions of a binary model are 0 and 1, 2"),
        ("r2", "regression", [4, 4, 4], [1, 2, 3], "all 3 labels are the same"),
        ("mape", "regression", [0, 0, 0], [1, 2, 3], "all 3 labels are 0"),
        ("mae", "forecast", [4], [5], "one case says nothing"),
        ("ndcg", "ranking", [1, 0, 2], [1, 2, 3], "query:item"),
        ("toxicity", "text", [1, 0, 2], [1, 2, 3], r"not a metric .* for text \(known: none\)"),
    ],
)
def test_what_can_not_be_told_is_said(name, task, label, prediction, why):
    more = {"direction": "lower_is_better"} if task == "text" else {}
    label, prediction = np.array(label, dtype=float), np.array(prediction, dtype=float)
    found = appraise(metric(name, task, **more), label, prediction, label * np.nan, ["a"] * 3)
    assert isinstance(found, Unmeasured)
    assert re.search(why, found.why)


@pytest.mark.parametrize(
    ("name", "label", "confidence", "why"),
    [
        ("auc", [1, 1, 1], [0.2, 0.7, 0.9], "all 3 rows are of class 1"),
        ("auc", [0, 1, 1], NONE, "no `confidence` is logged"),
        ("brier", [0, 1, 1], NONE, "no `confidence` is logged"),
        ("log_loss", [0, 1, 1], [-2.0, 0.1, 4.0], "`confidence` is no probability"),
    ],
)
def test_scores_that_can_not_be_judged_are_said(name, label, confidence, why):
    label = np.array(label, dtype=float)
    found = appraise(metric(name, "binary"), label, label, np.array(confidence))
    assert isinstance(found, Unmeasured)
    assert why in found.why


def test_numbers_as_classes_are_refused():
    label, prediction = numbers(rows=1200)
    found = appraise(metric("macro_f1", "multiclass"), label, prediction, label)
    assert "set `task: regression`" in found.why


@pytest.mark.parametrize(
    ("name", "task"), [("f1", "binary"), ("macro_f1", "multiclass"), ("mae", "regression")]
)
def test_a_constant_prediction_is_judged_as_it_is(name, task):
    label, _, score = two_classes()
    found = estimate(metric(name, task), label, np.zeros(len(label)), score)
    wanted = {
        "f1": 0.0,
        "macro_f1": sk.f1_score(label, np.zeros(len(label)), average="macro"),
        "mae": label.mean(),
    }
    assert found.value == pytest.approx(wanted[name])


def test_errors_that_follow_each_other_count_for_fewer_rows():
    rng = np.random.default_rng(8)
    steps = rng.normal(size=2000)
    follows = np.convolve(steps, np.ones(24) / 24, mode="valid")
    label = np.zeros(len(follows))
    alone = estimate(metric("mae", "forecast"), label, rng.permutation(follows), label)
    together = estimate(metric("mae", "forecast"), label, follows, label)
    assert together.value == pytest.approx(alone.value)
    assert together.high - together.low > 2.5 * (alone.high - alone.low)
