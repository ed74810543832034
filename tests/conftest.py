"""What every test runs under: no network, no settings of this machine, golden files."""

import difflib
import ipaddress
import os
import socket
from pathlib import Path

import pytest

# Set before any library is imported, because several read them at import.
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "ANONYMIZED_TELEMETRY": "False",
    "LANGGRAPH_STRICT_MSGPACK": "true",
    "LANGCHAIN_TRACING_V2": "false",
    "LANGSMITH_TRACING": "false",
}
os.environ.update(QUIET)

FOREIGN = (
    "AGENTOPS_",
    "AGENT_",
    "SLACK_",
    "GITHUB_",
    "OLLAMA_",
    "OPENAI_",
    "MLFLOW_",
    "LLM_",
    "SNOWFLAKE_",
    "LANGCHAIN_",
    "LANGSMITH_",
    "MEMORY_TTL_",
)
PROXIES = ("http_proxy", "https_proxy", "all_proxy")
GOLDEN = Path(__file__).parent / "golden"


class OffLoopbackError(RuntimeError):
    """A test reached for the network. Not an OSError, so that no adapter can swallow it."""


def pytest_addoption(parser):
    parser.addoption("--rewrite-golden", action="store_true", help="write golden files anew")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--rewrite-golden"):
        kept = [item for item in items if "golden" in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


def _refuse_off_loopback(family, address):
    if family not in (socket.AF_INET, socket.AF_INET6):
        return
    host = str(address[0])
    try:
        is_local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        is_local = False
    if not is_local:
        raise OffLoopbackError(f"a test tried to connect to {host}; tests stay on this machine")


@pytest.fixture(autouse=True, scope="session")
def _loopback_only():
    """For the whole session, so that session fixtures and threads are held to it as well."""

    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded_connect(self, address):
        _refuse_off_loopback(self.family, address)
        return connect(self, address)

    def guarded_connect_ex(self, address):
        _refuse_off_loopback(self.family, address)
        return connect_ex(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        yield


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch, tmp_path):
    """No setting of the machine reaches a test, and what a test writes stays in its folder."""
    for name in list(os.environ):
        if name.lower() in PROXIES or (name.startswith(FOREIGN) and name not in QUIET):
            monkeypatch.delenv(name)
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AGENTOPS_HOME", str(tmp_path / "home"))


@pytest.fixture
def golden(request):
    """Compares text with a file of `tests/golden/`; `make golden` writes the files anew."""

    def compare(name, text):
        file = GOLDEN / name
        if request.config.getoption("--rewrite-golden"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            return
        kept = file.read_text(encoding="utf-8") if file.exists() else ""
        difference = difflib.unified_diff(
            kept.splitlines(), text.splitlines(), f"tests/golden/{name}", "now", lineterm=""
        )
        if kept != text:
            pytest.fail(
                "\n".join([*difference, "", "meant? then run `make golden`"]), pytrace=False
            )

    return compare
