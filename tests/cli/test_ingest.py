"""`agentops ingest`: files and standard input go in, what can't is listed, mended and loaded."""

import json
import sqlite3
from contextlib import closing

import pytest

from agentops_graph.access import Keys
from tests.cli.conftest import Desk

GOOD = "timestamp,pipeline_name,record_count\n2026-03-01T12:00:00Z,feed,200\n"
BAD = GOOD + "2026-03-01T13:00:00Z,feed,many\n2026-03-01T14:00:00Z,feed,300\n"


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "good.csv").write_text(GOOD)
    (tmp_path / "bad.csv").write_text(BAD)
    return Desk(tmp_path)


def rows(shop, query="SELECT record_count FROM DATA_QUALITY ORDER BY rowid"):
    with closing(sqlite3.connect(shop.home / "warehouse.db")) as connection:
        return connection.execute(query).fetchall()


def test_a_file_is_loaded_and_counted(shop):
    result = shop.run("ingest", "quality", str(shop.home / "good.csv"))
    assert result.exit_code == 0, result.output
    assert result.stdout == "good.csv: done: 1 rows read, 1 loaded, 0 refused\n"
    assert result.stderr == ""  # no bar where nobody looks
    again = shop.run("ingest", "quality", str(shop.home / "good.csv"))
    assert again.exit_code == 0
    assert "was loaded before and is not loaded again" in again.stdout
    assert rows(shop) == [(200,)]


def test_bad_rows_end_with_one_and_are_told_with_their_lines(shop):
    result = shop.run("ingest", "quality", str(shop.home / "bad.csv"))
    assert result.exit_code == 1
    assert "bad.csv: done: 3 rows read, 2 loaded, 1 refused" in result.stdout
    assert "  1 x record_count is no number; first in line 3 (seen: many)" in result.stdout
    assert "1 rows are in quarantine; see them with `agentops ingest quarantine`" in result.stderr
    assert rows(shop) == [(200,), (300,)]
    again = shop.run("ingest", "quality", str(shop.home / "bad.csv"))
    assert again.exit_code == 1
    assert "1 rows were refused before" in again.stderr


def test_the_summary_is_one_document(shop):
    files = [str(shop.home / name) for name in ("good.csv", "bad.csv")]
    found = shop.read("ingest", "quality", *files, code=1)
    assert (found["read"], found["loaded"], found["refused"]) == (4, 3, 1)
    assert [one["source"] for one in found["files"]] == ["good.csv", "bad.csv"]
    assert found["files"][1]["shown"] == [
        {"line": 3, "reason": "record_count is no number (seen: many)"}
    ]


def test_a_dry_run_writes_nothing(shop):
    found = shop.read("ingest", "quality", str(shop.home / "bad.csv"), "--dry-run", code=1)
    assert (found["loaded"], found["refused"], found["dry_run"]) == (2, 1, True)
    assert not (shop.home / "warehouse.db").exists()


def test_rows_come_from_standard_input(shop):
    result = shop.run("ingest", "quality", "-", input=GOOD)
    assert result.exit_code == 0, result.output
    assert rows(shop) == [(200,)]


def test_columns_are_renamed_set_and_gathered_by_options(shop):
    path = shop.home / "scores.csv"
    path.write_text("ts,id,V1,V2,score,junk\n2026-03-01T12:00:00Z,a,1,2,1,x\n")
    line = ["--rename", "ts=timestamp", "--rename", "id=prediction_id", "--features", "V*"]
    line += ["--rename", "score=prediction", "--set", "model_name=fraud", "--leave-out", "junk"]
    result = shop.run("ingest", "predictions", str(path), *line)
    assert result.exit_code == 0, result.output
    found = rows(shop, "SELECT model_name, features, prediction FROM PREDICTION_LOGS")
    assert found == [("fraud", '{"V1":1.0,"V2":2.0}', 1.0)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["--rename", "ts"], "--rename: 'ts' is not of the form NAME=VALUE"),
        (["--format", "xls"], "--format: is none of csv"),
        (["--own", "mae"], "only metrics have columns of your own"),
    ],
)
def test_a_wrong_option_says_so(shop, line, said):
    result = shop.run("ingest", "quality", str(shop.home / "good.csv"), *line)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_wrong_file_ends_with_two_after_the_files_before_it(shop):
    files = [str(shop.home / name) for name in ("good.csv", "none.csv")]
    result = shop.run("ingest", "quality", *files)
    assert result.exit_code == 2
    assert "good.csv: done" in result.stdout
    assert "none.csv: can't be read: No such file or directory" in result.stderr


def test_a_header_alone_is_no_fault_and_no_rows(shop):
    (shop.home / "none.csv").write_text("timestamp,pipeline_name\n")
    result = shop.run("ingest", "quality", str(shop.home / "none.csv"))
    assert (result.exit_code, result.stdout) == (0, "none.csv: holds no rows, only its header\n")


def test_the_quarantine_is_listed_harmlessly(shop):
    path = shop.home / "bad.csv"
    path.write_text(GOOD + "2026-03-01T13:00:00Z,feed,\x1b[31mred token=abcdefgh12345\n")
    shop.run("ingest", "quality", str(path))
    result = shop.run("ingest", "quarantine")
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.stdout
    assert "abcdefgh12345" not in result.stdout
    assert "bad.csv:3" in result.stdout
    found = shop.read("ingest", "quarantine", "--kind", "quality")
    assert (found["rows"], found["loads"], found["unfinished"]) == (1, 1, [])
    assert "abcdefgh12345" not in json.dumps(found)


def test_the_quarantine_counts_the_kind_that_is_asked_for_and_says_how_many_are_shown(shop):
    path = shop.home / "bad.csv"
    path.write_text(GOOD + "2026-03-01T13:00:00Z,feed,many\n" * 30)
    shop.run("ingest", "quality", str(path))
    listed = shop.run("ingest", "quarantine", "--kind", "quality").stdout
    assert "20 of 30 rows of quality in quarantine, 1 loads" in listed
    assert "\n30 rows in" in shop.run("ingest", "quarantine", "--limit", "30").stdout
    none = shop.run("ingest", "quarantine", "--kind", "metrics").stdout
    assert none == "0 rows of metrics in quarantine, 1 loads\n"
    assert shop.read("ingest", "quarantine", "--kind", "metrics")["rows"] == 0


def test_exported_rows_are_mended_and_loaded_again(shop):
    shop.run("ingest", "quality", str(shop.home / "bad.csv"))
    out = shop.home / "mend.jsonl"
    made = shop.run("ingest", "quarantine", "--export", str(out), "--remove")
    assert made.exit_code == 0, made.output
    assert out.stat().st_mode & 0o777 == 0o600
    row = json.loads(out.read_text())
    assert row["_refused"].startswith("quality, bad.csv:3: record_count is no number")
    out.write_text(json.dumps(row | {"record_count": 250}) + "\n")
    loaded = shop.read("ingest", "quality", str(out))
    assert loaded["loaded"] == 1
    assert rows(shop) == [(200,), (300,), (250,)]
    assert shop.read("ingest", "quarantine")["rows"] == 0


def test_a_line_that_was_no_row_is_exported_as_it_was(shop):
    (shop.home / "bad.csv").write_text(GOOD + "one,two\n")
    shop.run("ingest", "quality", str(shop.home / "bad.csv"))
    out = shop.home / "mend.jsonl"
    shop.run("ingest", "quarantine", "--export", str(out))
    assert json.loads(out.read_text())["_text"] == "one,two"
    assert shop.read("ingest", "quarantine")["rows"] == 1


def test_an_export_replaces_no_file_and_removes_nothing_by_itself(shop):
    refused = shop.run("ingest", "quarantine", "--export", str(shop.home / "good.csv"))
    assert refused.exit_code == 2
    assert "is there already" in refused.stderr
    assert shop.run("ingest", "quarantine", "--remove").exit_code == 2


def test_doctor_shows_what_lies_in_quarantine(shop):
    def check():
        (found,) = examined(shop)
        return found

    assert check().seen == "off: nothing was loaded yet"
    shop.run("ingest", "quality", str(shop.home / "good.csv"))
    assert (check().state, check().seen) == ("ok", "1 loads, none in quarantine")
    shop.run("ingest", "quality", str(shop.home / "bad.csv"))
    assert (check().state, check().seen) == ("degraded", "1 rows in quarantine, 2 loads")
    assert "agentops ingest quarantine" in check().mend


def examined(shop):
    from agentops_graph.doctor.check import Visit
    from agentops_graph.doctor.intake import ingest

    workshop = shop.workshop
    return ingest(Visit(workshop.settings, lambda: workshop.ports))


def test_a_load_is_a_row_of_the_audit_and_needs_the_role(shop, monkeypatch):
    from agentops_graph.access import Access
    from agentops_graph.domain.identity import Identity

    shop.run("ingest", "quality", str(shop.home / "good.csv"), "--as", "mia")
    written = [r for r in shop.workshop.ports.audit.rows() if r["what"] == "rows.ingested"]
    assert [(r["actor"], r["via"]) for r in written] == [("mia", "cli")]
    assert json.loads(written[0]["fields"])["loaded"] == 1
    keys = Keys(Access(shop.workshop.service, Identity(name="root", role="admin"), "cli"))
    keys.create("root", "admin")
    monkeypatch.setenv("AGENTOPS_TOKEN", keys.create("vic", "viewer").secret)
    refused = shop.run("ingest", "quality", str(shop.home / "bad.csv"))
    assert refused.exit_code == 5
    assert "report needs the role" in refused.stderr
