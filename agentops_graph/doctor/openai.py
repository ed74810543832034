"""Checks of a language model behind a server that speaks OpenAI's chat completions."""

from importlib.util import find_spec
from urllib.parse import urlsplit

from agentops_graph.doctor.check import Check
from agentops_graph.domain.address import model_address
from agentops_graph.errors import InputError
from agentops_graph.settings import Settings

PATIENCE_S = 2.0
FALLBACK = "until then the evidence weights answer"


def openai_reasoner(settings: Settings) -> list[Check]:
    """Whether the client is there, the server answers, and it lists the model that is set."""
    url = settings.openai_base_url
    if url is None:
        mend = "set AGENTOPS_OPENAI_BASE_URL"
        return [Check(name="reasoner", state="broken", seen="no base URL is set", mend=mend)]
    try:
        model_address(
            url,
            field="AGENTOPS_OPENAI_BASE_URL",
            allow_remote=settings.allow_remote_hosts,
            hosts=settings.model_hosts,
        )
    except InputError as error:
        return [Check(name="reasoner", state="broken", seen=str(error))]
    if find_spec("openai") is None:
        seen, mend = "its client is not installed", "pip install 'agentops-graph[openai]'"
        return [Check(name="reasoner", state="broken", seen=seen, mend=mend)]
    place = urlsplit(url).netloc
    names = _models(url, settings)
    if isinstance(names, str):
        seen, mend = f"{place}: {names}", f"start it, or mend its address; {FALLBACK}"
        return [Check(name="reasoner", state="degraded", seen=seen, mend=mend)]
    if names and settings.model not in names:
        shown = ", ".join(names[:10])
        seen, mend = f"{place} has no {settings.model}; it has: {shown}", "set AGENTOPS_MODEL"
        return [Check(name="reasoner", state="degraded", seen=seen, mend=mend)]
    return [Check(name="reasoner", state="ok", seen=f"{settings.model} on {place}")]


def _models(url: str, settings: Settings) -> list[str] | str:
    """Those that the server lists, or in words why it does not; not every gateway lists any."""
    import httpx  # noqa: PLC0415 - start-up is a budget

    key = settings.openai_api_key
    headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
    try:
        with httpx.Client(timeout=PATIENCE_S, trust_env=False, headers=headers) as client:
            response = client.get(f"{url.rstrip('/')}/models")
            if response.status_code in (404, 405):
                return []
            response.raise_for_status()
            document = response.json()
    except httpx.HTTPStatusError as error:
        return f"answered {error.response.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return f"no answer ({type(error).__name__})"
    listed = document.get("data") if isinstance(document, dict) else None
    rows = listed if isinstance(listed, list) else []
    return [str(row["id"]) for row in rows if isinstance(row, dict) and "id" in row]
