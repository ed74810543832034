"""Where logs lie: files, Loki, Elasticsearch or OpenSearch, and of which components they speak."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, field_validator, model_validator

from agentops_graph.domain.address import checked_address
from agentops_graph.domain.record import Name, Record, Text

COMPONENT = "$component"  # in a path or a query: the name of the component that is asked about
LABEL = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"

EnvName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200)]
Address = Annotated[Text, Field(min_length=1, max_length=2000), AfterValidator(checked_address)]
Label = Annotated[str, Field(pattern=LABEL, max_length=100)]  # it becomes part of file names


class _LogSource(Record):
    """What every kind has."""

    name: Label
    components: tuple[Name, ...] = Field(min_length=1)  # components and feeds that it speaks of
    max_lines: int = Field(default=100_000, ge=100, le=1_000_000)  # of one read
    max_bytes: int = Field(default=64_000_000, ge=10_000, le=1_000_000_000)  # of one read
    timeout_s: float = Field(default=10, gt=0, le=12)  # of one read, all its pages together
    time_field: Name | None = None  # of JSON and logfmt lines; else the usual names
    level_field: Name | None = None
    message_field: Name | None = None


class _HttpLogSource(_LogSource):
    """What is read over HTTP."""

    url: Address
    token_env: EnvName | None = None  # holds a bearer token
    username_env: EnvName | None = None  # with password_env, for basic authentication
    password_env: EnvName | None = None

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.username_env is None) is not (self.password_env is None):
            raise ValueError("username_env and password_env go together")
        ways = (self.token_env, self.username_env, getattr(self, "api_key_env", None))
        if sum(way is not None for way in ways) > 1:
            raise ValueError("name one way to sign in: a token, an API key, or user and password")
        return self


class FileLogs(_LogSource):
    """Files on this machine; a pattern, taken from the data folder when it is relative."""

    kind: Literal["files"]
    path: Annotated[Text, Field(min_length=1, max_length=1000)]
    follow_links: bool = False  # to files outside the pattern's folder
    timezone: str = "UTC"  # of times that don't say theirs

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("is no time zone, such as UTC or Europe/Vienna") from None
        return name


class LokiLogs(_HttpLogSource):
    """A Loki server and a log query."""

    kind: Literal["loki"]
    query: Annotated[Text, Field(min_length=2, max_length=4000)]
    tenant: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,150}$")] | None = None
    page_lines: int = Field(default=5000, ge=1, le=50_000)  # Loki's own limit is 5000


class ElasticLogs(_HttpLogSource):
    """An Elasticsearch or OpenSearch cluster and an index."""

    kind: Literal["elasticsearch"]
    index: Annotated[str, Field(pattern=r"^[A-Za-z0-9.*,<>{}|$_-]{1,500}$")]
    query: Annotated[Text, Field(min_length=1, max_length=4000)] = "*"  # query_string syntax
    api_key_env: EnvName | None = None
    page_lines: int = Field(default=5000, ge=1, le=10_000)  # its own limit is 10,000


LogSettings = Annotated[FileLogs | LokiLogs | ElasticLogs, Field(discriminator="kind")]


def named_once(sources: tuple[Any, ...]) -> tuple[Any, ...]:
    """For the list of one section: a name tells its entries apart."""
    names = [source.name for source in sources]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{twice} stands twice; each needs a name of its own")
    return sources


LogSection = Annotated[tuple[LogSettings, ...], AfterValidator(named_once)]


def asked_of(declared: LokiLogs | ElasticLogs, subjects: Sequence[str]) -> tuple[str, ...]:
    """Those of the subjects that it speaks of; only the first where its query names none of them,
    since the others would be answered with the same lines."""
    known = tuple(subject for subject in subjects if subject in declared.components)
    return known if COMPONENT in declared.query else known[:1]
