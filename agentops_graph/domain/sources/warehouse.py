"""Which database is the warehouse: the embedded file, Postgres or Snowflake."""

from typing import Annotated, Literal, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import ConfigDict, Field, ValidationError, model_validator

from agentops_graph.domain.address import LOOPBACK
from agentops_graph.domain.record import Name, Record
from agentops_graph.errors import InputError

Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]  # of the environment
SslMode = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
# Anything less falls back to plain text when someone in between asks for it.
SEALED: tuple[SslMode, ...] = ("require", "verify-ca", "verify-full")


class _Remote(Record):
    """A database on a server. Its answers are bounded in time and in rows."""

    model_config = ConfigDict(populate_by_name=True)

    db_schema: Name | None = Field(default=None, alias="schema")
    password_env: Variable | None = None
    statement_timeout_s: float = Field(default=60, ge=1, le=3600)
    sample_rows: int = Field(default=20_000, ge=1000, le=1_000_000)  # read of one window at most


class EmbeddedWarehouse(Record):
    """The SQLite file in the data folder."""

    kind: Literal["sqlite"]


class PostgresWarehouse(_Remote):
    """A Postgres server, by libpq's usual names."""

    kind: Literal["postgres"]
    host: Name = "127.0.0.1"  # a name, an address, or the folder of a socket
    port: int = Field(default=5432, ge=1, le=65535)
    database: Name
    user: Name
    sslmode: SslMode | None = None  # default: `prefer` on this machine, `require` elsewhere
    sslrootcert: Name | None = None  # a file, for `verify-ca` and `verify-full`

    @property
    def is_near(self) -> bool:
        return self.host in LOOPBACK or self.host.startswith("/")

    @property
    def encryption(self) -> SslMode:
        return self.sslmode or ("prefer" if self.is_near else "require")


class SnowflakeWarehouse(_Remote):
    """A database of a Snowflake account, by the connector's usual names."""

    kind: Literal["snowflake"]
    account: Name
    user: Name
    database: Name
    warehouse: Name | None = None  # what computes; default: the user's own
    role: Name | None = None
    query_tag: Name = "agentops"  # finds our queries in QUERY_HISTORY
    private_key_file: Name | None = None  # a key pair in place of a password
    private_key_passphrase_env: Variable | None = None
    # For a private endpoint; by default the account's own.
    host: Name | None = None

    @model_validator(mode="after")
    def _proves_itself_once(self) -> Self:
        given = (self.private_key_file, self.password_env)
        if all(given) or not any(given):
            raise ValueError("needs either `private_key_file` or `password_env`")
        return self


WarehouseSource = Annotated[
    EmbeddedWarehouse | PostgresWarehouse | SnowflakeWarehouse, Field(discriminator="kind")
]
RemoteWarehouse = PostgresWarehouse | SnowflakeWarehouse
FIELD = "AGENTOPS_WAREHOUSE_URL"


def warehouse_of_url(url: str) -> tuple[RemoteWarehouse, str | None]:
    """`postgresql://user:password@host:5432/database?schema=ml` or
    `snowflake://user:password@account/database/schema?warehouse=wh&role=reader`, and its password.
    Raises InputError, which never shows that."""
    parts = urlsplit(url)
    given: dict[str, object] = dict(parse_qsl(parts.query))
    if parts.username:
        given["user"] = unquote(parts.username)
    if parts.password:
        given["password_env"] = FIELD
    path = [unquote(step) for step in parts.path.split("/") if step]
    given |= dict(zip(("database", "schema"), path, strict=False))
    kinds = {"postgresql": PostgresWarehouse, "postgres": PostgresWarehouse}
    kinds_of_scheme = kinds | {"snowflake": SnowflakeWarehouse}
    chosen = kinds_of_scheme.get(parts.scheme)
    if chosen is None:
        raise InputError(
            f"{parts.scheme or 'this'} is no kind of warehouse; begin with postgresql:// or "
            "snowflake://",
            field=FIELD,
        )
    try:
        port = parts.port
    except ValueError:
        raise InputError("the port is no number of 1 to 65535", field=FIELD) from None
    password = unquote(parts.password) if parts.password else None
    return _read(chosen, given, parts.hostname, port), password


def _read(
    chosen: type[PostgresWarehouse] | type[SnowflakeWarehouse],
    given: dict[str, object],
    host: str | None,
    port: int | None,
) -> RemoteWarehouse:
    if chosen is SnowflakeWarehouse:
        named: dict[str, object] = {"kind": "snowflake", "account": host}
    else:
        given_place = {"host": host, "port": str(port or "")}
        named = {"kind": "postgres", **{n: v for n, v in given_place.items() if v}}
    try:
        return chosen.model_validate(named | given)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(step) for step in problem["loc"])
        said = problem["msg"].removeprefix("Value error, ")
        raise InputError(f"{where}: {said}" if where else said, field=FIELD) from None
