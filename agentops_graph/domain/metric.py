"""What a number means: its direction, its tolerance and the task it judges."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeVar

from pydantic import Field, model_validator

from agentops_graph.domain.record import Name, Record

Direction = Literal["higher_is_better", "lower_is_better"]
Task = Literal["binary", "multiclass", "regression", "ranking", "forecast", "text", "agent"]
ToleranceOf = Literal["unit", "baseline"]
Figure = TypeVar("Figure")


class Standard(NamedTuple):
    """What is usual for a metric that is known by name; its first task is the one meant."""

    tasks: tuple[Task, ...]
    direction: Direction = "higher_is_better"
    tolerance: float = 0.01
    tolerance_of: ToleranceOf = "unit"


_CLASSES: tuple[Task, ...] = ("binary", "multiclass")
_SCORE = Standard(("binary",))
_CLASS_MEAN = Standard(("multiclass",))
# An error in euros and one in millimetres have no tolerance in common but a share.
_ERROR = Standard(("regression", "forecast"), "lower_is_better", 0.02, "baseline")
_SURPRISE = Standard(("binary",), "lower_is_better", 0.02, "baseline")
_TEXTS: tuple[Task, ...] = ("text", "agent")
_SCORED_TEXT = Standard(_TEXTS, tolerance=0.02)

STANDARDS: dict[str, Standard] = {
    "f1": Standard(_CLASSES),
    "precision": Standard(_CLASSES),
    "recall": Standard(_CLASSES),
    "accuracy": Standard(_CLASSES),
    "balanced_accuracy": Standard(_CLASSES),
    "auc": _SCORE,
    "roc_auc": _SCORE,
    "log_loss": _SURPRISE,
    "brier": _SURPRISE,
    "ece": Standard(("binary",), "lower_is_better", 0.02),
    "macro_f1": _CLASS_MEAN,
    "macro_precision": _CLASS_MEAN,
    "macro_recall": _CLASS_MEAN,
    "weighted_f1": _CLASS_MEAN,
    "mae": _ERROR,
    "rmse": _ERROR,
    "mse": _ERROR,
    "mape": _ERROR,
    "smape": _ERROR,
    "pinball": _ERROR,
    "r2": Standard(("regression", "forecast")),
    "ndcg": Standard(("ranking",)),
    "mrr": Standard(("ranking",)),
    "relevance": _SCORED_TEXT,
    "correctness": _SCORED_TEXT,
    "groundedness": _SCORED_TEXT,
    "safety": Standard(_TEXTS, tolerance=0.005),  # one output in 200
}
USUAL: dict[str, str] = {  # the primary metric of a component that names only its task
    "binary": "f1",
    "multiclass": "f1",
    "regression": "mae",
    "ranking": "ndcg",
    "forecast": "mae",
    "text": "relevance",
    "agent": "relevance",
}
SAME = {"auc": "roc_auc", "roc_auc": "auc"}


def known_metrics(task: str) -> tuple[str, ...]:
    """The names of the metrics that are known for a task."""
    return tuple(name for name, standard in STANDARDS.items() if task in standard.tasks)


def spelled(name: str) -> str:
    """The known metric that is meant, as in `ROC-AUC`; any other name as it is."""
    plain = name.strip().casefold().replace("-", "_")
    return plain if plain in STANDARDS else name


class Metric(Record):
    """A measure of a component, with what counts as better and how much loss is tolerated.

    What is left out is filled in for a metric known by name. Any other is the team's own, logged in
    `MODEL_METRICS`, and has to say its direction.
    """

    name: Name
    direction: Direction = "higher_is_better"
    tolerance: float = Field(default=0.01, ge=0)  # "2%" is a share of the baseline
    tolerance_of: ToleranceOf = "unit"  # the metric's own unit, or a share of the baseline
    task: Task = "binary"
    quantile: float = Field(default=0.5, gt=0, lt=1)  # that `pinball` is about

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, given: Any) -> Any:
        if isinstance(given, str):
            given = {"name": given}
        if not isinstance(given, Mapping) or not isinstance(given.get("name"), str):
            return given
        filled = _with_share(dict(given))
        filled["name"] = spelled(filled["name"])
        standard = STANDARDS.get(filled["name"])
        if standard is not None:
            filled.setdefault("task", standard.tasks[0])
        task = filled.setdefault("task", "binary")
        if standard is None or task not in standard.tasks:
            return _of_the_team(filled)
        if filled.setdefault("direction", standard.direction) != standard.direction:
            raise ValueError(f"{filled['name']} is {standard.direction}")
        if "tolerance" not in filled:
            filled |= {"tolerance": standard.tolerance, "tolerance_of": standard.tolerance_of}
        return filled

    def loss(self, value: float, baseline: float) -> float:
        """How much worse `value` is than `baseline`, in the metric's unit; negative when better."""
        return baseline - value if self.direction == "higher_is_better" else value - baseline

    def allowance(self, baseline: float) -> float:
        """The tolerance in the metric's own unit."""
        share = abs(baseline) if self.tolerance_of == "baseline" else 1.0
        return self.tolerance * share

    def bearable(self, baseline: float, share: float) -> float:
        """The loss that raises no alert: that share of the baseline, and never less than the gate
        would let pass."""
        return max(share * abs(baseline), self.allowance(baseline))

    def holds(self, value: float, baseline: float) -> bool:
        """True when `value` is no worse than `baseline` beyond the tolerance."""
        return self.loss(value, baseline) <= self.allowance(baseline) + 1e-12

    def among(self, figures: Mapping[str, Figure]) -> Figure | None:
        """This metric's figure (or column) among those recorded by name, in any spelling."""
        plain = {name.casefold(): value for name, value in figures.items()}
        wanted = self.name.casefold()
        return plain.get(wanted, plain.get(SAME.get(wanted, wanted)))


def _with_share(given: dict[str, Any]) -> dict[str, Any]:
    """`tolerance: 2%` is two hundredths of the baseline."""
    said = given.get("tolerance")
    if isinstance(said, str) and said.strip().endswith("%"):
        try:
            share = float(said.strip()[:-1]) / 100
        except ValueError:
            return given
        return given | {"tolerance": share, "tolerance_of": "baseline"}
    return given


def _of_the_team(given: dict[str, Any]) -> dict[str, Any]:
    if "direction" in given:
        return given
    known = ", ".join(known_metrics(str(given["task"]))) or "none"
    raise ValueError(
        f"{given['name']!r} is not a known metric of the task {given['task']} (known: {known}); "
        "give one that your team logs in MODEL_METRICS its `direction`"
    )


F1 = Metric(name="f1", direction="higher_is_better", tolerance=0.01, task="binary")
