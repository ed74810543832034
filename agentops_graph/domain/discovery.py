"""What a warehouse holds of somebody's models, feeds and agents, and what task a model seems to do.

Only a first guess for people to read: each comes with its reason.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from pydantic import Field

from agentops_graph.domain.metric import STANDARDS, USUAL
from agentops_graph.domain.record import Moment, Name, Record, Scalar

FEW_CLASSES = 20
MOST_NAMES = 100
WORDY = 40  # characters; a class has a shorter name
LITTLE = 30  # values that are too few to tell a task by
MOST_NEW = 0.5  # share of values that are all different: then they are no classes


class Subject(Record):
    """One model, pipeline or agent that rows tell of."""

    name: Name
    kind: Literal["model", "pipeline", "agent"]
    table: Name  # the first that names it
    rows: int = 0  # looked at, of its newest days
    first_at: Moment | None = None  # of those
    last_at: Moment | None = None
    rows_per_hour: float | None = None
    version: str = ""  # that wrote last
    segments: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    predictions: tuple[Scalar, ...] = ()  # a sample
    labels: tuple[Scalar, ...] = ()
    ids: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()  # logged in MODEL_METRICS
    reference_of: str | None = None  # the version that has a reference profile
    speaks: bool = False  # it has rows in AGENT_OUTPUTS
    registered: str | None = None  # the production version in the registry
    notes: tuple[str, ...] = Field(default=())


class Guess(NamedTuple):
    """A task with its primary metric, and why."""

    task: str
    metric: str
    reason: str


def guess(subject: Subject) -> Guess | None:
    """What a model or agent seems to do; None for a pipeline, or where nothing tells it."""
    if subject.kind == "pipeline":
        return None
    if subject.kind == "agent":
        if not subject.speaks:
            return None
        return Guess("agent", USUAL["agent"], "it has rows in AGENT_OUTPUTS, which can be scored")
    if not subject.predictions and not subject.labels:
        return _by_metrics(subject.metrics)
    task, reason = _task_of(subject)
    return Guess(task, USUAL[task], reason)


def _by_metrics(metrics: Sequence[str]) -> Guess | None:
    known = [name for name in metrics if name in STANDARDS]
    if not known:
        return None
    task = STANDARDS[known[0]].tasks[0]
    return Guess(task, known[0], f"MODEL_METRICS holds {', '.join(known)} of it, the log nothing")


def _task_of(subject: Subject) -> tuple[str, str]:
    which = "labels" if subject.labels else "predictions"
    values = subject.labels or subject.predictions
    distinct = sorted({str(value) for value in values})
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    if len(numbers) < len(values):
        return _of_words(distinct, which, len(values))
    if set(numbers) <= {0.0, 1.0}:
        few = "" if len(values) >= LITTLE else f", of {len(values)} only"
        return "binary", f"its {which} are 0 and 1{few}"
    whole = all(number.is_integer() for number in numbers)
    if whole and subject.labels and all(":" in one for one in subject.ids) and min(numbers) >= 0:
        return "ranking", "its ids read query:item and its labels are grades from 0 up"
    if whole and len(distinct) <= FEW_CLASSES and len(distinct) < MOST_NEW * len(values):
        return "multiclass", f"its {which} are {len(distinct)} whole numbers ({_some(distinct)})"
    return "regression", f"its {which} are numbers of many values ({_some(distinct)})"


def _of_words(distinct: Sequence[str], which: str, count: int) -> tuple[str, str]:
    longest = max(map(len, distinct))
    all_new = count >= LITTLE and len(distinct) > MOST_NEW * count
    if longest > WORDY or len(distinct) > MOST_NAMES or all_new:
        return "text", f"its {which} are texts that hardly repeat"
    return "multiclass", f"its {which} are {len(distinct)} names ({_some(distinct)})"


def _some(distinct: Sequence[str]) -> str:
    shown = ", ".join(value[:WORDY] for value in distinct[:3])
    return f"{shown} ..." if len(distinct) > 3 else shown
