"""Chooses the warehouse: what the environment or `sources.yaml` names, else the embedded file."""

import os
from typing import TYPE_CHECKING

from agentops_graph.bootstrap.placing import Place
from agentops_graph.domain.sources.warehouse import (
    FIELD,
    SEALED,
    PostgresWarehouse,
    RemoteWarehouse,
    WarehouseSource,
    warehouse_of_url,
)
from agentops_graph.errors import InputError
from agentops_graph.log_lines import clear_log_lines
from agentops_graph.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from agentops_graph.adapters.sql_warehouse import SqlWarehouse
    from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse

NEEDED_BY = {"postgres": ("psycopg", "sqlglot"), "snowflake": ("snowflake.connector", "sqlglot")}


def declared_warehouse(
    settings: Settings, declared: WarehouseSource | None, place: Place
) -> tuple[RemoteWarehouse, str | None] | None:
    """The database and its secret; None for the embedded file. Raises InputError."""
    if settings.warehouse_url is not None:
        source, secret = warehouse_of_url(settings.warehouse_url.get_secret_value())
        named = source.password_env
        secret = secret or (None if named is None else _secret(named, FIELD))
        _check_sealed(settings, source, FIELD)
    elif declared is None or declared.kind == "sqlite":
        return None
    else:
        source, secret = declared, _declared_secret(declared, place)
        _check_sealed(settings, source, place("warehouse"))
    return source, secret


def chosen_warehouse(
    settings: Settings, declared: WarehouseSource | None, path: "Path", place: Place
) -> "SqliteWarehouse | SqlWarehouse":
    """Opens nothing yet. Raises InputError for a mistake, or a library that is not installed."""
    chosen = declared_warehouse(settings, declared, place)
    if chosen is None:
        from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse

        return SqliteWarehouse(path)
    source, secret = chosen
    if secret:
        clear_log_lines([*settings.secrets, secret])
    by_url = settings.warehouse_url is not None
    _check_installed(source.kind, FIELD if by_url else place("warehouse"))
    from agentops_graph.adapters.sql_warehouse import open_warehouse

    return open_warehouse(source, secret)


def _declared_secret(source: RemoteWarehouse, place: Place) -> str | None:
    key, named = "password_env", source.password_env
    if source.kind == "snowflake" and source.private_key_file is not None:
        key, named = "private_key_passphrase_env", source.private_key_passphrase_env
    return None if named is None else _secret(named, place("warehouse", key))


def _secret(name: str, field: str) -> str:
    held = os.environ.get(name)
    if not held:
        raise InputError(
            f"the environment variable {name}, which holds the warehouse's secret, is not set",
            field=field,
        )
    return held


def _check_sealed(settings: Settings, source: RemoteWarehouse, field: str) -> None:
    if not isinstance(source, PostgresWarehouse) or source.is_near:
        return
    if source.encryption not in SEALED and not settings.allow_remote_hosts:
        raise InputError(
            f"sslmode {source.encryption} may send the password to {source.host} in the clear; set "
            "`require` or more, or AGENTOPS_ALLOW_REMOTE_HOSTS=true",
            field=field,
        )


def _check_installed(kind: str, field: str) -> None:
    from importlib.util import find_spec

    for module in NEEDED_BY[kind]:
        try:
            there = find_spec(module) is not None
        except ModuleNotFoundError:
            there = False
        if not there:
            raise InputError(
                f"a warehouse in {kind} needs `pip install 'agentops-graph[{kind}]'` ({module} is "
                "missing)",
                field=field,
            )
