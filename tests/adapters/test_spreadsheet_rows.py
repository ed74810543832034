"""Rows as a spreadsheet saves them: its own first line, its decimal comma, its many columns."""

import io
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

from agentops_graph.adapters.row_files import open_rows
from agentops_graph.adapters.sqlite_warehouse import SqliteIntake
from agentops_graph.adapters.sqlite_warehouse.intake import _stamp
from agentops_graph.domain.rows import Reading
from agentops_graph.errors import InputError

NOW = datetime(2026, 3, 2, tzinfo=UTC)
HEAD = "timestamp;model_name;prediction_id;prediction;latency_ms;amount"
AMOUNT = Reading(features=("amount",))


class Sheet:
    def __init__(self, folder):
        self.folder = folder
        self.intake = SqliteIntake(folder / "warehouse.db")

    def load(self, text, reading=AMOUNT):
        file = self.folder / "rows.csv"
        file.write_text(text, encoding="utf-8-sig", newline="")
        with open_rows(file, None, io.BytesIO()) as source:
            return self.intake.take(source, "predictions", reading, at=NOW)

    def stored(self):
        with closing(sqlite3.connect(self.folder / "warehouse.db")) as connection:
            query = "SELECT prediction, latency_ms, features FROM PREDICTION_LOGS"
            return [(p, ms, json.loads(held)) for p, ms, held in connection.execute(query)]


@pytest.fixture
def sheet(tmp_path):
    return Sheet(tmp_path)


def line(amount, prediction="1", latency="5"):
    return f"2026-03-01T12:00:00Z;fraud;p{amount};{prediction};{latency};{amount}"


@pytest.mark.parametrize("first", ["sep=;\r\n", "SEP=;\n", '"sep=;"\n', "\nsep=;\n"])
def test_the_line_that_names_the_separator_is_no_header(sheet, first):
    taken = sheet.load(f"{first}{HEAD}\n{line('7')}\n")
    assert (taken.loaded, taken.refused) == (1, 0)
    assert sheet.stored() == [(1.0, 5.0, {"amount": 7.0})]


def test_the_separator_that_is_named_is_the_one_that_is_read(sheet):
    """Commas are more than bars in this header."""
    head = HEAD.replace(";", "|").replace("amount", "a,b,c,d,e,f,g,h")
    reading = Reading(features=("a,b,c,d,e,f,g,h",))
    taken = sheet.load(f"sep=|\n{head}\n{line('7').replace(';', '|')}\n", reading)
    assert taken.loaded == 1


def test_an_unknown_header_refuses_the_file_whatever_its_rows_are(sheet):
    with pytest.raises(InputError, match="unknown column 'junk'"):
        sheet.load(f"{HEAD};junk\n{line('7')}\n{line('8')}\n")
    with pytest.raises(InputError, match="lacks the column 'model_name'"):
        sheet.load("timestamp;prediction_id;prediction;amount\n1;2\n")
    assert sheet.intake.condition().loads == sheet.intake.condition().rows == 0


def test_all_unknown_columns_are_named_with_the_options_that_get_past_them(sheet):
    head = HEAD.replace("prediction_id", "predictionid").replace("amount", "my notes;amount")
    with pytest.raises(InputError) as refused:
        sheet.load(f"{head}\n{';'.join('x' for _ in head.split(';'))}\n")
    said = str(refused.value)
    assert "unknown columns 'predictionid' (nearest: prediction_id), 'my notes';" in said
    assert "`--rename predictionid=prediction_id --leave-out 'my notes'`" in said
    options = Reading(
        features=("amount",),
        renamed={"predictionid": "prediction_id"},
        left_out=("my notes",),
    )
    assert sheet.load(f"{head}\n2026-03-01;fraud;a;1;5;n;7\n", options).loaded == 1


@pytest.mark.parametrize("amount", ["12,5", "1.234,5", "-0,5", "1 234,5", ",5"])
def test_a_decimal_comma_is_refused_until_somebody_says_what_it_is(sheet, amount):
    text = f"{HEAD}\n{line('7')}\n{line(amount)}\n"
    taken = sheet.load(text)
    assert (taken.loaded, taken.refused) == (1, 1)
    assert taken.shown[0].reason.startswith("amount looks like a number with a decimal comma")
    wanted = float(amount.replace(".", "").replace(" ", "").replace(",", "."))
    said = sheet.load(text, AMOUNT.model_copy(update={"decimal": ","}))
    assert (said.loaded, said.repeated, said.refused) == (1, 1, 0)
    assert sheet.stored()[1] == (1.0, 5.0, {"amount": wanted})


def test_a_text_that_only_looks_so_is_kept_when_that_is_said(sheet):
    reading = AMOUNT.model_copy(update={"decimal": "."})
    assert sheet.load(f"{HEAD}\n{line('12,5')}\n", reading).loaded == 1
    assert sheet.stored() == [(1.0, 5.0, {"amount": "12,5"})]


def test_columns_are_read_with_the_same_comma(sheet):
    text = f"{HEAD}\n{line('7', '0,25', '1.250,5')}\n"
    assert sheet.load(text).reasons.keys() == {
        "prediction looks like a number with a decimal comma; `--decimal ,` reads it so, and "
        "`--decimal .` says it is none"
    }
    assert sheet.load(text, AMOUNT.model_copy(update={"decimal": ","})).loaded == 1
    assert sheet.stored() == [(0.25, 1250.5, {"amount": 7.0})]


def test_a_point_in_a_file_of_commas_is_no_guess(sheet):
    text = f"{HEAD}\n{line('12.5')}\n{line('1.234')}\n{line('v1.2.3')}\n"
    taken = sheet.load(text, AMOUNT.model_copy(update={"decimal": ","}))
    assert (taken.loaded, taken.refused) == (2, 1)
    assert "amount has a decimal point" in taken.shown[0].reason
    assert [held["amount"] for _, _, held in sheet.stored()] == [1234.0, "v1.2.3"]


def test_loads_of_before_are_known_still():
    """The stamp of a reading without a decimal is that of a reading that had no such field."""
    import hashlib

    held = '{"renamed":{},"fixed":{},"features":[],"left_out":[],"own":[]}'
    before = hashlib.sha256(json.dumps(["metrics", "", held, "c"]).encode()).hexdigest()
    assert _stamp("metrics", Reading(), "", None, "c") == before
    assert _stamp("metrics", Reading(decimal=","), "", None, "c") != before
