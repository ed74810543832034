"""Folders of knowledge and prompts are changed by admins, and the audit says by whom."""

import shutil

import pytest

from agentops_graph.access import Access, Keys
from agentops_graph.domain.identity import Identity
from agentops_graph.service import Service
from tests.mlflow_store import QUIET, empty_mlflow_store  # noqa: F401 - a fixture

pytestmark = QUIET


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "theirs"
    place.mkdir()
    (place / "okapi.md").write_text("# Okapi\nokapi\n")
    return place


@pytest.fixture
def keys(desk):
    ports = desk.workshop.ports
    keys = Keys(Access(Service(ports), Identity(name="root", role="admin"), "cli"))
    keys.create("root", "admin")
    return keys


def env(secret):
    return {"AGENTOPS_TOKEN": secret}


def rows(desk, *whats):
    found = desk.workshop.ports.audit.rows()
    return [(r["what"], r["actor"], r["fields"]) for r in found if r["what"] in whats]


def test_a_folder_is_added_and_removed_under_the_name_of_a_person(desk, folder):
    assert desk.run("runbooks", "add", str(folder), "--as", "mia").exit_code == 0
    assert "okapi.md" in desk.run("runbooks", "list").stdout
    assert desk.run("runbooks", "remove", str(folder), "--as", "ben").exit_code == 0
    assert desk.run("runbooks", "sync", "--as", "ben").exit_code == 0
    said = rows(desk, "runbooks.added", "runbooks.removed", "runbooks.synced")
    assert [row[:2] for row in said] == [
        ("runbooks.added", "mia"),
        ("runbooks.removed", "ben"),
        ("runbooks.synced", "ben"),
    ]
    assert str(folder) in str(said[0][2])
    assert str(folder) in str(said[1][2])


def test_a_folder_that_is_none_leaves_no_row(desk, tmp_path):
    assert desk.run("runbooks", "add", str(tmp_path / "absent")).exit_code == 3
    assert desk.run("runbooks", "remove", str(tmp_path / "absent")).exit_code == 3
    assert rows(desk, "runbooks.added", "runbooks.removed") == []


def test_only_an_admin_of_all_tenants_changes_what_is_read(desk, folder, keys):
    tokens = [
        None,
        keys.create("vic", "viewer").secret,
        keys.create("ann", "approver").secret,
        keys.create("tom", "admin", tenant="north").secret,
    ]
    changes = [("runbooks", word, str(folder)) for word in ("add", "remove")]
    for command in (*changes, ("runbooks", "sync"), ("prompts", "push")):
        for secret in tokens:
            refused = desk.run(*command, env=env(secret) if secret else None)
            assert refused.exit_code == 5, (command, refused.output)
    assert rows(desk, "runbooks.added", "runbooks.synced", "prompt.pushed") == []
    assert len(rows(desk, "access.refused")) == 16
    assert "okapi.md" not in str(desk.workshop.shelf.documents())
    admin = keys.create("ida", "admin").secret
    line = ("runbooks", "add", str(folder), "--as", "forged")
    assert desk.run(*line, env=env(admin)).exit_code == 0
    assert [row[1] for row in rows(desk, "runbooks.added")] == ["ida"]


def test_lists_are_read_with_any_token_and_by_nobody_without_one(desk, keys):
    viewer = env(keys.create("vic", "viewer").secret)
    sender = env(keys.create("sam", "sender").secret)
    for command in (("runbooks", "list"), ("prompts", "diff"), ("prompts", "list")):
        assert desk.run(*command).exit_code == 5
        assert desk.run(*command, env=sender).exit_code == 5
    assert "model_drift.md" in desk.run("runbooks", "list", env=viewer).stdout


def test_a_tenants_list_leaves_out_the_reports_of_others(desk, keys):
    incident_id = desk.incident()
    ports = desk.workshop.ports
    ports.shelf.add_incident(incident_id, "# Okapi\n\n## 1. Summary\nx\n", confirmed=False)
    south = env(keys.create("tom", "viewer", tenant="south").secret)
    everybody = env(keys.create("vic", "viewer").secret)
    assert incident_id in desk.run("runbooks", "list", env=everybody).stdout
    told = desk.run("runbooks", "list", env=south).stdout
    assert incident_id not in told
    assert "model_drift.md" in told


def test_a_pushed_prompt_is_a_row_of_the_audit(desk, empty_mlflow_store):  # noqa: F811
    shutil.copy(empty_mlflow_store, desk.home / "mlflow.db")
    assert desk.run("prompts", "push", "diagnose", "--as", "mia").exit_code == 0
    ((_, actor, fields),) = rows(desk, "prompt.pushed")
    assert actor == "mia"
    assert "diagnose" in str(fields)
