"""How eagerly a component alerts: when an alert is over, rests, and is another's doing."""

from typing import Annotated

from pydantic import Field

from agentops_graph.domain.record import Record


class Alerting(Record):
    """What keeps an alert at its line from becoming many incidents; the defaults are ours."""

    clear_at: Annotated[float, Field(gt=0, le=1)] = 0.8  # share of a line under which it is over
    cool_down_s: float = Field(default=1800, ge=0)  # after an end, unless it comes back worse
    story_window_s: float = Field(default=7200, ge=0)  # between alerts of one story
