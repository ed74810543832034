"""Scikit-learn data sets, each with a fitted model, as pools of rows to draw a stream from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Columns = dict[str, Floats]

SETS = ("breast_cancer", "digits", "wine", "diabetes", "iris", "payments", "houses")
NUMBERS = ("diabetes", "houses")
TWO_CLASSES = ("breast_cancer", "payments")
ROWS = 6000
JITTER = 0.05  # of a column's spread: a row drawn twice is not the same row twice
DIGITS = 4
MOST_ALIKE = 0.3


@dataclass(frozen=True)
class Pool:
    """Rows a model was not fitted on, and the model."""

    name: str
    task: str
    columns: Columns
    label: Floats
    score: Callable[[Mapping[str, Floats]], tuple[Floats, Floats]]  # prediction, confidence
    training: tuple[Floats, Floats]

    def informative(self) -> list[str]:
        """Columns without a value that most rows share, so that a fault in one can be seen."""
        return [n for n, v in self.columns.items() if _commonest(v) < MOST_ALIKE]

    def worse(self) -> Callable[[Mapping[str, Floats]], tuple[Floats, Floats]]:
        """The same model fitted on columns that were one place off: its training was wrong."""
        table, target = self.training
        return _scorer(_fitted(self.name, np.roll(table, 1, axis=1), target), list(self.columns))


@cache
def pool(name: str) -> Pool:
    """The pool of one data set; the same rows every time."""
    table, target, names = _loaded(name)
    rng = np.random.default_rng([*name.encode()])
    half = rng.permutation(len(table))
    first, second = half[: len(half) // 2], half[len(half) // 2 :]
    spread = table.std(axis=0) * JITTER
    whole = np.all(table == np.round(table), axis=0)
    spread[whole] = 0.0

    def drawn(rows: NDArray[np.intp]) -> tuple[Floats, Floats]:
        picked = rng.choice(rows, ROWS)
        noise = rng.normal(size=(ROWS, table.shape[1])) * spread
        return np.round(table[picked] + noise, DIGITS), target[picked]

    training, (rows, label) = drawn(first), drawn(second)
    score = _scorer(_fitted(name, *training), names)
    return Pool(name, task_of(name), dict(zip(names, rows.T, strict=True)), label, score, training)


def task_of(name: str) -> str:
    if name in NUMBERS:
        return "regression"
    return "binary" if name in TWO_CLASSES else "multiclass"


def _loaded(name: str) -> tuple[Floats, Floats, list[str]]:
    from sklearn import datasets

    if name == "payments":
        made = datasets.make_classification(
            8000, 16, n_informative=8, weights=[0.8], class_sep=1.5, random_state=7
        )
        return _named(*made)
    if name == "houses":
        return _named(*datasets.make_friedman1(8000, 8, noise=1.0, random_state=7))
    found = getattr(datasets, f"load_{name}")()
    names = [str(n).replace(" ", "_") for n in found.feature_names]
    return np.asarray(found.data, float), np.asarray(found.target, float), names


def _named(table: Floats, target: Floats) -> tuple[Floats, Floats, list[str]]:
    return table, np.asarray(target, float), [f"x{n}" for n in range(table.shape[1])]


def _fitted(name: str, table: Floats, target: Floats) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = Ridge() if name in NUMBERS else LogisticRegression(max_iter=200)
    return make_pipeline(SimpleImputer(), StandardScaler(), model).fit(table[:3000], target[:3000])


def _scorer(
    model: Any, names: list[str]
) -> Callable[[Mapping[str, Floats]], tuple[Floats, Floats]]:
    def score(columns: Mapping[str, Floats]) -> tuple[Floats, Floats]:
        table = np.column_stack([columns[name] for name in names])
        prediction = np.asarray(model.predict(table), float)
        if not hasattr(model, "predict_proba"):
            return np.round(prediction, DIGITS), np.full(len(table), np.nan)
        chance = model.predict_proba(table)
        confidence = chance[:, 1] if chance.shape[1] == 2 else chance.max(axis=1)
        return prediction, np.round(confidence, DIGITS)

    return score


def _commonest(values: Floats) -> float:
    """The share of the most frequent value."""
    return float(np.unique(values, return_counts=True)[1].max() / len(values))
