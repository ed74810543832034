"""Contract of `AuditLog`: every row can be accounted for, and a changed one is found."""

import json

import pytest
from sqlalchemy import delete, insert, select, update

from agentops_graph.adapters.sqlalchemy_ledger import Database, LedgerAudit, tables
from agentops_graph.adapters.sqlalchemy_ledger.audit import PAGE, append
from agentops_graph.errors import ForgedError, UnavailableError
from tests.contracts.desk import AT, KEY, after, at_once, sql_desk


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


CHANGED = "row 3 was changed, put in or moved, or the key is not the one it was made with"


def named(desk):
    fault = desk.audit.verify()
    return fault.row, str(fault)


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
    assert named(written) == (3, CHANGED)


@pytest.mark.parametrize("seq", [1, 3])
def test_a_row_that_was_cut_out_is_named(written, database, seq):
    with database.write() as connection:
        connection.execute(delete(tables.audit).where(tables.audit.c.seq == seq))
    assert named(written) == (seq, f"row {seq} is missing (found {seq + 1})")


def test_a_cut_row_is_found_though_the_rest_is_numbered_anew(written, database):
    with database.write() as connection:
        connection.execute(delete(tables.audit).where(tables.audit.c.seq == 3))
        for seq in (4, 5):
            connection.execute(
                update(tables.audit).where(tables.audit.c.seq == seq).values(seq=seq - 1)
            )
    assert named(written) == (3, CHANGED)


def row_of(connection, seq):
    return dict(
        connection.execute(select(tables.audit).where(tables.audit.c.seq == seq)).mappings().one()
    )


def test_a_row_that_was_put_in_between_is_named(written, database):
    with database.write() as connection:
        third = row_of(connection, 3)
        for seq in (5, 4, 3):
            connection.execute(
                update(tables.audit).where(tables.audit.c.seq == seq).values(seq=seq + 1)
            )
        connection.execute(insert(tables.audit).values(third | {"actor": "mallory"}))
    assert named(written) == (3, CHANGED)


def test_a_row_that_was_put_in_before_the_first_is_named(written, database):
    with database.write() as connection:
        connection.execute(insert(tables.audit).values(row_of(connection, 1) | {"seq": 0}))
    assert named(written) == (0, "row 0 was put in before the first")


def test_rows_that_changed_places_are_named(written, database):
    with database.write() as connection:
        third, fourth = row_of(connection, 3), row_of(connection, 4)
        connection.execute(delete(tables.audit).where(tables.audit.c.seq.in_((3, 4))))
        connection.execute(insert(tables.audit).values(third | {"seq": 4}))
        connection.execute(insert(tables.audit).values(fourth | {"seq": 3}))
    assert named(written) == (3, CHANGED)


def test_a_row_of_bytes_is_a_changed_row_and_no_crash(sqlite):
    desk = sql_desk(sqlite)
    desk.audit.write("step", actor="mia", via="cli", at=AT)
    with sqlite.write() as connection:
        connection.exec_driver_sql("UPDATE audit SET fields = x'ff00'")
    assert desk.audit.verify().row == 1


@pytest.mark.parametrize("column", ["what", "actor", "fields", "hash"])
@pytest.mark.parametrize("seq", [1, 3, 5])
def test_a_row_whose_text_is_none_is_named_and_ends_an_export_there(sqlite, column, seq):
    desk = sql_desk(sqlite)
    for number in range(1, 6):
        desk.audit.write(f"step-{number}", actor="mia", via="cli", at=after(number))
    with sqlite.write() as connection:
        half = f"UPDATE audit SET {column} = CAST(x'ff41' AS TEXT) WHERE seq = {seq}"
        connection.exec_driver_sql(half)
    assert named(desk) == (seq, f"row {seq} holds bytes that are no text")
    assert desk.audit.last_row() == 5
    exported = []
    with pytest.raises(ForgedError, match=f"row {seq} of the audit"):
        exported.extend(desk.audit.exported())
    assert desk.audit.verify().row == seq


def test_a_ledger_that_does_not_answer_is_no_bad_row(sqlite):
    desk = sql_desk(sqlite)
    desk.audit.write("step", actor="mia", via="cli", at=AT)
    with sqlite.write() as connection:
        connection.exec_driver_sql("ALTER TABLE audit RENAME TO elsewhere")
    with pytest.raises(UnavailableError):
        desk.audit.verify()


def test_the_last_row_is_told_by_its_number(desk):
    assert desk.audit.last_row() == 0
    for number in (1, 2):
        desk.audit.write(f"step-{number}", actor="mia", via="cli", at=AT)
    assert desk.audit.last_row() == 2


def test_export_holds_what_was_asked_for_with_the_links_to_check_it(desk):
    for number in range(1, 6):
        incident = {"incident_id": f"INC-{number % 2}"}
        desk.audit.write(f"step-{number}", actor="mia", via="cli", at=after(number), **incident)

    def seqs(**asked):
        return [row["seq"] for row in desk.audit.exported(**asked)]

    assert seqs() == [1, 2, 3, 4, 5]
    assert seqs(since=after(2), until=after(4)) == [2, 3]
    assert seqs(incident_id="INC-1") == [1, 3, 5]
    assert seqs(since=after(9)) == []
    rows = list(desk.audit.exported())
    assert [row["previous"] for row in rows[1:]] == [row["hash"] for row in rows[:-1]]


def test_a_chain_of_several_pages_holds_and_tells_how_far_it_is(sqlite):
    count, told = 2 * PAGE + 3, []
    with sqlite.write() as connection:
        for _ in range(count):
            append(connection, KEY, "step", actor="mia", via="cli", at=AT)
    audit = LedgerAudit(sqlite)
    assert audit.verify(told.append) is None
    assert told[-1] == count
    assert told == sorted(told)
    assert sum(1 for _ in audit.exported()) == count
    with sqlite.write() as connection:
        connection.execute(delete(tables.audit).where(tables.audit.c.seq == PAGE + 1))
    assert audit.verify().row == PAGE + 1


def test_writers_are_not_kept_waiting_while_the_chain_is_walked(sqlite, tmp_path):
    with sqlite.write() as connection:
        for _ in range(PAGE + 1):
            append(connection, KEY, "step", actor="mia", via="cli", at=AT)
    other = Database(f"sqlite:///{tmp_path}/ledger.db", audit_key=KEY, patience_s=0.1)
    walk = LedgerAudit(sqlite).exported()
    assert next(walk)["seq"] == 1
    LedgerAudit(other).write("meanwhile", actor="noor", via="cli", at=AT)
    assert [row["what"] for row in walk][-1] == "meanwhile"
    other.close()


def test_credentials_never_reach_a_row(desk):
    desk.audit.write("note", actor="mia", via="cli", at=AT, why="password=hunter22 and more")
    (row,) = desk.audit.rows()
    assert "hunter22" not in str(row)
    assert "and more" in str(row)


def test_another_key_does_not_fit_the_chain(written, database):
    url = database.engine.url.render_as_string(hide_password=False)
    stranger = Database(url, audit_key=b"some other key")
    assert "or the key is not the one" in str(LedgerAudit(stranger).verify())
    stranger.close()
