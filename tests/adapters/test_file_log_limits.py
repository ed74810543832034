"""What one read of log files may cost, and which files it may open."""

import gzip
import os
import time
from datetime import UTC, datetime, timedelta

import pytest

from agentops_graph.adapters.file_logs import FileLogSource
from agentops_graph.domain.sources.logs import FileLogs
from agentops_graph.errors import NotEnoughDataError, UnavailableError

NOW = datetime.now(UTC)
LINE = f"{NOW:%Y-%m-%d %H:%M:%S} ERROR broken\n"


def source(folder, path, **more):
    given = {"name": "app", "kind": "files", "components": ["a"], "path": path}
    return FileLogSource(FileLogs.model_validate(given | more), folder)


def read(held):
    return held.lines("a", NOW - timedelta(minutes=15), NOW + timedelta(hours=1))


def texts(held):
    return [line.text for line in read(held).lines]


def test_a_file_without_one_end_of_line_is_left_when_the_time_is_over(tmp_path):
    with (tmp_path / "app.log").open("wb") as file:
        file.truncate(4 << 30)  # takes no room on the disk
    begun = time.perf_counter()
    found = read(source(tmp_path, "app.log", timeout_s=0.3, max_bytes=1_000_000_000))
    assert time.perf_counter() - begun < 2
    assert "stopped after 0.3 s" in found.cut


def test_the_rest_of_a_long_line_counts_as_bytes_that_were_read(tmp_path):
    with gzip.open(tmp_path / "app.log.1.gz", "wb") as file:
        for _ in range(100):
            file.write(b"0" * 1_000_000)
        file.write(b"\n" + LINE.encode())
    found = read(source(tmp_path, "app.log", max_bytes=1_000_000))
    assert "cut after 1000000 bytes" in found.cut
    assert not any("broken" in line.text for line in found.lines)


def test_a_search_for_a_moment_is_paid_from_the_same_budget(tmp_path):
    (tmp_path / "app.log").write_text(LINE + "x" * 3_000_000 + "\n" + LINE)
    assert "cut after 20000 bytes" in read(source(tmp_path, "app.log", max_bytes=20_000)).cut


def test_a_link_out_of_the_folder_is_followed_only_where_that_is_declared(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("DSN of somebody else\n")
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "app.log").symlink_to(secret)
    os.symlink(tmp_path, logs / "up")
    for path in ("logs/*.log", "logs/app.log", "logs/*/secret"):
        with pytest.raises(NotEnoughDataError, match="`follow_links: true` reads them"):
            read(source(tmp_path, path))
        with pytest.raises(UnavailableError, match="only links to other folders"):
            source(tmp_path, path).check(NOW)
        assert texts(source(tmp_path, path, follow_links=True)) == ["DSN of somebody else"]


def test_links_within_the_folder_and_a_folder_that_is_a_link_are_as_before(tmp_path):
    logs = tmp_path / "disk2"
    logs.mkdir()
    (logs / "app-2026.txt").write_text(LINE)
    (logs / "app.log").symlink_to("app-2026.txt")
    (tmp_path / "logs").symlink_to(logs)
    assert texts(source(tmp_path, "logs/*.log")) == ["ERROR broken"]
