"""The local outbox keeps every notice once, durably and readably."""

import json
import os
import threading
from datetime import UTC, datetime

import pytest

from agentops_graph.adapters.file_notifier import FileNotifier
from agentops_graph.domain.action import CloseGithubIssue, CreateGithubIssue, SendSlackAlert
from agentops_graph.errors import UnavailableError

NOON = datetime(2026, 2, 28, 12, tzinfo=UTC)
DRIFT = SendSlackAlert(text="CRITICAL: Model drift detected. Aggregate PSI: 0.47")


@pytest.fixture
def outbox(tmp_path):
    return FileNotifier(tmp_path / "outbox", now=lambda: NOON)


def listed(tmp_path):
    lines = (tmp_path / "outbox" / "NOTICES.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines if line.endswith("}")]


def test_a_notice_becomes_a_line_and_a_page_to_read(outbox, tmp_path):
    notice = CreateGithubIssue(title="Model drift", text="PSI 0.47")
    reference = outbox.send(notice, marker="inc-1/issue", earlier=None)
    page = (tmp_path / reference).read_text()
    assert page.startswith("# Model drift\n")
    assert "PSI 0.47" in page
    assert "2026-02-28T12:00:00+00:00" in page
    [row] = listed(tmp_path)
    assert row["marker"] == "inc-1/issue"
    assert row["reference"] == reference
    assert row["notice"] == notice.model_dump(mode="json")


def test_the_same_marker_is_written_once_and_answers_the_same_reference(outbox, tmp_path):
    first = outbox.send(DRIFT, marker="inc-1/alert", earlier=None)
    again = FileNotifier(tmp_path / "outbox").send(DRIFT, marker="inc-1/alert", earlier=None)
    assert again == first
    assert len(listed(tmp_path)) == 1
    assert len(list((tmp_path / "outbox").glob("*.md"))) == 1


def test_markers_that_differ_only_in_signs_get_pages_of_their_own(outbox, tmp_path):
    references = {outbox.send(DRIFT, marker=m, earlier=None) for m in ("a/b", "a:b", "../a b")}
    assert len(references) == 3
    assert {p.parent for p in tmp_path.rglob("*.md")} == {tmp_path / "outbox"}


def test_a_closing_notice_names_what_it_follows(outbox, tmp_path):
    issue = outbox.send(CreateGithubIssue(title="t", text="x"), marker="open", earlier=None)
    closing = outbox.send(CloseGithubIssue(text="resolved"), marker="close", earlier=issue)
    assert f"follows: {issue}" in (tmp_path / closing).read_text()


def test_a_line_torn_by_a_crash_counts_as_unsent_and_spoils_no_other(outbox, tmp_path):
    outbox.send(DRIFT, marker="one", earlier=None)
    with (tmp_path / "outbox" / "NOTICES.jsonl").open("a") as listing:
        listing.write('{"marker": "two", "refer')
    outbox.send(DRIFT, marker="two", earlier=None)
    assert [row["marker"] for row in listed(tmp_path)] == ["one", "two"]


def test_senders_at_the_same_time_write_one_notice_per_marker(tmp_path):
    def send():
        for number in range(5):
            FileNotifier(tmp_path / "outbox").send(DRIFT, marker=f"m{number}", earlier=None)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(row["marker"] for row in listed(tmp_path)) == ["m0", "m1", "m2", "m3", "m4"]


def test_an_outbox_that_cannot_be_written_says_what_to_check(tmp_path):
    (tmp_path / "outbox").write_text("a file stands where the folder should be")
    with pytest.raises(UnavailableError, match="AGENTOPS_HOME"):
        FileNotifier(tmp_path / "outbox").send(DRIFT, marker="m", earlier=None)
    assert os.listdir(tmp_path) == ["outbox"]
