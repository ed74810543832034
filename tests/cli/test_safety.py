"""The kill switch, effects in doubt, and the audit."""

import sqlite3
from datetime import UTC, datetime


def in_doubt(desk):
    """An approved action that began, and whose outcome nobody knows."""
    incident_id = desk.incident()
    approval = desk.approval(incident_id)
    desk.run("approve", approval.approval_id, "--no-run")
    ports, now = desk.workshop.ports, datetime.now(UTC)
    lease = ports.leases.acquire(incident_id, "test", 60)
    effect = ports.effects.begin(approval.proposal, approval.digest, "do", lease, at=now, budget=6)
    ports.effects.finish(effect.key, lease.token, "unknown", at=now, error="the line went dead")
    return effect.key


def test_pausing_and_resuming_is_kept_for_every_process(desk):
    assert desk.read("pause-actions") == {"paused": "actions"}
    assert desk.workshop.service.paused() == "actions"
    assert desk.read("pause-actions", "--all") == {"paused": "all"}
    assert "resume-actions" in desk.run("pause-actions").stdout
    assert desk.read("resume-actions") == {"paused": None}
    assert desk.workshop.service.paused() is None


def test_the_audit_names_who_paused(desk):
    desk.run("pause-actions", "--as", "mia")
    row = desk.workshop.ports.audit.rows()[-1]
    assert (row["what"], row["actor"]) == ("actions.paused", "mia")


def test_effects_in_doubt_are_listed_and_a_person_settles_them(desk):
    key = in_doubt(desk)
    shown = desk.run("reconcile").stdout
    assert key in shown
    assert "the line went dead" in shown
    told = desk.read("reconcile", key, "--happened", "--note", "v2 is live", "--as", "mia")
    assert told["state"] == "done"
    assert desk.read("reconcile") == []
    assert "outcome is known" in desk.run("reconcile").stdout


def test_settling_needs_an_answer_and_how_it_is_known(desk):
    key = in_doubt(desk)
    silent = desk.run("reconcile", key, "--note", "looked")
    assert silent.exit_code == 2
    assert "--happened" in silent.stderr
    assert desk.run("reconcile", key, "--did-not").exit_code == 2
    assert [e["key"] for e in desk.read("reconcile")] == [key]


def test_an_effect_that_nobody_knows_can_not_be_reconciled(desk):
    result = desk.run("reconcile", "A-9:do", "--did-not", "--note", "looked")
    assert result.exit_code == 3


def test_an_audit_that_holds_is_said_to_hold(desk):
    desk.incident()
    told = desk.read("audit", "verify")
    assert told["intact"] is True
    assert told["rows"] >= 2
    assert desk.run("audit", "verify").exit_code == 0


def test_a_changed_audit_row_is_found(desk):
    desk.incident()
    with sqlite3.connect(desk.home / "ledger.db") as connection:
        connection.execute("UPDATE audit SET actor = 'nobody' WHERE seq = 1")
    connection.close()
    result = desk.run("audit", "verify")
    assert result.exit_code == 1
    assert "row 1" in result.stderr
    assert desk.read("audit", "verify", code=1)["intact"] is False
