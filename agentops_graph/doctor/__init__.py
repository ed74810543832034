"""What works in this installation and what does not: `examine` makes a list of checks."""

from agentops_graph.doctor.check import Check, State
from agentops_graph.doctor.examination import examine, verdict

__all__ = ["Check", "State", "examine", "verdict"]
