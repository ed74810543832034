"""The one reader of the environment: `AGENTOPS_*`, and the names other tools already use."""

import difflib
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError

from agentops_graph.domain.policy import Policy
from agentops_graph.domain.record import Record
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
# Kubernetes injects these beside a service called "agentops".
INJECTED = ("AGENTOPS_PORT", "AGENTOPS_SERVICE_")


class Settings(Record):
    """Everything that can be set, with its default; built once, in `bootstrap`."""

    home: Path = Path(".agentops")
    components_file: Path | None = None  # default: components.yaml in the home folder
    runbooks: Path | None = None  # a folder on top of the runbooks that ship
    ledger_url: str | None = None  # SQLAlchemy URL; default: ledger.db in the home folder
    audit_key: SecretStr | None = None  # default: a key file in the home folder

    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8000, ge=0, le=65535)
    public_url: str | None = None  # how people reach the service, for links

    reasoner: str = Field(default="evidence", pattern="^(evidence|ollama)$")
    model: str = "llama3"
    ollama_host: str = "http://127.0.0.1:11434"
    ollama_timeout_s: float = 30
    temperature: float = Field(default=0.3, ge=0, le=2)
    allow_remote_hosts: bool = False  # Ollama, MLflow, Chroma off loopback

    chroma_url: str | None = None

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
    actions_per_target_per_day: int = Field(default=6, ge=1)
    lease_s: float = Field(default=15, ge=2)
    monitor_every_s: float = Field(default=60, gt=0)

    @property
    def policy(self) -> Policy:
        return Policy(
            escalate_after_s=self.escalate_after_s,
            expires_after_s=self.expires_after_s,
            watch_every_s=self.watch_every_s,
            chain=self.escalation_chain,
            actions_per_target_per_day=self.actions_per_target_per_day,
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
    _warn_of_unknown(environ)
    try:
        settings = Settings(**(values | overrides))
    except ValidationError as error:
        problem = error.errors()[0]
        field = str(problem["loc"][0])
        raise InputError(
            f"{problem['msg']} (seen: {problem['input']!r})", field=f"AGENTOPS_{field.upper()}"
        ) from None
    return settings.model_copy(update={"home": settings.home.expanduser().absolute()})


def _parsed(field: str, text: str) -> Any:
    if field == "escalation_chain":
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if field == "ollama_host" and "://" not in text:
        return f"http://{text}"
    return text


def _warn_of_unknown(environ: Mapping[str, str]) -> None:
    known = {f"AGENTOPS_{field.upper()}" for field in Settings.model_fields}
    for name in environ:
        if not name.startswith("AGENTOPS_") or name in known or name.startswith(INJECTED):
            continue
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        log.warning("unknown setting %s is not used%s", name, hint)
