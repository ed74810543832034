"""MLflow experiments that are read: metrics of runs, and traces of agents."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from agentops_graph.domain.record import Name, Record
from agentops_graph.domain.sources.measures import refuse_unknown

# MLflow's filter language has no escape for quotes.
Tag = Annotated[str, Field(min_length=1, max_length=250, pattern=r"^[^`'\"\\]+$")]


class MlflowRuns(Record):
    """The runs that measure one model; each finished run is a row of `model_metrics`."""

    experiment: Name
    tags: dict[Tag, Tag] = Field(default_factory=dict)  # which of its runs
    metrics: Annotated[dict[Name, Name], Field(min_length=1)]  # column -> key in MLflow
    history: bool = False  # every logged value at its own time, instead of the last of each run

    @model_validator(mode="after")
    def _columns_known(self) -> Self:
        refuse_unknown("model_metrics", frozenset(self.metrics))
        return self


class MlflowTraces(Record):
    """The traces of one agent or text model; each is a request."""

    experiment: Name
    tags: dict[Tag, Tag] = Field(default_factory=dict)  # which of its traces
    version_tag: Name = "version"  # the tag or metadata that says which version answered
    provider_tag: Name = "provider"


class MlflowSource(Record):
    """The section `mlflow` of sources.yaml; components by name."""

    tracking_uri: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    runs: dict[Name, MlflowRuns] = Field(default_factory=dict)
    traces: dict[Name, MlflowTraces] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _holds_no_password(self) -> Self:  # of the whole: of a field its value would be shown
        if "@" in (self.tracking_uri or "").split("://", 1)[-1].split("/", 1)[0]:
            raise ValueError(
                "no user and no password stand in `tracking_uri`; leave it out and set "
                "AGENTOPS_MLFLOW_TRACKING_URI, or MLFLOW_TRACKING_USERNAME and _PASSWORD"
            )
        return self

    @model_validator(mode="after")
    def _reads_something(self) -> Self:
        if not self.runs and not self.traces:
            raise ValueError("nothing is read; name `runs` or `traces`")
        return self
