"""Prometheus servers that are read: which query gives which measure of which component."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, cast

from pydantic import Field, ValidationInfo, field_validator, model_validator

from agentops_graph.domain.frames import SeriesTable
from agentops_graph.domain.record import Name, Record
from agentops_graph.domain.sources.measures import refuse_unknown

PromQl = Annotated[str, Field(min_length=1, max_length=10_000)]
Step = Annotated[int, Field(ge=5, le=3600)]  # seconds
Aggregate = Literal["sum", "avg", "min", "max"]
SERIES_TABLES: tuple[SeriesTable, ...] = ("model_metrics", "data_quality", "agent_metrics")


class PrometheusServer(Record):
    """One server that speaks the HTTP API of Prometheus."""

    name: Name = "prometheus"
    url: Annotated[str, Field(min_length=1, max_length=2000)]  # with its path prefix, if any
    token_env: Name | None = None  # the variable that holds a bearer token
    user: Name | None = None
    password_env: Name | None = None
    org_id: Name | None = None  # sent as X-Scope-OrgID, for servers with several tenants
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 10
    ca_file: Name | None = None  # certificates to trust instead of the system's

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        if (self.user is None) != (self.password_env is None):
            raise ValueError("`user` and `password_env` go together")
        if self.user is not None and self.token_env is not None:
            raise ValueError("either a token or a password, not both")
        return self


class PromMeasure(Record):
    """One PromQL query; `$step` in it stands for the step, such as `60s`."""

    query: PromQl
    scale: float = 1.0  # the answer is multiplied by it: 1000 turns seconds into milliseconds
    aggregate: Aggregate | None = None  # what makes one series of several
    step_s: Step | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain_query(cls, given: Any) -> Any:
        """A query by itself is short for the mapping."""
        return {"query": given} if isinstance(given, str) else given


class PromComponent(Record):
    """What Prometheus knows of one component."""

    server: Name | None = None  # may be left out where there is only one
    step_s: Step = 60
    model_metrics: dict[Name, PromMeasure] = Field(default_factory=dict)
    data_quality: dict[Name, PromMeasure] = Field(default_factory=dict)
    agent_metrics: dict[Name, PromMeasure] = Field(default_factory=dict)
    infrastructure: dict[Name, PromMeasure] = Field(default_factory=dict)  # evidence, never judged

    @field_validator(*SERIES_TABLES)
    @classmethod
    def _columns_known(
        cls, given: dict[str, PromMeasure], about: ValidationInfo
    ) -> dict[str, PromMeasure]:
        refuse_unknown(cast(SeriesTable, about.field_name), frozenset(given))
        return given

    @model_validator(mode="after")
    def _reads_something(self) -> Self:
        if not self.tables and not self.infrastructure:
            raise ValueError("nothing is read of it; name a query")
        return self

    @property
    def tables(self) -> tuple[SeriesTable, ...]:
        return tuple(table for table in SERIES_TABLES if self.measures(table))

    def measures(self, table: SeriesTable) -> Mapping[str, PromMeasure]:
        """The queries of a table, by column."""
        found: Mapping[str, PromMeasure] = getattr(self, table)
        return found

    def step(self, measure: PromMeasure) -> int:
        return measure.step_s or self.step_s


class PrometheusSource(Record):
    """The section `prometheus` of sources.yaml."""

    servers: tuple[PrometheusServer, ...] = Field(min_length=1)
    components: dict[Name, PromComponent] = Field(min_length=1)

    @model_validator(mode="after")
    def _servers_known(self) -> Self:
        names = [server.name for server in self.servers]
        if len(set(names)) < len(names):
            raise ValueError(f"a server stands twice in {', '.join(names)}")
        for name, component in self.components.items():
            if component.server is None and len(names) > 1:
                raise ValueError(f"{name}: name its `server`, one of {', '.join(names)}")
            if component.server is not None and component.server not in names:
                raise ValueError(
                    f"{name}: there is no server {component.server}, only {', '.join(names)}"
                )
        return self

    def server_of(self, component: str) -> PrometheusServer:
        wanted = self.components[component].server
        return next(s for s in self.servers if wanted in (None, s.name))
