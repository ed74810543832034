"""What rules would have done over stored history, before they page anyone."""

from datetime import timedelta

from pydantic import Field, model_validator

from agentops_graph.domain.alert import AlertType
from agentops_graph.domain.component import Component
from agentops_graph.domain.record import Moment, Name, Record

MOST_LOOKS = 1_000_000


class BacktestPlan(Record):
    """Whose history is replayed, from when to when, and how often it is looked at."""

    components: tuple[Component, ...] = Field(min_length=1)
    since: Moment
    until: Moment
    every_s: float = Field(default=3600, gt=0)
    tried: dict[str, str] = Field(default_factory=dict)  # settings that components.yaml doesn't say

    @model_validator(mode="after")
    def _has_looks(self) -> "BacktestPlan":
        if self.since >= self.until:
            raise ValueError(f"{self.until.isoformat()} is not after {self.since.isoformat()}")
        if self.looks * len(self.components) > MOST_LOOKS:
            raise ValueError(f"more than {MOST_LOOKS} looks; look less often or over less time")
        return self

    @property
    def looks(self) -> int:
        return int((self.until - self.since) / timedelta(seconds=self.every_s))


class RuleReplay(Record):
    """One rule of one component: an alert type, in the numbers of a replay."""

    component: Name
    alert_type: AlertType
    looks: int = 0  # at which there was enough data to judge it
    crossed: int = 0  # looks at which its line was crossed
    opened: int = 0  # incidents that it would have opened
    paged: int = 0  # of these, what policy takes to people
    joined: int = 0  # times it was part of another story
    silenced: int = 0  # looks at which a silence kept it quiet
    rested: int = 0  # looks in the cool-down after its last incident
    unmatched: int = 0  # of the paged, those without a real incident soon after
    judged_false: int = 0  # of the paged, those that people have called a false alarm
    first_at: Moment | None = None  # of the paged
    last_at: Moment | None = None


class Backtest(Record):
    """A replay: its rules, and what never said anything."""

    since: Moment
    until: Moment
    every_s: float
    looks: int
    rules: tuple[RuleReplay, ...]
    silent: tuple[str, ...] = ()  # what never had data, or could never match
    notes: dict[str, tuple[str, ...]] = Field(default_factory=dict)  # by component, the last look's

    @property
    def opened(self) -> int:
        return sum(rule.opened for rule in self.rules)

    @property
    def paged(self) -> int:
        return sum(rule.paged for rule in self.rules)

    @property
    def unmatched(self) -> int:
        return sum(rule.unmatched for rule in self.rules)
