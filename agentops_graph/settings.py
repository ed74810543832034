"""The one reader of the environment: `AGENTOPS_*`, and the names other tools already use."""

import difflib
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, get_args
from urllib.parse import unquote, urlsplit

from pydantic import Field, PositiveInt, SecretStr, ValidationError

from agentops_graph.domain.action import ActionKind
from agentops_graph.domain.identity import Role
from agentops_graph.domain.model_use import PRICE
from agentops_graph.domain.policy import Policy
from agentops_graph.domain.record import Record
from agentops_graph.domain.redaction import redacted, redacted_setting
from agentops_graph.errors import InputError

log = logging.getLogger(__name__)

# Names of other tools that are honoured when our own is not set.
ALIASES = {
    "mlflow_tracking_uri": "MLFLOW_TRACKING_URI",
    "mlflow_experiment": "MLFLOW_EXPERIMENT_NAME",
    "agent_model_name": "AGENT_MODEL_NAME",
    "model": "LLM_ENDPOINT",
    "temperature": "LLM_TEMPERATURE",
    "ollama_host": "OLLAMA_HOST",
    "slack_bot_token": "SLACK_BOT_TOKEN",
    "github_token": "GITHUB_TOKEN",
}
OPENAI_KEY = "OPENAI_API_KEY"  # taken only beside a base URL of ours
# Set before anything that would phone home is imported, here and in children.
SILENCE = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "ANONYMIZED_TELEMETRY": "False",
    "LANGGRAPH_STRICT_MSGPACK": "true",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
}
# Kubernetes injects these beside a service called "agentops".
INJECTED = ("AGENTOPS_PORT", "AGENTOPS_SERVICE_")
ONLY_EVALUATIONS = "AGENTOPS_EVAL_DATA"  # read by them alone: the folder of third-party sets


class Settings(Record):
    """Everything that can be set, with its default; built once, in `bootstrap`."""

    home: Path = Path(".agentops")
    components_file: Path | None = None  # default: components.yaml in the home folder
    sources_file: Path | None = None  # default: sources.yaml in the home folder
    runbooks: Path | None = None  # a folder on top of the runbooks that ship
    ledger_url: str | None = None  # SQLAlchemy URL; default: ledger.db in the home folder
    warehouse_url: SecretStr | None = None  # Postgres or Snowflake; default: warehouse.db
    audit_key: SecretStr | None = None  # default: a key file in the home folder
    audit_head: Path | None = None  # default: audit.head in the home folder
    encryption_key: SecretStr | None = None  # nothing is encrypted without one
    encryption_key_old: SecretStr | None = None  # still read, until `agentops encrypt` has run

    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8000, ge=0, le=65535)
    public_url: str | None = None  # how people reach the service, for links
    token: SecretStr | None = None  # whose word the commands and the MLflow model speak with
    metrics_token: SecretStr | None = None  # lets Prometheus read /metrics, and nothing else
    requests_per_minute: int = Field(default=100, ge=1)  # of one token, or of one address
    requests_per_hour: int = Field(default=5000, ge=1)
    max_body_bytes: int = Field(default=1_000_000, ge=1)
    oidc_issuer: str | None = None  # whose JWTs are taken over HTTP, beside tokens
    oidc_audience: str | None = None  # what its JWTs must be meant for
    oidc_name_claim: str = "sub"
    oidc_role_claim: str = "roles"
    oidc_roles: dict[str, Role] = Field(default_factory=dict)  # value of the claim -> our role
    oidc_tenant_claim: str | None = None

    reasoner: str = Field(default="evidence", pattern="^(evidence|ollama|openai)$")
    model: str = "llama3"
    ollama_host: str = "http://127.0.0.1:11434"
    ollama_timeout_s: float = 30
    openai_base_url: str | None = None  # vLLM, llama.cpp, LiteLLM, Azure, a company's gateway
    openai_api_key: SecretStr | None = None
    openai_timeout_s: float = 30
    model_hosts: tuple[str, ...] = ()  # beside this machine, where alerts and evidence may go
    model_tokens: int = Field(default=40_000, ge=1)  # in and out, of one diagnosis
    model_reads: int = Field(default=4, ge=0, le=20)  # pieces of evidence a model may ask for
    model_prices: dict[str, Annotated[str, Field(pattern=PRICE)]] = Field(default_factory=dict)
    prompts: Path | None = None  # a folder whose files go before those that ship
    prompt_pins: dict[str, str] = Field(default_factory=dict)  # name -> version, or identity
    temperature: float = Field(default=0.3, ge=0, le=2)
    allow_remote_hosts: bool = False  # Ollama, MLflow, Chroma off loopback

    chroma_url: str | None = None
    embedding: str = "lexical"  # what makes the vectors of runbooks and incidents
    rerank: str = "none"  # what reorders the best results of a search

    mlflow: bool = True
    mlflow_tracking_uri: str | None = None  # default: mlflow.db in the home folder
    mlflow_experiment: str = "agentops"
    agent_model_name: str = "health_monitor_orchestrator"
    models_url: str | None = None  # a team's own serving system, instead of the registry
    models_token: SecretStr | None = None

    slack_bot_token: SecretStr | None = None
    slack_channel: str = "#ml-alerts"
    data_team_channel: str = "#data-team"
    pager_channel: str = "#on-call"
    slack_api_url: str = "https://slack.com/api/"
    github_token: SecretStr | None = None
    github_repository: str | None = None
    github_api_url: str = "https://api.github.com"

    escalate_after_s: float = Field(default=300, gt=0)
    expires_after_s: float = Field(default=86400, gt=0)
    watch_every_s: float = Field(default=60, gt=0)
    escalation_chain: tuple[str, ...] = ("on-call", "team", "manager")
    supersede_confidence: float = Field(default=0.7, ge=0, le=1)
    recurrence_window_s: float = Field(default=604800, ge=0)  # 0: nothing counts as a repeat
    recurrence_trust: float = Field(default=0.6, ge=0, le=1)
    unanswered_pause_s: float = Field(default=900, ge=0)
    replans_per_incident: int = Field(default=3, ge=0)
    actions_per_target_per_day: int = Field(default=6, ge=1)
    # how many people have to approve, by action
    quorum: dict[ActionKind, PositiveInt] = Field(default_factory=dict)
    four_eyes: bool = True  # who edited an action may not approve it
    work_deadline_s: float = Field(default=14400, gt=0)
    work_silent_s: float = Field(default=600, ge=30)  # heartbeats come every 5 s
    lease_s: float = Field(default=15, ge=2)
    monitor_every_s: float = Field(default=60, gt=0)

    @property
    def oidc(self) -> dict[str, Any]:
        """Every setting of the issuer of identities, by its name without `oidc_`."""
        fields = [name for name in type(self).model_fields if name.startswith("oidc_")]
        return {name.removeprefix("oidc_"): getattr(self, name) for name in fields}

    @property
    def secrets(self) -> list[str]:
        """Every value that must never be shown: the secret ones, and passwords inside URLs."""
        found: list[str] = []
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, SecretStr):
                value = value.get_secret_value()
                found.append(value)
            if isinstance(value, str) and "://" in value:
                found.append(unquote(urlsplit(value).password or ""))
        return found

    @property
    def policy(self) -> Policy:
        return Policy(
            escalate_after_s=self.escalate_after_s,
            expires_after_s=self.expires_after_s,
            watch_every_s=self.watch_every_s,
            supersede_confidence=self.supersede_confidence,
            recurrence_window_s=self.recurrence_window_s,
            recurrence_trust=self.recurrence_trust,
            unanswered_pause_s=self.unanswered_pause_s,
            replans_per_incident=self.replans_per_incident,
            chain=self.escalation_chain,
            actions_per_target_per_day=self.actions_per_target_per_day,
            quorum=self.quorum,
            four_eyes=self.four_eyes,
            work_deadline_s=self.work_deadline_s,
            work_silent_s=self.work_silent_s,
        )

    @property
    def url(self) -> str:
        return self.public_url or f"http://{self.http_host}:{self.http_port}"


def read_settings(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Settings from the environment; an unknown `AGENTOPS_*` name is a warning with the nearest
    match, a bad value is an InputError that names the variable."""
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for field in Settings.model_fields:
        own = f"AGENTOPS_{field.upper()}"
        name = own if environ.get(own) else ALIASES.get(field, own)
        if environ.get(name):
            values[field] = _parsed(field, environ[name])
    # A key for OpenAI itself must not go elsewhere because a shell happens to hold it.
    if values.get("openai_base_url") and environ.get(OPENAI_KEY):
        values.setdefault("openai_api_key", environ[OPENAI_KEY])
    _warn_of_unknown(environ)
    try:
        settings = Settings(**(values | overrides))
    except ValidationError as error:
        problem = error.errors()[0]
        field = str(problem["loc"][0])
        raise InputError(
            f"{problem['msg']} (seen: {redacted(repr(problem['input']))})",
            field=f"AGENTOPS_{field.upper()}",
        ) from None
    return settings.model_copy(update={"home": settings.home.expanduser().absolute()})


def without_token() -> dict[str, str]:
    """The environment for detached work, which speaks for nobody."""
    return {name: value for name, value in os.environ.items() if name != "AGENTOPS_TOKEN"}


def without_secrets() -> dict[str, str]:
    """The environment for programs that need none: without the secret settings, under any of
    their names, and without what else is named or looks like a credential."""
    secret = {
        n for n, one in Settings.model_fields.items() if SecretStr in get_args(one.annotation)
    }
    names = {OPENAI_KEY, *(f"AGENTOPS_{n.upper()}" for n in secret)}
    return {
        name: value
        for name, value in os.environ.items()
        if name not in names and redacted_setting(name, value) == value
    }


def model_key() -> dict[str, str]:
    """What of the environment a program needs to ask the model that the settings name."""
    if os.environ.get("AGENTOPS_REASONER") != "openai":
        return {}
    names = (OPENAI_KEY, "AGENTOPS_OPENAI_API_KEY")
    return {name: os.environ[name] for name in names if name in os.environ}


def _parsed(field: str, text: str) -> Any:
    if field in ("escalation_chain", "model_hosts"):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if field in ("quorum", "oidc_roles", "model_prices", "prompt_pins"):
        pairs = (part.partition("=") for part in text.split(",") if part.strip())
        return {name.strip(): people.strip() for name, _, people in pairs}
    if field == "ollama_host" and "://" not in text:
        return f"http://{text}"
    return text


def _warn_of_unknown(environ: Mapping[str, str]) -> None:
    known = {f"AGENTOPS_{field.upper()}" for field in Settings.model_fields} | {ONLY_EVALUATIONS}
    for name in environ:
        if not name.startswith("AGENTOPS_") or name in known or name.startswith(INJECTED):
            continue
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        log.warning("unknown setting %s is not used%s", name, hint)
