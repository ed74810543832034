"""How good a rule has been: its alerts, what people said of them, and a better line."""

from agentops_graph.domain.alert import AlertType
from agentops_graph.domain.record import Name, Record


class RuleNoise(Record):
    """One rule of one component over some days. Verdicts are of incidents, so they count those."""

    component: Name
    alert_type: AlertType
    metric: Name
    setting: str | None = None  # the threshold of components.yaml that is its line
    alerts: int
    incidents: int
    right: int = 0
    false_alarm: int = 0
    duplicate: int = 0
    precision: float | None = None  # right among right and false alarms
    precision_low: float | None = None  # 95% interval
    precision_high: float | None = None
    line: float | None = None  # as it was when it was last crossed
    suggested: float | None = None
    dropped: int = 0  # false alarms that the suggested line would not have raised
    said: str = ""
