"""Settings: what is read, what is refused, and the two pages that list them."""

import logging
import re
import shlex
from pathlib import Path

import pytest

from agentops_graph.errors import InputError
from agentops_graph.settings import ALIASES, Settings, read_settings

ROOT = Path(__file__).parent.parent
NAMES = {f"AGENTOPS_{field.upper()}": field for field in Settings.model_fields}


def written(value):
    """A default as people write it into the environment."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, dict):
        return ",".join(f"{key}={one}" for key, one in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


DEFAULTS = {
    name: written(Settings.model_fields[field].get_default(call_default_factory=True))
    for name, field in NAMES.items()
}


def in_the_example():
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return {
        name: "".join(shlex.split(value))
        for name, value in re.findall(r"^# (AGENTOPS_\w+)=(.*)$", text, re.M)
    }


def test_example_file_names_every_setting_with_its_default():
    assert in_the_example() == DEFAULTS


def test_example_file_with_every_line_in_force_changes_nothing(tmp_path):
    assert read_settings(in_the_example(), home=tmp_path) == read_settings({}, home=tmp_path)


def test_page_names_every_setting_with_its_default():
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(AGENTOPS_\w+)` \| (`[^`]*`|none) \| \S.* \|$", page, re.M)
    assert [name for name, _ in rows] == list(NAMES)
    listed = {name: "" if value == "none" else value.strip("`") for name, value in rows}
    assert listed == DEFAULTS


def test_page_names_every_alias():
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(?!AGENTOPS_)(\w+)` \| `AGENTOPS_(\w+)` \|$", page, re.M)
    assert {own.lower(): other for other, own in rows} == ALIASES


@pytest.mark.parametrize(
    ("misspelt", "nearest"),
    [
        ("AGENTOPS_SLACK_CHANEL", "AGENTOPS_SLACK_CHANNEL"),
        ("AGENTOPS_HTTP_PRT", "AGENTOPS_HTTP_PORT"),
    ],
)
def test_unknown_name_is_a_warning_with_the_nearest_match(caplog, misspelt, nearest):
    with caplog.at_level(logging.WARNING):
        read_settings({misspelt: "x"})
    (record,) = caplog.records
    assert misspelt in record.getMessage()
    assert f"did you mean {nearest}?" in record.getMessage()


def test_a_name_that_only_evaluations_read_is_known(caplog):
    with caplog.at_level(logging.WARNING):
        read_settings({"AGENTOPS_EVAL_DATA": "/sets"})
    assert caplog.records == []


def test_names_that_kubernetes_injects_are_neither_read_nor_warned_of(caplog):
    injected = {
        "AGENTOPS_PORT": "tcp://10.0.0.11:8000",
        "AGENTOPS_SERVICE_HOST": "10.0.0.11",
        "AGENTOPS_SERVICE_PORT": "8000",
        "AGENTOPS_PORT_8000_TCP_ADDR": "10.0.0.11",
    }
    with caplog.at_level(logging.WARNING):
        assert read_settings(injected) == read_settings({})
    assert caplog.records == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AGENTOPS_HTTP_PORT", "eighty"),
        ("AGENTOPS_HTTP_PORT", "65536"),
        ("AGENTOPS_REASONER", "magic"),
        ("AGENTOPS_TEMPERATURE", "3"),
        ("AGENTOPS_LEASE_S", "1"),
        ("AGENTOPS_MLFLOW", "perhaps"),
    ],
)
def test_value_that_does_not_fit_names_its_variable(name, value):
    with pytest.raises(InputError, match=name) as refused:
        read_settings({name: value})
    assert value in str(refused.value)
    assert refused.value.exit_code == 2


def test_secret_is_hidden_where_settings_are_printed():
    settings = read_settings({"AGENTOPS_SLACK_BOT_TOKEN": "xoxb-1"})
    assert "xoxb-1" not in repr(settings)


@pytest.mark.parametrize(("field", "other"), ALIASES.items())
def test_other_tools_name_is_read_until_ours_is_set(field, other):
    own = f"AGENTOPS_{field.upper()}"
    theirs, ours = ("0.5", "0.7") if field == "temperature" else ("http://theirs", "http://ours")
    assert plain(getattr(read_settings({other: theirs}), field)) == theirs
    assert plain(getattr(read_settings({other: theirs, own: ours}), field)) == ours
    assert plain(getattr(read_settings({other: theirs, own: ""}), field)) == theirs


def plain(value):
    return value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)


def test_empty_value_counts_as_not_set():
    assert read_settings({"AGENTOPS_HTTP_PORT": ""}).http_port == 8000


def test_chain_of_people_is_a_list_and_a_bare_ollama_host_gets_its_scheme():
    settings = read_settings(
        {"AGENTOPS_ESCALATION_CHAIN": "mia, the team,", "OLLAMA_HOST": "127.0.0.1:9"}
    )
    assert settings.escalation_chain == ("mia", "the team")
    assert settings.policy.person_at(5) == "the team"
    assert settings.ollama_host == "http://127.0.0.1:9"


def test_data_folder_is_absolute_from_the_start(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_settings({}).home == tmp_path / ".agentops"


def test_the_key_of_the_shell_is_taken_only_beside_a_base_url_of_ours():
    shell = {"OPENAI_API_KEY": "sk-of-the-shell"}
    ours = {"AGENTOPS_OPENAI_BASE_URL": "http://127.0.0.1:8001/v1"}
    assert read_settings(shell).openai_api_key is None
    assert plain(read_settings(shell | ours).openai_api_key) == "sk-of-the-shell"
    own = {"AGENTOPS_OPENAI_API_KEY": "sk-ours"}
    assert plain(read_settings(shell | ours | own).openai_api_key) == "sk-ours"


def test_prices_hosts_and_pins_are_lists_of_pairs_and_names():
    settings = read_settings(
        {
            "AGENTOPS_MODEL_PRICES": "llama3:8b=0:0, openai/big=2.5:10",
            "AGENTOPS_MODEL_HOSTS": "llm.example, other.example",
            "AGENTOPS_PROMPT_PINS": "diagnose=2-1a2b3c4d",
        }
    )
    assert settings.model_prices == {"llama3:8b": "0:0", "openai/big": "2.5:10"}
    assert settings.model_hosts == ("llm.example", "other.example")
    assert settings.prompt_pins == {"diagnose": "2-1a2b3c4d"}
    with pytest.raises(InputError, match="AGENTOPS_MODEL_PRICES"):
        read_settings({"AGENTOPS_MODEL_PRICES": "big=cheap"})
