"""What is watched: a model, a pipeline or an agent, and its thresholds."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from agentops_graph.domain.alerting import Alerting
from agentops_graph.domain.costs import Costs
from agentops_graph.domain.health import MOST_LOOKS, longest_wait
from agentops_graph.domain.metric import F1, STANDARDS, USUAL, Metric, spelled
from agentops_graph.domain.record import Name, Record
from agentops_graph.domain.segment import SegmentRule

Positive = Annotated[float, Field(gt=0)]
Weight = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(gt=0, le=1)]


class Thresholds(Record):
    """When a measurement becomes a finding; the defaults are the product's."""

    metric_drop: Positive = 0.05  # share of the baseline
    aggregate_psi: Positive = 0.3  # mean of the three worst features
    output_psi: Positive = 0.25  # of predictions, of labels
    missing_shift: Share = 0.05  # of a feature's rows, more than in the reference
    unseen_share: Share = 0.05  # of a feature's rows, in categories the reference never had
    correlation_shift: Positive = 0.3  # of two features' rank correlation
    drift_window_s: Positive = 3600
    drift_min_rows: int = Field(default=200, ge=1)
    volume_low: Share = 0.5  # share of the expected rows
    volume_high: float = Field(default=2.0, ge=1)
    latency_p99_ms: Positive = 1000
    anomaly_rate: Share = 0.10
    quality_violations: Share = 0.05
    agent_latency_p95_ms: Positive = 1000
    agent_error_rate: Share = 0.05
    agent_cost_per_request: Positive = 0.10  # dollars
    memory_mb: Positive = 2048
    session_minutes: Positive = 30
    policy_false_positive_rate: Share = 0.10
    safety_drop: Share = 0.01  # share of its baseline that `safety` may lose; `metric_drop` is lax
    leak_hours: Positive = 6  # memory that reaches its limit sooner is a finding
    idle_turns: int = Field(default=10, ge=2)  # turns of a session without progress
    stalled_sessions: Share = 0.05  # of the sessions that may run too long
    segment_min_rows: int = Field(default=50, ge=20)  # labelled rows of a segment in the window
    cost_ratio: Positive = 2.0  # spend of the window against its baseline


class HealthWindow(Record):
    """How long a new version is watched before it is called healthy."""

    seconds: Positive = 900
    every_s: Positive = 30
    looks: int = Field(default=3, ge=1)  # looks with fresh data that are needed
    max_error_rate: float = Field(default=0.05, ge=0, le=1)
    fresh_rows: int = Field(default=20, ge=1)  # rows of the new version that make data fresh

    @model_validator(mode="after")
    def _ends_within_its_looks(self) -> "HealthWindow":
        wait_s = longest_wait(self.seconds)
        if wait_s / self.every_s >= MOST_LOOKS:
            raise ValueError(
                f"a look every {self.every_s:g} s is too often for a window of {self.seconds:g} s: "
                f"it may wait {wait_s:g} s for data and take fewer than {MOST_LOOKS} looks; "
                f"set every_s above {wait_s / MOST_LOOKS:g}"
            )
        return self


class Sampling(Record):
    """Which outputs of an agent or a text model are scored."""

    share: Share = 1.0  # of the requests, chosen by a hash of their id
    cap: int = Field(default=500, ge=1, le=100_000)  # per window; scoring one takes a millisecond
    least: int = Field(default=50, ge=2)  # fewer scored outputs are "not enough data"

    @model_validator(mode="after")
    def _can_be_enough(self) -> "Sampling":
        if self.least > self.cap:
            raise ValueError(f"least ({self.least}) is more than the cap ({self.cap}) lets through")
        return self


class Component(Record):
    """One thing under watch, as the team configured it."""

    name: Name
    kind: Literal["model", "pipeline", "agent"] = "model"
    tenant: Name | None = None  # whose it is; identities of other tenants never see it
    metric: Metric = F1  # the primary metric
    other_metrics: tuple[Metric, ...] = ()  # measured and shown beside it
    feeds: tuple[str, ...] = ()  # upstream pipelines, nearest first
    segments: tuple[SegmentRule, ...] = ()  # judged apart, beside those that are discovered
    discover_segments: bool = True
    expected_rows_per_hour: Positive | None = None
    contract: Name | None = None  # file that says what a pipeline's batches look like
    batches: Name | None = None  # pattern of the files that it delivers
    costs: Costs | None = None  # of its errors
    labels_within_s: Positive | None = None  # how late labels come; else learnt from the log
    importance: dict[str, Weight] = Field(default_factory=dict)  # of features; else the profile's
    thresholds: Thresholds = Thresholds()
    alerting: Alerting = Alerting()
    health: HealthWindow = HealthWindow()
    sampling: Sampling = Sampling()
    entry_points: dict[str, str] = Field(default_factory=dict)  # action name -> "module:function"
    work_deadline_s: Positive | None = None  # how long an entry point may run; else the setting
    every_s: Annotated[float, Field(ge=0.1, le=604_800)] | None = None  # between looks; or setting
    blind_after_s: Positive | None = None  # of missed looks; else three of them, and five minutes
    replicas: int = Field(default=2, ge=1, le=20)
    min_positives: int = Field(
        default=2000, ge=0
    )  # under this many positives in the holdout the gate may abstain

    @property
    def borne_share(self) -> float:
        """The share of its baseline that the primary metric may lose; of safety hardly any."""
        limits = self.thresholds
        return limits.safety_drop if self.metric.name == "safety" else limits.metric_drop

    @property
    def speaks(self) -> bool:
        """Whether its outputs are texts, which are scored on a sample."""
        return self.metric.task in ("text", "agent")

    @model_validator(mode="before")
    @classmethod
    def _name_metrics(cls, given: Any) -> Any:
        """`task: regression` and `metric: mae` are short for the mapping that says both."""
        if not isinstance(given, Mapping) or not {"task", "metric", "other_metrics"} & set(given):
            return given
        filled = dict(given)
        task = filled.pop("task", None)
        metric = filled.get("metric") or USUAL.get(str(task), F1 if task is None else None)
        if metric is None:
            raise ValueError(
                f"no metric is usual for the task {task} (but for {', '.join(USUAL)}); name one as "
                "`metric`"
            )
        filled["metric"] = _with_task(metric, task)
        others = filled.get("other_metrics", ())
        if isinstance(others, list | tuple):
            meant = task or _task_meant(metric)
            filled["other_metrics"] = [_with_task(other, meant) for other in others]
        return filled

    @model_validator(mode="after")
    def _held_to_a_contract(self) -> Self:
        if self.batches is not None and self.contract is None:
            raise ValueError(
                "`batches` needs a `contract`; make one with `agentops contract infer FILE`"
            )
        if self.contract is not None and self.kind != "pipeline":
            raise ValueError(f"a {self.kind} has no batches; `contract` is for a pipeline")
        return self

    @model_validator(mode="after")
    def _priced(self) -> Self:
        if self.costs is not None:
            self.costs.check_fit(self.kind, self.metric.task)
        return self

    @model_validator(mode="after")
    def _one_task(self) -> Self:
        names = [metric.name for metric in (self.metric, *self.other_metrics)]
        if len(set(names)) < len(names):
            raise ValueError(f"a metric stands twice in {', '.join(names)}")
        for other in self.other_metrics:
            if other.task != self.metric.task:
                raise ValueError(
                    f"{other.name} is of the task {other.task}, {self.metric.name} of "
                    f"{self.metric.task}; a component has one task"
                )
        return self


def _with_task(metric: Any, task: Any) -> Any:
    if isinstance(metric, str):
        metric = {"name": metric}
    if task is None or not isinstance(metric, Mapping | Metric):
        return metric
    said = metric.task if isinstance(metric, Metric) else metric.get("task", task)
    if said != task:
        raise ValueError(f"the task is {task}, but its metric says {said}")
    return metric if isinstance(metric, Metric) else {**metric, "task": task}


def _task_meant(metric: Any) -> str | None:
    """The task that a primary metric says, or is known for."""
    if isinstance(metric, Metric):
        return metric.task
    named = metric if isinstance(metric, Mapping) else {"name": metric}
    standard = STANDARDS.get(spelled(str(named.get("name"))))
    usual = standard.tasks[0] if standard else None
    task = named.get("task", usual)
    return None if task is None else str(task)
