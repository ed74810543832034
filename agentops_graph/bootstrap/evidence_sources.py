"""Makes the declared logs and APIs into sources of evidence, with what they sign in with."""

import base64
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from agentops_graph.bootstrap.placing import Place
from agentops_graph.domain.address import refuse_plain_http
from agentops_graph.domain.redaction import remember_secrets
from agentops_graph.domain.sources.declared import Sources
from agentops_graph.domain.sources.logs import ElasticLogs, FileLogs, LogSettings, LokiLogs
from agentops_graph.domain.sources.rest import RestSource
from agentops_graph.encryption import Ring
from agentops_graph.errors import InputError
from agentops_graph.later import later
from agentops_graph.ports import AnswersKept, EvidenceFolder, FactSource, LogSource
from agentops_graph.settings import Settings

Credentials = Callable[[], Mapping[str, str]]


def evidence_ports(
    declared: Sources, settings: Settings, place: Place, ring: Callable[[], Ring]
) -> dict[str, Any]:
    allow_remote, home = settings.allow_remote_hosts, settings.home
    return {
        "logs": log_sources(declared, home, place, allow_remote=allow_remote),
        "facts": fact_sources(declared, place, allow_remote=allow_remote),
        "evidence_folder": evidence_folder(home, ring),
        "answers": answers_kept(),
    }


def log_sources(
    declared: Sources, home: Path, place: Place, *, allow_remote: bool
) -> tuple[LogSource, ...]:
    """In the order of the file. One whose address may not be asked, or whose secret is missing,
    raises InputError with its line when it is read: it is evidence, and the others go on."""
    return tuple(
        _log_source(one, home, partial(place, "logs", number), allow_remote=allow_remote)
        for number, one in enumerate(declared.logs)
    )


def fact_sources(declared: Sources, place: Place, *, allow_remote: bool) -> tuple[FactSource, ...]:
    """The same for APIs."""
    return tuple(
        _fact_source(one, partial(place, "rest", number), allow_remote=allow_remote)
        for number, one in enumerate(declared.rest)
    )


def refuse_addresses(declared: Sources, place: Place, *, allow_remote: bool) -> None:
    """Raises InputError with the line of the first address that no reader would ask."""
    for section in ("logs", "rest"):
        for number, one in enumerate(getattr(declared, section)):
            if not isinstance(one, FileLogs):
                field = place(section, number, "url")
                refuse_plain_http(one.url, field=field, allow_remote=allow_remote)


def evidence_folder(home: Path, ring: Callable[[], Ring]) -> EvidenceFolder:
    def make() -> EvidenceFolder:
        from agentops_graph.adapters.evidence_files import EvidenceFiles

        return EvidenceFiles(home, ring())

    return later(make)


def answers_kept() -> AnswersKept:
    from agentops_graph.adapters.memory.answers import AnswersInMemory

    return AnswersInMemory()


def _log_source(
    declared: LogSettings, home: Path, place: Place, *, allow_remote: bool
) -> LogSource:
    if isinstance(declared, FileLogs):
        from agentops_graph.adapters.file_logs import FileLogSource

        return FileLogSource(declared, home)
    from agentops_graph.guarded_http import GuardedHttp, Rules

    signed = _admitted(declared.url, _signed(declared, place), place, allow_remote=allow_remote)
    # A team's own logs lie in its own network: the host that it names may be private.
    own = frozenset({urlsplit(declared.url).hostname or ""})
    http = GuardedHttp(Rules(allow_private=own, allow_plain=allow_remote))
    if isinstance(declared, LokiLogs):
        from agentops_graph.adapters.loki_logs import LokiLogSource

        return LokiLogSource(declared, http, signed)
    from agentops_graph.adapters.elastic_logs import ElasticLogSource

    return ElasticLogSource(declared, http, signed)


def _fact_source(declared: RestSource, place: Place, *, allow_remote: bool) -> FactSource:
    from agentops_graph.adapters.rest_facts import RestFactSource
    from agentops_graph.guarded_http import GuardedHttp, Rules

    token = _admitted(declared.url, _token(declared, place), place, allow_remote=allow_remote)
    rules = Rules(frozenset(declared.allow_private), allow_plain=allow_remote)
    return RestFactSource(declared, GuardedHttp(rules), token)


def _admitted(
    url: str, credentials: Credentials, place: Place, *, allow_remote: bool
) -> Credentials:
    """Those credentials, which an address in the clear never gets."""

    def headers() -> Mapping[str, str]:
        refuse_plain_http(url, field=place("url"), allow_remote=allow_remote)
        return credentials()

    return headers


def _signed(declared: LokiLogs | ElasticLogs, place: Place) -> Credentials:
    def headers() -> Mapping[str, str]:
        if declared.token_env:
            token = _secret(declared.token_env, place("token_env"))
            return {"Authorization": f"Bearer {token}"}
        if isinstance(declared, ElasticLogs) and declared.api_key_env:
            key = _secret(declared.api_key_env, place("api_key_env"))
            return {"Authorization": f"ApiKey {key}"}
        if declared.username_env and declared.password_env:
            user = _secret(declared.username_env, place("username_env"))
            password = _secret(declared.password_env, place("password_env"))
            pair = base64.b64encode(f"{user}:{password}".encode()).decode()
            remember_secrets([pair])
            return {"Authorization": f"Basic {pair}"}
        return {}

    return headers


def _token(declared: RestSource, place: Place) -> Credentials:
    def headers() -> Mapping[str, str]:
        if declared.token_env is None:
            return {}
        token = _secret(declared.token_env, place("token_env"))
        is_usual = declared.token_header.lower() == "authorization"
        return {declared.token_header: f"Bearer {token}" if is_usual else token}

    return headers


def _secret(variable: str, field: str) -> str:
    """The value of that environment variable, which nothing prints from now on."""
    value = os.environ.get(variable, "").strip()
    if not value:
        raise InputError(f"the environment variable {variable} is not set", field=field)
    if not (value.isascii() and value.isprintable()):
        raise InputError(f"the environment variable {variable} can't be sent", field=field)
    remember_secrets([value])
    return value
