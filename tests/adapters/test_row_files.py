"""Rows come out of files as they stand there; what is no row takes no other with it."""

import gzip
import io
import json
import random
import time
from datetime import UTC, datetime
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from agentops_graph.adapters.row_files import body_rows, json_rows, lines, open_rows
from agentops_graph.domain.rows import ABSENT
from agentops_graph.errors import InputError


def rows_of(path, form=None, stdin=b""):
    """(line, row) of the good rows, (line, reason) of the bad ones."""
    good, bad = [], []
    with open_rows(Path(path), form, io.BytesIO(stdin)) as source:
        for chunk in source.chunks():
            for place, line in enumerate(chunk.lines):
                pairs = zip(chunk.columns, chunk.values, strict=True)
                row = {name: values[place] for name, values in pairs}
                good.append((line, {n: v for n, v in row.items() if v is not ABSENT}))
            bad += [(row.line, row.reason) for row in chunk.bad]
    return good, bad


def written(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_each_line_of_a_csv_is_a_row_with_its_number(tmp_path):
    path = written(tmp_path, "a.csv", "\ufeffa,b\r\n1,2\r\n\r\n3,\r\n")
    assert rows_of(path) == ([(2, {"a": "1", "b": "2"}), (4, {"a": "3", "b": ""})], [])


@pytest.mark.parametrize(("separator", "name"), [(";", "a.csv"), ("\t", "a.tsv"), ("|", "a.csv")])
def test_separator_is_seen_in_the_header(tmp_path, separator, name):
    path = written(tmp_path, name, f"a{separator}b\n1{separator}2,5\n")
    assert rows_of(path)[0] == [(2, {"a": "1", "b": "2,5"})]


def test_a_quoted_field_may_hold_lines(tmp_path):
    path = written(tmp_path, "a.csv", 'a,b\n1,"x\ny, ""z"""\n2,w\n')
    assert rows_of(path) == ([(2, {"a": "1", "b": 'x\ny, "z"'}), (4, {"a": "2", "b": "w"})], [])


def test_a_quote_that_is_not_closed_costs_its_own_line_only(tmp_path):
    body = "".join(f"{n},x\n" for n in range(5000))
    good, bad = rows_of(written(tmp_path, "a.csv", f'a,b\n1,"open\n{body}'))
    assert bad == [(2, "a quote is not closed")]
    assert [row["a"] for _, row in good] == [str(n) for n in range(5000)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"1", "has 1 fields where the header has 2"),
        (b"1,2,3", "has 3 fields where the header has 2"),
        (b'1,"x"y', "no CSV"),
        (b"1,caf\xe9", "the row is not UTF-8 (seen: byte 0xe9)"),
        (b"1," + b"x" * (1 << 20), "the row is longer than 1 MB"),
        (b"1," + b"x" * (9 << 20), "the row is longer than 1 MB"),
    ],
    ids=["short", "long", "quotes", "latin-1", "over 1 MB", "over two blocks"],
)
def test_a_broken_line_is_named_and_its_neighbours_stay(tmp_path, line, reason):
    good, bad = rows_of(written(tmp_path, "a.csv", b"a,b\n0,good\n" + line + b"\n2,good\n"))
    assert [number for number, _ in good] == [2, 4]
    assert len(bad) == 1
    assert bad[0][0] == 3
    assert bad[0][1].startswith(reason)


def test_a_quote_inside_a_field_opens_nothing(tmp_path):
    good, bad = rows_of(written(tmp_path, "a.csv", 'a,b\n1,5" disk\n2,"open\n3,7" disk\n4,z\n'))
    assert [row["b"] for _, row in good] == ['5" disk', '7" disk', "z"]
    assert bad == [(3, "no CSV: ',' expected after '\"'")]


def test_a_line_that_waits_for_its_quote_may_be_no_utf8(tmp_path, monkeypatch):
    path = written(tmp_path, "a.csv", b'a,b\n1,"\xe9\nx"\n2,y\n')
    for size in (5, 9, 11, 100):
        monkeypatch.setattr(lines, "BLOCK", size)
        good, bad = rows_of(path)
        assert good == [(4, {"a": "2", "b": "y"})]
        assert [line for line, _ in bad] == [2, 3]


def test_rows_do_not_depend_on_where_a_block_ends(tmp_path, monkeypatch):
    parts = "line\nof "
    text = "a,b\n" + "".join(f'{n},"{parts * (n % 4)}text é"\n' for n in range(200))
    path = written(tmp_path, "a.csv", text)
    whole = rows_of(path)
    for size in (7, 64, 301):
        monkeypatch.setattr(lines, "BLOCK", size)
        assert rows_of(path) == whole


PIECES = [
    "x",
    "",
    " ",
    '"',
    '""',
    '"a, b"',
    '5" c',
    "\r",
    "é",
    "\udce9",
    "\0",
    '"l\nm"',
    "1,2",
    "\u2028",
]


@pytest.mark.parametrize("seed", range(5))
def test_odd_text_is_read_alike_in_blocks_of_every_size(tmp_path, monkeypatch, seed):
    rng = random.Random(seed)
    ends = ["\n", "\r\n", "\n\n"]
    for _ in range(20):
        lines_made = [f"{rng.choice(PIECES)},{rng.choice(PIECES)}" for _ in range(8)]
        text = "a,b\n" + "".join(line + rng.choice(ends) for line in lines_made)
        path = written(tmp_path, "a.csv", text.encode(errors="surrogateescape"))
        monkeypatch.setattr(lines, "BLOCK", 1 << 20)
        whole = rows_of(path)
        for size in (3, 8, 40):
            monkeypatch.setattr(lines, "BLOCK", size)
            assert rows_of(path) == whole


def test_json_lines_may_differ_from_row_to_row(tmp_path):
    body = '{"a": 1}\n\n{"a": 2, "b": {"c": null}}\n[1]\n{"a": \nnull\n'
    good, bad = rows_of(written(tmp_path, "a.jsonl", body))
    assert good == [(1, {"a": 1}), (3, {"a": 2, "b": {"c": None}})]
    assert [line for line, _ in bad] == [4, 5, 6]
    assert bad[0][1] == "is no JSON object"
    assert bad[1][1].startswith("is no JSON: ")


def test_a_json_array_is_read_by_the_number_of_its_elements(tmp_path):
    good, bad = rows_of(written(tmp_path, "a.json", '[{"a": 1}, 7, {"a": 2}]'))
    assert good == [(1, {"a": 1}), (3, {"a": 2})]
    assert bad == [(2, "is no JSON object")]


def test_parquet_brings_its_own_types(tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    at = datetime(2026, 3, 1, tzinfo=UTC)
    table = pa.table(
        {
            "timestamp": pa.array([at, None], pa.timestamp("ns", tz="UTC")),
            "features": [{"V1": 1.5}, None],
        }
    )
    parquet.write_table(table, tmp_path / "a.parquet")
    good, _ = rows_of(tmp_path / "a.parquet")
    assert good[0] == (1, {"timestamp": at, "features": {"V1": 1.5}})
    assert good[1] == (2, {"timestamp": None, "features": None})


def test_a_packed_file_and_its_content_have_one_stamp(tmp_path):
    plain = written(tmp_path, "a.csv", "a\n1\n")
    packed = written(tmp_path, "a.csv.gz", gzip.compress(b"a\n1\n"))
    assert rows_of(packed) == rows_of(plain)
    stamps = set()
    for path in (plain, packed):
        with open_rows(path, None, io.BytesIO()) as source:
            stamps.add(source.stamp)
    assert len(stamps) == 1


@pytest.mark.parametrize(
    ("text", "form"), [("a,b\n1,2\n", None), ('{"a": "1", "b": "2"}\n', None), ("a;b\n1;2", "csv")]
)
def test_standard_input_is_known_by_its_content(text, form):
    good, _ = rows_of("-", form, text.encode())
    assert good[0][1] == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "is empty: 0 bytes"),
        ("a.csv", b"\n \n", "holds only blank lines"),
        ("a.csv", "a,b\n".encode("utf-16"), "is UTF-16; write it anew as UTF-8"),
        ("a.csv", b"SQLite format 3\0", "is a SQLite database"),
        ("a.xlsx", b"PK\x03\x04", "a spreadsheet; unpack it, or save it as CSV"),
        ("a.csv", b"a,\0b\n1,2\n", "its header holds NUL bytes"),
        ("a.csv", b"a,a\n1,2\n", "names the column 'a' twice"),
        ("a.bin", b"abc", "is no file of rows by its name"),
        ("a.parquet", b"abc", "is no Parquet file"),
        ("a.parquet", b"PAR1 and no more", "can't be read"),
        ("a.csv.gz", gzip.compress(b"a,b\n1,2\n" * 999, mtime=0)[:-20], "can't be unpacked"),
        ("a.json", b'[{"a": 1}', "is no JSON"),
    ],
)
def test_a_wrong_file_is_refused_with_what_it_is(tmp_path, name, content, said):
    with pytest.raises(InputError, match=r".") as refused:
        rows_of(written(tmp_path, name, content))
    assert said in str(refused.value)
    assert name in str(refused.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        rows_of(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is a folder"):
        rows_of(tmp_path)


def test_a_file_that_is_written_to_meanwhile_is_refused(tmp_path):
    path = written(tmp_path, "a.csv", "a\n1\n")
    with open_rows(path, None, io.BytesIO()) as source:
        path.write_text("a\n1\n2\n")
        with pytest.raises(InputError, match="was written to while it was read"):
            list(source.chunks())


def test_a_body_is_json_and_nothing_else():
    assert next(body_rows(b'[{"a": 1}]', "body").chunks()).columns == ("a",)
    for body in (b"", b"a,b\n1,2\n", gzip.compress(b"[]"), b"PAR1"):
        with pytest.raises(InputError):
            body_rows(body, "body")


def test_ever_more_different_keys_are_rows_refused_and_no_columns(tmp_path, monkeypatch):
    monkeypatch.setattr(json_rows, "MOST_NAMES", 20)
    body = "".join(json.dumps({f"k{n}": 1}) + "\n" for n in range(30))
    good, bad = rows_of(written(tmp_path, "a.jsonl", body))
    assert (len(good), len(bad)) == (20, 10)


@pytest.mark.parametrize("form", ["jsonl", "json"])
def test_one_wide_row_makes_no_wide_columns_for_thousands_of_short_ones(tmp_path, form):
    wide = json.dumps({f"k{n}": 0 for n in range(1999)})
    rows = ["{}"] * 40_000 + [wide] + ["{}"] * 3000 + ["0"] * 25_000
    body = "\n".join(rows) if form == "jsonl" else f"[{','.join(rows)}]"
    read, bad = [], []
    with open_rows(written(tmp_path, f"a.{form}", body), None, io.BytesIO()) as source:
        for chunk in source.chunks():
            assert chunk.count <= json_rows.ROWS
            assert len(chunk.lines) * len(chunk.columns) <= json_rows.MOST_CELLS
            read += chunk.lines
            bad += [row.line for row in chunk.bad]
    assert read == list(range(1, 43_002))
    assert bad == list(range(43_002, 68_002))


def test_a_row_with_more_names_than_a_chunk_may_have_is_put_aside_as_json(tmp_path, monkeypatch):
    monkeypatch.setattr(json_rows, "MOST_NAMES", 2)
    path = written(tmp_path, "a.json", '[{"a": null}, {"a": 1, "b": 2, "c": true}, {"b": 3}]')
    with open_rows(path, None, io.BytesIO()) as source:
        (chunk,) = source.chunks()
    assert list(chunk.lines) == [1, 3]
    assert [json.loads(row.raw) for row in chunk.bad] == [{"a": 1, "b": 2, "c": True}]


def test_a_dictionary_of_one_long_text_is_unpacked_in_small_pieces(tmp_path):
    texts = pyarrow.array([None, "x" * (1 << 20)] + ["y"] * 2998).dictionary_encode()
    table = pyarrow.table({"n": range(3000), "a": texts, "b": [b"\xff"] * 3000})
    table = table.append_column("c", pyarrow.array([7] * 3000).dictionary_encode())
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    with open_rows(tmp_path / "a.parquet", None, io.BytesIO()) as source:
        chunks = list(source.chunks())
    assert max(chunk.count for chunk in chunks) <= 64
    assert [line for chunk in chunks for line in chunk.lines] == list(range(1, 3001))
    assert [n for chunk in chunks for n in chunk.values[0]] == list(range(3000))
    assert [len(text or "") for chunk in chunks for text in chunk.values[1]][:3] == [0, 1 << 20, 1]
    assert (chunks[0].values[2][0], chunks[0].values[3][0]) == (b"\xff", 7)


def test_an_unclosed_quote_is_searched_once_and_not_from_every_line_anew(tmp_path):
    path = written(tmp_path, "a.csv", "a,b\n" + 'a",",\n' * 20_000 + "1,2\n")
    begun = time.process_time()
    good, bad = rows_of(path)
    assert time.process_time() - begun < 5
    assert good == [(20_002, {"a": "1", "b": "2"})]
    assert {reason for _, reason in bad} == {"a quote is not closed"}
    assert len(bad) == 20_000
