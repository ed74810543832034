"""Where what confirmed incidents teach is kept."""

from typing import Protocol

from agentops_graph.domain.lesson import Calibration, ConfirmedOutcome


class Lessons(Protocol):
    """Confirmed outcomes, and the calibrations that people accepted of them."""

    def learn(self, outcome: ConfirmedOutcome) -> None:
        """Keeps it beside earlier words on the incident, with its audit row. Raises NotFoundError
        for an incident that is not there."""
        ...

    def learnt(self) -> list[ConfirmedOutcome]:
        """In the order in which they came; the last of an incident counts."""
        ...

    def accept(self, calibration: Calibration) -> Calibration:
        """Numbers it and puts it in force, with its audit row."""
        ...

    def accepted(self) -> Calibration | None:
        """The one in force; None until a person accepted one."""
        ...
