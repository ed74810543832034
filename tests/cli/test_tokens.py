"""Tokens at the command line: the first closes the door, and then each command asks for one."""

import json

import pytest

from agentops_graph.access.authentication import SECRET

ASKS = [
    ("incidents",),
    ("show", "INC-2026-1"),
    ("approvals",),
    ("approve", "A-1"),
    ("reject", "A-1", "--reason", "no"),
    ("withdraw", "A-1"),
    ("retry", "INC-2026-1"),
    ("close", "INC-2026-1", "--note", "done"),
    ("confirm", "INC-2026-1"),
    ("verdict", "INC-2026-1", "right"),
    ("noise",),
    ("lineage",),
    ("backtest",),
    ("reconcile",),
    ("pause-actions",),
    ("resume-actions",),
    ("silences",),
    ("silence", "x", "--reason", "y"),
    ("unsilence", "S-1"),
    ("audit", "verify"),
    ("investigate", "how is x?"),
    ("reference", "x", "--from", "2026-03-01", "--until", "2026-03-02"),
    ("chat", "what is wrong?"),
    ("trace", "INC-2026-1"),
    ("evidence", "INC-2026-1"),
    ("runbooks", "search", "drift"),
    ("runbooks", "show", "x.md#y"),
    ("token", "list"),
    ("token", "revoke", "T-1"),
    ("token", "create", "mia", "--role", "viewer"),
    ("postmortem", "INC-2026-1"),
    ("reasoner", "report"),
    ("reasoner", "accept"),
    ("prompts", "list"),
    ("prompts", "push"),
    ("runbooks", "list"),
    ("runbooks", "sync"),
    ("link", "A-1", "--for", "ben"),
    ("log-agent",),
    ("sources", "check"),
    ("watch", "status"),
    ("watch", "check"),
    ("watch", "init"),
    ("ingest", "quarantine"),
]


def made(desk, name="root", role="admin", *more):
    return desk.read("token", "create", name, "--role", role, *more)


def refusals(desk):
    rows = desk.workshop.ports.audit.rows()
    return [(row["actor"], row["via"]) for row in rows if row["what"] == "access.refused"]


@pytest.fixture
def as_(desk, monkeypatch):
    """Makes the door ask, and speaks from then on as a person of the role."""
    admin = made(desk)["token"]

    def speak(role, *more):
        monkeypatch.setenv("AGENTOPS_TOKEN", admin)
        token = made(desk, f"{role}-person", role, *more)["token"]
        monkeypatch.setenv("AGENTOPS_TOKEN", token)

    return speak


def test_first_token_is_an_admins_and_it_says_why(desk):
    refused = desk.run("token", "create", "mia", "--role", "approver")
    assert refused.exit_code == 2
    assert "first token must be an admin's" in refused.stderr
    document = made(desk)
    assert SECRET.fullmatch(document["token"])
    assert (document["credential_id"], document["role"]) == ("T-1", "admin")
    assert document["token"].encode() not in (desk.home / "ledger.db").read_bytes()


def test_token_is_shown_once_and_never_listed(desk, monkeypatch):
    shown = desk.run("token", "create", "root", "--role", "admin").stdout
    (secret,) = SECRET.findall(shown)
    monkeypatch.setenv("AGENTOPS_TOKEN", secret)
    for more in ((), ("--json",), ("--all",)):
        listed = desk.run("token", "list", *more)
        assert "T-1" in listed.stdout
        assert secret not in listed.stdout
    assert "secret" not in str(desk.read("token", "list"))


@pytest.mark.parametrize("command", ASKS, ids=" ".join)
def test_every_command_that_reads_or_changes_asks_once_there_is_a_token(desk, command):
    made(desk)
    refused = desk.run(*command)
    assert refused.exit_code == 5, refused.output
    assert "AGENTOPS_TOKEN" in refused.stderr
    assert refused.stdout == ""
    assert refusals(desk) == [("anonymous", "cli")]


def test_every_command_is_asked_or_named_as_one_that_needs_no_token():
    from typer.main import get_command

    from agentops_graph.cli.__main__ import app

    # A contract is about a file of one's own; recording what it found asks: test_access. An
    # evaluation is about the checkout.
    own = {"doctor", "demo", "init", "serve", "work", "monitor", "encrypt", "contract", "rca"}
    own |= {"eval"}
    known = set(get_command(app).commands)
    assert known - own - {command[0] for command in ASKS} <= {"edit", "ask"}


def test_doctor_goes_on_and_says_who_is_asked(desk):
    def seen():
        checks = json.loads(desk.run("doctor", "--json").stdout)["checks"]
        return next(check for check in checks if check["name"] == "access")

    assert seen()["seen"] == "open"
    assert "agentops token create" in seen()["mend"]
    made(desk)
    assert "a token is asked for" in seen()["seen"]


@pytest.mark.filterwarnings("ignore")  # of the libraries that measuring loads
def test_runner_and_monitor_ask_for_no_token(desk):
    desk.watch_agent(error_rate=0.2)
    made(desk)
    looked = desk.read("monitor", "--once")
    assert len(looked["incidents"]) == 1
    assert desk.run("work", "--once").exit_code == 0


def test_service_asks_its_callers_and_not_whoever_started_it(desk, monkeypatch):
    """What `serve` hands to the server is asked over HTTP, first open and then with a token."""
    from fastapi.testclient import TestClient

    from agentops_graph.serving.api import create_app, server

    served = []
    monkeypatch.setattr(server, "serve", lambda workshop, host, port: served.append(workshop))

    def asked(**headers):
        app = create_app(served[-1], run=False)
        return TestClient(app, base_url="http://127.0.0.1").get("/api/v1/session", headers=headers)

    opened = desk.run("serve")
    assert "whoever uses this machine may do everything" in opened.stderr
    assert asked().json()["name"] == "anonymous"
    token = made(desk)["token"]
    assert desk.run("serve").stderr == ""
    assert asked().status_code == 401
    assert asked(authorization=f"Bearer {token}").json()["name"] == "root"


def test_wrong_token_is_refused_even_where_the_door_is_open(desk, monkeypatch):
    monkeypatch.setenv("AGENTOPS_TOKEN", "agops_" + "x" * 43)
    assert desk.run("incidents").exit_code == 5
    assert desk.run("token", "create", "root", "--role", "admin").exit_code == 5


def test_decision_is_that_of_the_token_whatever_as_says(desk, as_):
    approval = desk.approval(desk.incident()).approval_id
    as_("approver")
    document = desk.read("approve", approval, "--no-run", "--as", "somebody else")
    assert document["approval"]["decided_by"] == "approver-person"


@pytest.mark.parametrize(
    ("role", "command"),
    [
        ("viewer", ("approve", "A-1")),
        ("viewer", ("pause-actions",)),
        ("operator", ("approve", "A-1", "--no-run")),
        ("operator", ("link", "A-1", "--for", "ben")),
        ("approver", ("resume-actions",)),
        ("approver", ("audit", "verify")),
        ("approver", ("token", "list")),
    ],
)
def test_role_that_is_too_low_is_told_what_is_needed(desk, as_, role, command):
    desk.approval(desk.incident())
    as_(role)
    refused = desk.run(*command)
    assert refused.exit_code == 5
    assert f"({role}) may not do that" in refused.stderr
    assert "needs the role" in refused.stderr


def test_token_of_a_tenant_knows_no_others_incident(desk, as_):
    (desk.home / "components.yaml").write_text(
        "components:\n  - {name: a, tenant: north}\n  - {name: b, tenant: south}\n"
    )
    own, theirs = (desk.incident(affected_component=name) for name in ("a", "b"))
    as_("viewer", "--tenant", "north")
    assert [i["incident_id"] for i in desk.read("incidents")] == [own]
    assert desk.run("show", own).exit_code == 0
    assert desk.run("show", theirs).exit_code == 3


def test_token_is_read_from_a_file(desk, tmp_path):
    secret = made(desk)["token"]
    file = tmp_path / "token"
    file.write_text(secret + "\n")
    assert desk.run("--token-file", str(file), "incidents").exit_code == 0
    missing = desk.run("--token-file", str(tmp_path / "none"), "incidents")
    assert missing.exit_code == 2
    assert "--token-file" in missing.stderr


def test_revoked_and_expired_tokens_are_out(desk, monkeypatch):
    monkeypatch.setenv("AGENTOPS_TOKEN", made(desk)["token"])
    other = made(desk, "mia", "viewer")
    assert desk.read("token", "revoke", other["credential_id"].lower())["revoked_at"]
    assert [held["name"] for held in desk.read("token", "list")] == ["root"]
    assert len(desk.read("token", "list", "--all")) == 2
    monkeypatch.setenv("AGENTOPS_TOKEN", other["token"])
    assert desk.run("incidents").exit_code == 5


def test_agent_is_logged_by_an_admin_of_all_only(desk, as_):
    for role, *more in (("approver",), ("admin", "--tenant", "north")):
        as_(role, *more)
        refused = desk.run("log-agent")
        assert refused.exit_code == 5, refused.output
        assert "may not do that" in refused.stderr


def test_a_token_that_ran_out_does_not_hide_how_the_next_is_made(desk, monkeypatch):
    first = made(desk)
    monkeypatch.setenv("AGENTOPS_TOKEN", first["token"])
    desk.read("token", "revoke", first["credential_id"])
    refused = desk.run("token", "create", "next", "--role", "admin")
    assert refused.exit_code == 5
    assert "unset AGENTOPS_TOKEN" in " ".join(refused.stderr.split())
    monkeypatch.delenv("AGENTOPS_TOKEN")
    before = len(refusals(desk))
    assert made(desk, "next")["created_by"] == "owner of the data folder"
    assert len(refusals(desk)) == before  # nothing was refused


def test_where_no_admins_token_counts_the_owner_of_the_folder_makes_the_next(desk, monkeypatch):
    first = made(desk)
    assert desk.run("token", "create", "eve", "--role", "admin").exit_code == 5
    monkeypatch.setenv("AGENTOPS_TOKEN", first["token"])
    desk.read("token", "revoke", first["credential_id"])
    monkeypatch.delenv("AGENTOPS_TOKEN")
    assert desk.run("incidents").exit_code == 5
    assert desk.run("token", "create", "mia", "--role", "viewer").exit_code == 2
    assert made(desk, "root again")["created_by"] == "owner of the data folder"


def test_link_is_made_for_a_person_and_shown_once(desk, as_):
    approval = desk.approval(desk.incident()).approval_id
    as_("approver")
    document = desk.read("link", approval.lower(), "--for", "ben")
    assert document["url"].startswith("http://127.0.0.1:8000/a/agops_")
    assert (document["name"], document["approval_id"]) == ("ben", approval)
    assert "/a/agops_" in desk.run("link", approval, "--for", "ben").stdout


def test_detached_work_is_not_given_the_token(desk, monkeypatch):
    monkeypatch.setenv("AGENTOPS_TOKEN", "agops_" + "x" * 43)
    from agentops_graph.settings import without_token

    assert "AGENTOPS_TOKEN" not in without_token()
    assert without_token()["PATH"]
