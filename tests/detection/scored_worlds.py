"""Classifiers and regressors of scikit-learn with labelled references and windows that drift."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from sklearn.datasets import make_classification, make_friedman1
from sklearn.linear_model import LogisticRegression, Ridge

from agentops_graph.detection.healthy_rows import healthy_rows
from agentops_graph.detection.profile import profile_of
from agentops_graph.domain.metric import Metric

AT = datetime(2026, 2, 28, 14, 0, tzinfo=UTC)
REFERENCE, POOL = 6000, 40_000


def columns(matrix):
    return {f"x{number}": matrix[:, number] for number in range(matrix.shape[1])}


@dataclass
class Rows:
    """Rows with what the model says of them and what they are."""

    matrix: np.ndarray
    label: np.ndarray
    prediction: np.ndarray
    confidence: np.ndarray

    @property
    def features(self):
        return columns(self.matrix)

    def only(self, chosen):
        return Rows(
            self.matrix[chosen],
            self.label[chosen],
            self.prediction[chosen],
            self.confidence[chosen],
        )


class ScoredWorld:
    """A model, its reference profile, and a pool of healthy rows that windows are drawn from."""

    def __init__(self, metric, model, matrix, label):
        self.metric = metric
        self.model = model.fit(matrix[:4000], label[:4000])
        rows = self.scored(matrix[4000:], label[4000:])
        size = np.arange(len(rows.label))
        self.healthy, self.pool = rows.only(size < REFERENCE), rows.only(size >= REFERENCE)
        self.reference = self.profile(self.healthy)

    def scored(self, matrix, label):
        prediction = self.model.predict(matrix).astype(float)
        confidence = np.full(len(label), np.nan)
        if hasattr(self.model, "predict_proba"):
            chances = self.model.predict_proba(matrix)
            binary = self.metric.task == "binary"
            confidence = chances[:, 1] if binary else chances.max(axis=1)
        return Rows(matrix, label, prediction, confidence)

    def profile(self, rows):
        profile = profile_of("m", "1", rows.features, {}, AT)
        taught = healthy_rows(
            self.metric,
            rows.label,
            rows.prediction,
            rows.confidence,
            rows.features,
            profile.features,
        )
        return profile.model_copy(update={"healthy": taught})

    def window(self, seed, *, shift=0.0, count=1500):
        """Rows of the pool, more of those with a large value of one feature: a covariate shift."""
        rng = np.random.default_rng(seed)
        values = self.pool.matrix[:, seed % self.pool.matrix.shape[1]]
        weight = np.exp(shift * (values - values.mean()) / values.std())
        chosen = rng.choice(len(values), count, replace=False, p=weight / weight.sum())
        return self.pool.only(chosen)


def classifier(metric="f1", *, positives=0.3, classes=2, seed=1):
    matrix, label = make_classification(
        n_samples=POOL,
        n_features=8,
        n_informative=5,
        n_redundant=1,
        n_classes=classes,
        weights=[1 - positives] if classes == 2 else None,
        flip_y=0.03,
        random_state=seed,
    )
    task = "binary" if classes == 2 else "multiclass"
    metric = Metric(name=metric, task=task)
    return ScoredWorld(metric, LogisticRegression(), matrix, label.astype(float))


def regressor(metric="mae", *, seed=1):
    """Errors grow with the third feature, so that a shift of it costs something."""
    matrix, label = make_friedman1(POOL, n_features=6, random_state=seed)
    label = label + 4 * matrix[:, 2] * np.random.default_rng(seed).normal(size=POOL)
    return ScoredWorld(Metric(name=metric), Ridge(), matrix, label)
