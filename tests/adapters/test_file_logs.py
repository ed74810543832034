"""Log files as they lie on a disk: rotated, packed, large, damaged, and of every form of time."""

import gzip
import json
import os
import time
from datetime import UTC, datetime, timedelta

import pytest

from agentops_graph.adapters.file_logs import FileLogSource
from agentops_graph.domain.sources.logs import FileLogs
from agentops_graph.errors import NotEnoughDataError, PortError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TRACE = """\
2026-03-01 12:05:00,120 ERROR loader: batch 17 failed
Traceback (most recent call last):
  File "load.py", line 3, in load
    total += row["amount"]
KeyError: 'amount'
2026-03-01 12:06:00,000 INFO loader: waiting
"""


def source(folder, path="*.log", **more):
    given = {"name": "loader", "kind": "files", "components": ["transactions"], "path": path}
    return FileLogSource(FileLogs.model_validate(given | more), folder)


def read(held, *, hours=1, **more):
    return held.lines("transactions", NOON, NOON + timedelta(hours=hours), **more)


def write(path, text, at=NOON + timedelta(hours=1), packed=False):
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(gzip.compress(raw) if packed else raw)
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def stamped(first, count, said="line", every_s=1.0):
    times = [first + timedelta(seconds=n * every_s) for n in range(count)]
    return "".join(f"{at:%Y-%m-%d %H:%M:%S} INFO {said} {n}\n" for n, at in enumerate(times))


def test_a_traceback_is_one_event_with_its_error_at_the_end(tmp_path):
    write(tmp_path / "loader.log", TRACE)
    failed, waits = read(source(tmp_path)).lines
    assert failed.severity == "error"
    assert failed.text.startswith("ERROR loader: batch 17 failed\nTraceback")
    assert failed.text.endswith("KeyError: 'amount'")
    assert (waits.severity, waits.text) == ("info", "INFO loader: waiting")
    assert failed.at == (NOON + timedelta(minutes=5, seconds=0.12)).timestamp()


@pytest.mark.parametrize(
    "line",
    [
        "2026-03-01T12:05:00Z ERROR broken",
        "2026-03-01T13:05:00.000+01:00 ERROR broken",
        "2026-03-01 12:05:00,000 ERROR broken",
        "[2026-03-01 12:05:00] ERROR broken",
        "2026/03/01 12:05:00 [error] 7#0: broken",
        "Mar  1 12:05:00 host loader[77]: error: broken",
        "<27>Mar  1 12:05:00 host loader: error: broken",
        "<27>1 2026-03-01T12:05:00Z host loader - - - ERROR broken",
        "E0301 12:05:00.000000   77 load.go:12] broken",
        '10.0.0.1 - - [01/Mar/2026:13:05:00 +0100] "GET / HTTP/1.1" 500 error: broken',
        "1772366700 ERROR broken",
        "1772366700000 ERROR broken",
        'time=2026-03-01T12:05:00Z level=error msg="broken"',
        '{"timestamp": "2026-03-01T12:05:00Z", "level": "error", "message": "broken"}',
        '{"ts": 1772366700.0, "level": 50, "msg": "broken"}',
        '{"@timestamp": "2026-03-01T12:05:00.000Z", "log.level": "ERROR", "message": "broken"}',
    ],
)
def test_every_usual_form_of_time_and_level_is_read(tmp_path, line):
    write(tmp_path / "app.log", line + "\n")
    (found,) = read(source(tmp_path)).lines
    assert found.at == (NOON + timedelta(minutes=5)).timestamp()
    assert found.severity == "error"
    assert "broken" in found.text
    assert "12:05" not in found.text


def test_fields_with_names_of_their_own_are_named_in_the_declaration(tmp_path):
    held = {"zeit": "2026-03-01T12:05:00Z", "stufe": "ERROR", "meldung": {"text": "kaputt"}}
    write(tmp_path / "app.log", json.dumps(held) + "\n")
    named = {"time_field": "zeit", "level_field": "stufe", "message_field": "meldung.text"}
    (found,) = read(source(tmp_path, **named)).lines
    assert (found.severity, found.text) == ("error", "kaputt")


def test_a_long_document_is_read_whole_and_one_without_a_time_is_an_event_of_its_own(tmp_path):
    first = {"ts": "2026-03-01T12:05:00Z", "x": "y" * 30_000, "level": "error", "msg": "broken"}
    second = {"level": "info", "msg": "no time", "event": {"kind": "x"}, "log": {"a": 1}}
    write(tmp_path / "app.log", "\n".join(map(json.dumps, (first, second))) + "\n")
    found = read(source(tmp_path)).lines
    assert [(line.severity, line.text) for line in found] == [
        ("error", "broken"),
        ("info", "no time"),
    ]


@pytest.mark.parametrize(
    ("said", "severity"),
    [
        ("GET /error/page.html 200", "unknown"),
        ("loaded 5 files, error=0", "unknown"),
        ("errors: none, warnings: none", "unknown"),
        ("my-error-page was served", "unknown"),
        ("[error] broken", "error"),
        ("loader ERROR: broken", "error"),
        ("INFO no error was found", "info"),
        ("raised ValueError: bad", "error"),
    ],
)
def test_words_that_only_look_like_a_level_are_none(tmp_path, said, severity):
    write(tmp_path / "app.log", f"2026-03-01 12:05:00 {said}\n")
    (found,) = read(source(tmp_path)).lines
    assert found.severity == severity


def test_times_without_a_zone_are_of_the_declared_one(tmp_path):
    write(tmp_path / "app.log", "2026-03-01 13:05:00 ERROR broken\n")
    (found,) = read(source(tmp_path, timezone="Europe/Vienna")).lines
    assert found.at == (NOON + timedelta(minutes=5)).timestamp()


def test_rotated_and_packed_files_are_read_and_older_ones_are_not_opened(tmp_path):
    write(tmp_path / "app.log", stamped(NOON + timedelta(minutes=40), 3, "now"))
    write(tmp_path / "app.log.1", stamped(NOON + timedelta(minutes=20), 3, "one"))
    write(tmp_path / "app.log.2.gz", stamped(NOON + timedelta(minutes=1), 3, "two"), packed=True)
    write(tmp_path / "app.log.3.gz", b"no gzip at all", at=NOON - timedelta(days=1))
    found = read(source(tmp_path, "app.log"))
    said = [line.text.split()[1] for line in found.lines]
    assert said == ["two"] * 3 + ["one"] * 3 + ["now"] * 3
    assert found.cut == ""


def test_only_the_span_is_read_and_a_large_file_is_searched(tmp_path):
    first = NOON - timedelta(hours=20)
    path = write(tmp_path / "app.log", stamped(first, 400_000, every_s=0.2), at=NOON + timedelta(2))
    held = source(tmp_path, max_bytes=1_000_000)  # a fifteenth of the file
    begun = time.perf_counter()
    found = held.lines("transactions", NOON, NOON + timedelta(minutes=10))
    assert path.stat().st_size > 14_000_000
    assert time.perf_counter() - begun < 2
    assert len(found.lines) == 3000
    assert found.lines[0].at == NOON.timestamp()
    assert found.cut == ""


@pytest.mark.parametrize(("newest", "first"), [(False, "line 0"), (True, "line 400")])
def test_too_many_lines_are_cut_at_the_end_that_was_not_asked_for(tmp_path, newest, first):
    write(tmp_path / "app.log", stamped(NOON, 500))
    found = read(source(tmp_path, max_lines=100), newest=newest)
    assert len(found.lines) == 100
    assert found.lines[0].text.endswith(first)
    assert "100 lines" in found.cut


def test_bytes_and_time_are_limited_and_it_is_told(tmp_path):
    write(tmp_path / "app.log", stamped(NOON, 3000))
    assert "bytes" in read(source(tmp_path, max_bytes=10_000)).cut
    write(tmp_path / "app.log", stamped(NOON, 100_000, every_s=0.01))
    assert "stopped after" in read(source(tmp_path, timeout_s=0.01)).cut


def test_a_damaged_file_is_told_and_costs_only_its_own_lines(tmp_path):
    packed = gzip.compress(stamped(NOON, 5000, "packed", 0.1).encode())
    write(tmp_path / "a.log", stamped(NOON, 3, "plain"))
    write(tmp_path / "b.log.gz", packed[: len(packed) // 2], at=NOON + timedelta(minutes=50))
    found = read(source(tmp_path, "*.log*"))
    assert {line.text.split()[1] for line in found.lines} == {"plain", "packed"}
    assert "b.log.gz can't be read" in found.cut
    (tmp_path / "a.log").unlink()
    write(tmp_path / "b.log.gz", b"not packed at all")
    with pytest.raises(PortError, match=r"b\.log\.gz can't be read"):
        read(source(tmp_path, "*.log*"))


def test_one_endless_line_and_binary_are_borne(tmp_path):
    write(
        tmp_path / "a.log", b"2026-03-01 12:00:01 ERROR " + b"x" * 2_000_000 + b"\n\x00\xff\xfe\n"
    )
    (found,) = read(source(tmp_path)).lines
    assert found.severity == "error"
    assert len(found.text) < 20_000
    assert "\x00" not in found.text


def test_pipes_and_devices_are_passed_over(tmp_path):
    os.mkfifo(tmp_path / "pipe.log")
    (tmp_path / "null.log").symlink_to("/dev/zero")
    write(tmp_path / "app.log", stamped(NOON, 3))
    begun = time.perf_counter()
    assert len(read(source(tmp_path)).lines) == 3
    assert time.perf_counter() - begun < 1


def test_a_component_is_part_of_the_path_and_can_not_climb(tmp_path):
    write(tmp_path / "transactions" / "app.log", stamped(NOON, 3))
    held = source(tmp_path, "$component/*.log", components=["transactions", "../etc", ".."])
    assert len(read(held).lines) == 3
    for name in ("../etc", ".."):
        with pytest.raises(PortError, match="can't be part of a path"):
            held.lines(name, NOON, NOON + timedelta(hours=1))


def test_no_file_is_not_the_same_as_a_silent_log(tmp_path):
    with pytest.raises(NotEnoughDataError, match="no file matches"):
        read(source(tmp_path))
    write(tmp_path / "app.log", stamped(NOON - timedelta(days=2), 3), at=NOON - timedelta(days=2))
    assert read(source(tmp_path)).lines == []


def test_a_file_that_never_says_a_time_is_as_old_as_its_last_line(tmp_path):
    write(tmp_path / "app.log", "starting\nfailed to load\n", at=NOON + timedelta(minutes=30))
    found = read(source(tmp_path)).lines
    assert [line.text for line in found] == ["starting", "failed to load"]
    assert {line.at for line in found} == {(NOON + timedelta(minutes=30)).timestamp()}


def test_the_check_says_when_a_file_was_written_last(tmp_path):
    with pytest.raises(PortError, match="no file matches"):
        source(tmp_path).check(NOON)
    write(tmp_path / "app.log", "x\n", at=NOON - timedelta(minutes=5))
    assert source(tmp_path).check(NOON) == "files: 1, written last 5 min ago"
