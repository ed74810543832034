"""Contract of `AuditLog`: every row can be accounted for, and a changed one is found."""

import json

import pytest
from sqlalchemy import delete, update

from agentops_graph.adapters.sqlalchemy_ledger import Database, LedgerAudit, tables
from tests.contracts.desk import AT, after, at_once, sql_desk


def test_rows_say_who_did_what_through_which_door(desk):
    desk.audit.write(
        "access.refused", actor="mia", via="http", at=AT, incident_id="INC-1", path="/x", tries=3
    )
    desk.audit.write("config.read", actor="noor", via="cli", at=after(1))
    first, second = desk.audit.rows()
    assert (first["seq"], second["seq"]) == (1, 2)
    assert (first["what"], first["actor"], first["via"]) == ("access.refused", "mia", "http")
    assert json.loads(first["fields"]) == {"path": "/x", "tries": 3}
    assert [row["what"] for row in desk.audit.rows("INC-1")] == ["access.refused"]
    assert [row["what"] for row in desk.audit.rows(limit=1)] == ["config.read"]


def test_the_chain_of_a_whole_incident_holds(desk):
    approval, lease = desk.approved()
    effect = desk.begin(approval, lease)
    desk.effects.finish(effect.key, lease.token, "done", at=after(200))
    assert desk.audit.verify() is None
    assert len(desk.audit.rows()) == 5


def test_rows_written_together_make_one_chain(desk):
    at_once(lambda n: desk.audit.write(f"row-{n}", actor="mia", via="http", at=AT))
    assert [row["seq"] for row in desk.audit.rows()] == [1, 2, 3, 4, 5, 6]
    assert desk.audit.verify() is None


@pytest.fixture
def written(database):
    desk = sql_desk(database)
    for number in range(1, 6):
        desk.audit.write(f"step-{number}", actor="mia", via="cli", at=after(number), n=number)
    assert desk.audit.verify() is None
    return desk


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "noor"},
        {"what": "step-9"},
        {"via": "http"},
        {"at": "2020-01-01"},
        {"incident_id": "INC-1"},
        {"fields": '{"n": 4}'},
        {"hash": "0" * 64},
    ],
)
def test_an_edited_row_is_named(written, database, change):
    with database.write() as connection:
        connection.execute(update(tables.audit).where(tables.audit.c.seq == 3).values(**change))
    assert "row 3 was changed" in written.audit.verify()


@pytest.mark.parametrize("seq", [1, 3])
def test_a_row_that_was_cut_out_is_named(written, database, seq):
    with database.write() as connection:
        connection.execute(delete(tables.audit).where(tables.audit.c.seq == seq))
    assert f"row {seq} is missing" in written.audit.verify()


def test_a_cut_row_is_found_though_the_rest_is_numbered_anew(written, database):
    with database.write() as connection:
        connection.execute(delete(tables.audit).where(tables.audit.c.seq == 3))
        for seq in (4, 5):
            connection.execute(
                update(tables.audit).where(tables.audit.c.seq == seq).values(seq=seq - 1)
            )
    assert "row 3 was changed" in written.audit.verify()


def test_another_key_does_not_fit_the_chain(written, database):
    url = database.engine.url.render_as_string(hide_password=False)
    stranger = Database(url, audit_key=b"some other key")
    assert "row 1 was changed, or the key" in LedgerAudit(stranger).verify()
    stranger.close()
