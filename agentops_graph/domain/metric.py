"""What a number means: its direction, its tolerance and the task it judges."""

from typing import Literal

from agentops_graph.domain.record import Name, Record

Direction = Literal["higher_is_better", "lower_is_better"]
Task = Literal["binary", "multiclass", "regression", "ranking", "forecast", "text", "agent"]


class Metric(Record):
    """A measure of a component, with what counts as better and how much loss is tolerated."""

    name: Name
    direction: Direction = "higher_is_better"
    tolerance: float = 0.01  # absolute, in the metric's own unit
    task: Task = "binary"

    def loss(self, value: float, baseline: float) -> float:
        """How much worse `value` is than `baseline`, in the metric's unit; negative when better."""
        return baseline - value if self.direction == "higher_is_better" else value - baseline

    def relative_loss(self, value: float, baseline: float) -> float:
        """`loss` as a share of the baseline's size; 0 for a baseline of 0 that was not lost."""
        lost = self.loss(value, baseline)
        if baseline == 0:
            return 0.0 if lost <= 0 else 1.0
        return lost / abs(baseline)

    def holds(self, value: float, baseline: float) -> bool:
        """True when `value` is no worse than `baseline` beyond the tolerance."""
        return self.loss(value, baseline) <= self.tolerance + 1e-12


F1 = Metric(name="f1", direction="higher_is_better", tolerance=0.01, task="binary")
