"""What a folder is run with: a change is one row of the audit that names it, without values."""

import base64
import json
import os

import pytest
from typer.testing import CliRunner

from agentops_graph.bootstrap import Workshop
from agentops_graph.cli.__main__ import app
from agentops_graph.doctor import examine
from agentops_graph.settings import read_settings

KEY = base64.urlsafe_b64encode(os.urandom(32)).decode()
CLAIM = {
    "severity": "critical",
    "alert_type": "model_drift",
    "affected_component": "fraud_model",
    "metrics": {"aggregate_psi": 0.47},
    "timestamp": "2026-02-28T10:15:00Z",
    "summary": "Kestrel-7731 drifted",
}


class Folder:
    """A data folder and the environment it is run with."""

    def __init__(self, home):
        self.home = home
        self.components("fraud_model", rows=100)

    def components(self, name, rows):
        self.home.mkdir(exist_ok=True)
        words = f"components:\n  - name: {name}\n    expected_rows_per_hour: {rows}\n"
        (self.home / "components.yaml").write_text(words)

    def workshop(self, **environ):
        named = {f"AGENTOPS_{name.upper()}": value for name, value in environ.items()}
        return Workshop(read_settings(named, home=self.home, mlflow=False))

    def run(self, **environ):
        """A runner starts; the rows of the audit that tell of its configuration."""
        workshop = self.workshop(**environ)
        workshop.runner("work")
        rows = workshop.ports.audit.rows()
        assert workshop.ports.audit.verify() is None
        return [json.loads(r["fields"])["keys"] for r in rows if r["what"] == "settings.changed"]

    def encryption(self, **environ):
        settings = self.workshop(**environ).settings
        checks = examine(settings, lambda: Workshop(settings).ports)
        return next(check for check in checks if check.name == "encryption")


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "home")


def test_a_changed_setting_is_one_row_that_names_it(folder):
    first = ["all, for the first time"]
    assert folder.run() == first
    assert folder.run() == first  # the same again is no row
    changed = folder.run(escalate_after_s="60", watch_every_s="30")
    assert changed == [*first, "settings.escalate_after_s, settings.watch_every_s"]
    assert len(folder.run(escalate_after_s="60", watch_every_s="30")) == 2


def test_a_changed_component_is_named_and_so_is_one_that_is_gone(folder):
    folder.run()
    folder.components("fraud_model", rows=200)
    assert folder.run()[-1] == "components.fraud_model.expected_rows_per_hour"
    folder.components("churn", rows=200)
    assert "components.churn.name" in folder.run()[-1]
    assert "components.fraud_model.name" in folder.run()[-1]


def test_of_a_secret_only_whether_it_is_set_is_kept(folder):
    folder.run()
    assert folder.run(slack_bot_token="a-quite-secret-token")[-1] == "settings.slack_bot_token"
    count = len(folder.run(slack_bot_token="another-secret-token"))
    assert count == 2
    files = [file.read_bytes() for file in folder.home.iterdir() if file.is_file()]
    assert not any(b"secret-token" in held for held in files)


def test_doctor_says_whether_encryption_is_on_and_whether_the_key_fits(folder):
    other = base64.urlsafe_b64encode(b"x" * 32).decode()
    assert folder.encryption().seen.startswith("off")
    on = folder.encryption(encryption_key=KEY)
    assert (on.state, on.seen[:12]) == ("ok", "on, with key")
    assert folder.encryption().state == "broken"
    assert folder.encryption(encryption_key=other).state == "broken"
    malformed = folder.encryption(encryption_key="short")
    assert malformed.state == "broken"
    assert "32 random bytes" in malformed.seen
    both = folder.encryption(encryption_key=other, encryption_key_old=KEY)
    assert both.state == "degraded"
    assert "agentops encrypt" in both.mend


def test_the_command_encrypts_what_was_written_before(folder, monkeypatch):
    folder.workshop().service.raise_alert(CLAIM, actor="pager", via="http")
    assert b"Kestrel-7731" in (folder.home / "ledger.db").read_bytes()

    def run(*arguments):
        return CliRunner().invoke(app, ["--home", str(folder.home), *arguments])

    assert run("encrypt").exit_code == 2
    monkeypatch.setenv("AGENTOPS_ENCRYPTION_KEY", KEY)
    told = run("encrypt", "--json")
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["changed"] > 0
    assert b"Kestrel-7731" not in (folder.home / "ledger.db").read_bytes()
    assert "Kestrel-7731" in run("incidents").stdout
    monkeypatch.delenv("AGENTOPS_ENCRYPTION_KEY")
    refused = run("incidents")
    assert refused.exit_code == 2
    assert "AGENTOPS_ENCRYPTION_KEY" in refused.stderr
