"""Checks of what stands outside: the language model, MLflow, Slack and GitHub."""

from urllib.parse import urlsplit

from agentops_graph.doctor.check import Check, Visit
from agentops_graph.doctor.openai import openai_reasoner
from agentops_graph.domain.address import is_loopback
from agentops_graph.domain.redaction import redacted
from agentops_graph.settings import Settings

PATIENCE_S = 2.0


def reasoner(visit: Visit) -> list[Check]:
    settings = visit.settings
    if settings.reasoner == "openai":
        return openai_reasoner(settings)
    if settings.reasoner != "ollama":
        seen = "evidence weights; no language model is asked"
        return [Check(name="reasoner", state="ok", seen=seen)]
    fallback = "until then the evidence weights answer"
    document = _fetched(f"{settings.ollama_host.rstrip('/')}/api/tags", settings)
    if isinstance(document, str):
        seen = f"Ollama at {settings.ollama_host}: {document}"
        mend = f"start it with `ollama serve`; {fallback}"
        return [Check(name="reasoner", state="degraded", seen=seen, mend=mend)]
    models = document.get("models")
    listed = models if isinstance(models, list) else []
    names = [str(m.get("name")) for m in listed if isinstance(m, dict)]
    if not any(name.split(":")[0] == settings.model or name == settings.model for name in names):
        seen = f"Ollama has no {settings.model}; it has: {', '.join(names) or 'none'}"
        mend = f"`ollama pull {settings.model}`; {fallback}"
        return [Check(name="reasoner", state="degraded", seen=seen, mend=mend)]
    return [Check(name="reasoner", state="ok", seen=f"{settings.model} on {settings.ollama_host}")]


def _fetched(url: str, settings: Settings) -> dict[str, object] | str:
    """A JSON document, or in words why there is none."""
    import httpx  # noqa: PLC0415 - start-up is a budget

    allowed = settings.allow_remote_hosts or urlsplit(url).hostname in settings.model_hosts
    if not is_loopback(url) and not allowed:
        return "not on this machine, and AGENTOPS_ALLOW_REMOTE_HOSTS is not set"
    try:
        with httpx.Client(timeout=PATIENCE_S, trust_env=False) as client:
            response = client.get(url)
            response.raise_for_status()
            document = response.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return f"no answer ({type(error).__name__})"
    return document if isinstance(document, dict) else "an answer that is not Ollama's"


def tracking(visit: Visit) -> list[Check]:
    settings = visit.settings
    if not settings.mlflow:
        return [Check(name="mlflow", state="ok", seen="switched off")]
    if settings.mlflow_tracking_uri:
        seen = f"tracks to {redacted(settings.mlflow_tracking_uri)}"
        return [Check(name="mlflow", state="ok", seen=seen)]
    file = settings.home / "mlflow.db"
    if not file.exists():
        seen = f"{file} is not there yet; it is made at the first use"
        return [Check(name="mlflow", state="ok", seen=seen)]
    seen = f"{file}, {file.stat().st_size / 1024**2:.1f} MiB"
    return [Check(name="mlflow", state="ok", seen=seen)]


def notices(visit: Visit) -> list[Check]:
    settings = visit.settings
    local = f"written into {visit.places.outbox}"
    slack = f"sent to {settings.slack_channel}" if settings.slack_bot_token else local
    has_github = settings.github_token is not None and settings.github_repository
    github = f"opened in {settings.github_repository}" if has_github else local
    failing = [n for n in visit.ports.outbox.listed() if n.state != "sent" and n.error]
    checks = [
        Check(name="slack", state="ok", seen=f"notices are {slack}"),
        Check(name="github", state="ok", seen=f"issues are {github}"),
    ]
    if failing:
        seen = f"{len(failing)} not sent; the last one: {failing[-1].error}"
        checks.append(Check(name="outbox", state="degraded", seen=seen))
    return checks
