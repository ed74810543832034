"""The audit at the terminal: verified, and exported so that others can verify it."""

import csv
import hashlib
import hmac
import json
import sqlite3
from datetime import UTC, datetime

import pytest

from agentops_graph.domain.approval import canonical_json

CHAIN = ("seq", "at", "what", "actor", "via", "incident_id", "fields")


@pytest.fixture
def busy(desk):
    """Rows of two days and two incidents."""
    desk.incident()
    audit = desk.workshop.ports.audit
    for day, incident_id in ((1, "INC-2026-1001"), (2, "INC-2026-1002"), (3, "INC-2026-1001")):
        at = datetime(2026, 3, day, 12, tzinfo=UTC)
        audit.write(f"day-{day}", actor="mia, =1+1", via="cli", at=at, incident_id=incident_id)
    return desk


def checked(row, key):
    """As a third party does it, with the line and the key alone."""
    content = canonical_json({name: row[name] for name in CHAIN})
    link = hmac.new(key, row["previous"].encode() + content, hashlib.sha256).hexdigest()
    return link == row["hash"]


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_verify_names_the_first_bad_row_in_words_and_in_json(busy):
    with sqlite3.connect(busy.home / "ledger.db") as connection:
        connection.execute("UPDATE audit SET actor = 'nobody' WHERE seq IN (2, 4)")
    connection.close()
    told = busy.read("audit", "verify", code=1)
    assert (told["intact"], told["row"]) == (False, 2)
    assert "row 2 was changed" in busy.run("audit", "verify").stderr


def test_verify_says_which_row_is_anchored_and_what_a_missing_anchor_hides(busy):
    head = busy.home / "audit.head"
    head.unlink(missing_ok=True)
    assert busy.read("audit", "verify")["anchored"] is None
    told = busy.run("audit", "verify").stdout.replace("\n", "")
    assert f"No anchor at {head}" in told
    assert "a cut tail can't be seen" in told
    busy.workshop.ports.audit.anchor()
    row = busy.workshop.ports.audit.last_row()
    assert busy.read("audit", "verify")["anchored"] == row
    assert f"Row {row} is the one that is anchored" in busy.run("audit", "verify").stdout


def test_verify_names_a_row_whose_text_is_none(busy):
    last = busy.workshop.ports.audit.last_row()
    with sqlite3.connect(busy.home / "ledger.db") as connection:
        connection.execute("UPDATE audit SET actor = CAST(x'ff41' AS TEXT) WHERE seq = ?", [last])
    connection.close()
    assert busy.read("audit", "verify", code=1)["row"] == last


def test_each_exported_line_can_be_checked_with_the_key(busy):
    rows = lines(busy.run("audit", "export").stdout)
    key = (busy.home / "audit.key").read_bytes()
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert all(checked(row, key) for row in rows)
    assert not any(checked(row | {"actor": "nobody"}, key) for row in rows)
    assert not any(checked(row, b"another key") for row in rows)


def test_a_csv_holds_the_same_as_the_lines(busy, tmp_path):
    file = tmp_path / "audit.csv"
    told = busy.read("audit", "export", str(file), "--incident", "inc-2026-1001")
    with file.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert told == {"file": str(file), "format": "csv", "rows": len(rows)}
    key = (busy.home / "audit.key").read_bytes()
    for row in rows:
        assert checked(row | {"seq": int(row["seq"])}, key)
    assert {row["incident_id"] for row in rows} == {"INC-2026-1001"}


def test_an_export_is_cut_by_time_and_incident(busy):
    def whats(*options):
        return [row["what"] for row in lines(busy.run("audit", "export", *options).stdout)]

    assert whats("--since", "2026-03-02", "--until", "2026-03-03") == ["day-2"]
    assert whats("--until", "2026-03-03T12:00:00Z") == ["day-1", "day-2"]
    assert "day-2" not in whats("--incident", "INC-2026-1001")


def test_who_exported_is_audited_and_the_file_is_never_written_over(busy, tmp_path):
    file = tmp_path / "out.jsonl"
    assert busy.run("audit", "export", str(file), "--as", "noor").exit_code == 0
    row = busy.workshop.ports.audit.rows()[-1]
    assert (row["what"], row["actor"]) == ("audit.exported", "noor")
    again = busy.run("audit", "export", str(file))
    assert again.exit_code == 2
    assert "there already" in again.stderr
    assert [entry.name for entry in tmp_path.iterdir() if "part" in entry.name] == []


def test_a_file_that_can_not_be_written_and_a_date_that_is_none_are_said(busy, tmp_path):
    nowhere = busy.run("audit", "export", str(tmp_path / "gone" / "out.jsonl"))
    assert nowhere.exit_code == 7
    assert "can't be written" in nowhere.stderr
    assert busy.run("audit", "export", "--since", "yesterday").exit_code == 2


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
@pytest.mark.parametrize("option", ["--since", "--until"])
def test_a_time_that_no_calendar_holds_in_utc_is_said(busy, option, at):
    refused = busy.run("audit", "export", option, at)
    assert refused.exit_code == 2
    assert option in refused.stderr
