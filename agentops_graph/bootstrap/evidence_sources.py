"""Makes the declared logs and APIs into sources of evidence, with what they sign in with."""

import base64
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from agentops_graph.domain.address import refuse_plain_http
from agentops_graph.domain.redaction import remember_secrets
from agentops_graph.domain.sources.declared import Sources
from agentops_graph.domain.sources.logs import ElasticLogs, FileLogs, LogSettings, LokiLogs
from agentops_graph.domain.sources.rest import RestSource
from agentops_graph.encryption import Ring
from agentops_graph.errors import InputError
from agentops_graph.later import later
from agentops_graph.ports import AnswersKept, EvidenceFolder, FactSource, LogSource

Credentials = Callable[[], Mapping[str, str]]


def log_sources(declared: Sources, home: Path, *, allow_remote: bool) -> tuple[LogSource, ...]:
    """In the order of the file. Raises InputError for an address that may not be asked."""
    return tuple(_log_source(one, home, allow_remote=allow_remote) for one in declared.logs)


def fact_sources(declared: Sources, *, allow_remote: bool) -> tuple[FactSource, ...]:
    return tuple(_fact_source(one, allow_remote=allow_remote) for one in declared.rest)


def evidence_folder(home: Path, ring: Callable[[], Ring]) -> EvidenceFolder:
    def make() -> EvidenceFolder:
        from agentops_graph.adapters.evidence_files import EvidenceFiles

        return EvidenceFiles(home, ring())

    return later(make)


def answers_kept() -> AnswersKept:
    from agentops_graph.adapters.memory.answers import AnswersInMemory

    return AnswersInMemory()


def _log_source(declared: LogSettings, home: Path, *, allow_remote: bool) -> LogSource:
    if isinstance(declared, FileLogs):
        from agentops_graph.adapters.file_logs import FileLogSource

        return FileLogSource(declared, home)
    field = f"sources.yaml: {declared.name}"
    refuse_plain_http(declared.url, field=field, allow_remote=allow_remote)
    from agentops_graph.guarded_http import GuardedHttp, Rules

    # A team's own logs lie in its own network: the host that it names may be private.
    own = frozenset({urlsplit(declared.url).hostname or ""})
    http = GuardedHttp(Rules(allow_private=own, allow_plain=allow_remote))
    if isinstance(declared, LokiLogs):
        from agentops_graph.adapters.loki_logs import LokiLogSource

        return LokiLogSource(declared, http, _signed(declared))
    from agentops_graph.adapters.elastic_logs import ElasticLogSource

    return ElasticLogSource(declared, http, _signed(declared))


def _fact_source(declared: RestSource, *, allow_remote: bool) -> FactSource:
    from agentops_graph.adapters.rest_facts import RestFactSource
    from agentops_graph.guarded_http import GuardedHttp, Rules

    field = f"sources.yaml: {declared.name}"
    refuse_plain_http(declared.url, field=field, allow_remote=allow_remote)
    rules = Rules(frozenset(declared.allow_private), allow_plain=allow_remote)
    return RestFactSource(declared, GuardedHttp(rules), _token(declared))


def _signed(declared: LokiLogs | ElasticLogs) -> Credentials:
    def headers() -> Mapping[str, str]:
        if declared.token_env:
            return {"Authorization": f"Bearer {_secret(declared.token_env, declared.name)}"}
        if isinstance(declared, ElasticLogs) and declared.api_key_env:
            return {"Authorization": f"ApiKey {_secret(declared.api_key_env, declared.name)}"}
        if declared.username_env and declared.password_env:
            names = (declared.username_env, declared.password_env)
            user, password = (_secret(name, declared.name) for name in names)
            pair = base64.b64encode(f"{user}:{password}".encode()).decode()
            remember_secrets([pair])
            return {"Authorization": f"Basic {pair}"}
        return {}

    return headers


def _token(declared: RestSource) -> Credentials:
    def headers() -> Mapping[str, str]:
        if declared.token_env is None:
            return {}
        token = _secret(declared.token_env, declared.name)
        is_usual = declared.token_header.lower() == "authorization"
        return {declared.token_header: f"Bearer {token}" if is_usual else token}

    return headers


def _secret(variable: str, name: str) -> str:
    """The value of that environment variable, which nothing prints from now on."""
    value = os.environ.get(variable, "").strip()
    if not value:
        raise InputError(f"the environment variable {variable} is not set", field=name)
    if not (value.isascii() and value.isprintable()):
        raise InputError(f"the environment variable {variable} can't be sent", field=name)
    remember_secrets([value])
    return value
