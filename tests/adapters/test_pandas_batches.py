"""Batch files and contracts on disk: what can be read is read, what can't is said."""

import gzip
import json

import pandas as pd
import pytest

from agentops_graph.adapters.pandas_batches import contract_text, read_batch, read_contract, size
from agentops_graph.detection.contract_check import checked
from agentops_graph.detection.contract_inference import inferred
from agentops_graph.domain.contract import Freshness
from agentops_graph.errors import InputError
from tests.detection.feeds import payments


def written(folder, name, text):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def kept(folder, contract):
    path = folder / "contract.yaml"
    path.write_text(contract_text(contract, source="good.csv", on="2026-03-01"), encoding="utf-8")
    return path


def test_a_contract_reads_back_as_it_was_written(tmp_path):
    contract = inferred(payments(), "payments").model_copy(
        update={"freshness": Freshness(column="at", max_age_s=5400)}
    )
    assert read_contract(kept(tmp_path, contract)) == contract


def test_a_contract_of_strange_names_and_values_reads_back(tmp_path):
    values = ["yes", "null", "a: b", "# c", "x\ty", 'say "hi"', "\x07\u2028", "été", "007"]
    table = pd.DataFrame({"no": values * 20, "сумма: #1": values * 20, "- x": range(180)})
    contract = inferred(table, "'quoted'\n name")
    assert read_contract(kept(tmp_path, contract)) == contract


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("columns:\n  a: {dtype: number}\n", "contract.yaml:1: name: Field required"),
        ("name: x\ncolumns:\n  a:\n    dtype: float\n", "contract.yaml:4: columns.a.dtype"),
        ("name: x\ncolumns:\n  a: {dtype: number, range: [5, 1]}\n", "lower end 5 is above"),
        ("name: x\ncolumns:\n  a: {dtype: text, formats: ['(']}\n", "no regular expression"),
        ("name: x\nkeys: [[b]]\ncolumns:\n  a: {dtype: text}\n", "the column b is used"),
        ("name: x\ncolumns: {}\n", "names no column"),
        ("name: [\n", "is no YAML"),
        ("- a\n", "must hold `name:`"),
        (
            "name: x\nfreshness: {column: a, max_age: soon}\ncolumns:\n  a: {dtype: time}\n",
            "such as 26h; not soon",
        ),
    ],
)
def test_a_mistake_in_a_contract_is_told_with_its_line(tmp_path, text, said):
    with pytest.raises(InputError) as error:
        read_contract(written(tmp_path, "contract.yaml", text))
    assert said in str(error.value)


@pytest.mark.parametrize("name", ["b.csv", "b.csv.gz", "b.jsonl", "b.parquet", "b.tsv"])
def test_a_batch_is_the_same_in_every_form(tmp_path, name):
    contract, table, path = inferred(payments(), "payments"), payments(seed=1), tmp_path / name
    if "csv" in name:
        table.to_csv(path, index=False)
    elif name.endswith("tsv"):
        table.to_csv(path, index=False, sep="\t")
    elif name.endswith("jsonl"):
        table.to_json(path, orient="records", lines=True, date_format="iso")
    else:
        table.to_parquet(path)
    text = [n for n, rule in contract.columns.items() if rule.dtype == "text"]
    batch = read_batch(path, as_text=text)
    assert len(batch.table) == len(table)
    assert checked(batch.table, contract).report.breaches == ()


def test_semicolons_are_seen_to_part_the_cells(tmp_path):
    path = written(tmp_path, "b.csv", "a;b\n1;x\n2;y\n")
    assert list(read_batch(path).table.columns) == ["a", "b"]


def test_text_that_comes_after_a_block_of_numbers_is_kept(tmp_path):
    rows = "".join(f"{n},{n}\n" for n in range(200_000))
    batch = read_batch(written(tmp_path, "b.csv", f"a,b\n{rows}x,1\n"))
    assert batch.table["a"].iloc[-1] == "x"
    assert batch.table["b"].sum() == sum(range(200_000)) + 1


def test_rows_with_too_few_or_many_cells_are_counted_and_left_out(tmp_path):
    batch = read_batch(written(tmp_path, "b.csv", "a,b\n1,2\n3\n4,5,6\n7,8\n"))
    assert (len(batch.table), batch.malformed) == (2, 2)


def test_a_column_of_mixed_types_in_json_is_read(tmp_path):
    rows = [{"a": 1}, {"a": "x"}, {"a": [1, 2]}, {"a": None}]
    path = written(tmp_path, "b.jsonl", "\n".join(map(json.dumps, rows)))
    assert len(read_batch(path).table) == 4
    listed = written(tmp_path, "b.json", json.dumps(rows))
    assert len(read_batch(listed).table) == 4


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("b.csv", b"", "b.csv: is empty: 0 bytes; a batch has at least a header"),
        ("b.csv", b"a,b\n\xff\xfe,2\n", "write it anew, as UTF-8"),
        ("b.jsonl", b'{"a": 1}\n{"a": \n', "b.jsonl:2: is no JSON"),
        ("b.jsonl", b"[1]\n[2]\n", "each row has to be a JSON object"),
        ("b.parquet", b"PAR1 cut off", "b.parquet: can't be read"),
        ("b.csv.gz", b"not packed", "b.csv.gz: can't be read"),
        ("b.xlsx", b"PK", "is no batch file by its name; one of .csv"),
    ],
)
def test_a_file_that_cannot_be_read_says_why_and_how_to_mend_it(tmp_path, name, content, said):
    with pytest.raises(InputError) as error:
        read_batch(written(tmp_path, name, content))
    assert said in str(error.value)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        read_batch(tmp_path / "b.csv")
    with pytest.raises(InputError, match="is a folder; name one file"):
        read_batch(tmp_path)


def test_a_parquet_file_cut_short_is_no_batch(tmp_path):
    whole = tmp_path / "whole.parquet"
    payments().to_parquet(whole)
    part = written(tmp_path, "part.parquet", whole.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"part.parquet: can't be read"):
        read_batch(part)


def test_a_header_alone_is_a_batch_without_rows(tmp_path):
    path = tmp_path / "b.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n"))
    assert len(read_batch(path).table) == 0


def test_a_small_file_that_unpacks_to_too_much_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(size, "MOST_BYTES", 1 << 20)
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wt") as file:
        file.write("a,b\n" + "1,2\n" * 400_000)
    assert path.stat().st_size < 10_000
    with pytest.raises(InputError, match="unpacked; deliver it in parts"):
        read_batch(path)
