"""Long evidence lies in files that only their owner reads, for a while and up to a size."""

import base64
import os
import stat
import time

import pytest

from agentops_graph.adapters import evidence_files
from agentops_graph.adapters.evidence_files import EvidenceFiles
from agentops_graph.encryption import NO_RING, Ring
from agentops_graph.errors import UnavailableError


def test_lines_are_kept_where_the_reference_says_and_readable_by_their_owner_only(tmp_path):
    held = EvidenceFiles(tmp_path, NO_RING)
    reference = held.keep("INC-1", "p0-loader-feed", ["one", "two"])
    assert reference == "evidence/INC-1/p0-loader-feed.log"
    assert (tmp_path / reference).read_text() == held.read(reference) == "one\ntwo\n"
    modes = [stat.S_IMODE(os.stat(tmp_path / p).st_mode) for p in (reference, "evidence/INC-1")]
    assert modes == [0o600, 0o700]


def test_a_name_can_not_climb_out_and_a_link_is_not_followed(tmp_path):
    held = EvidenceFiles(tmp_path / "home", NO_RING)
    reference = held.keep("../../etc", "../passwd", ["x"])
    assert reference == "evidence/_.._etc/_passwd.log"
    with pytest.raises(UnavailableError, match="is not there"):
        held.read("evidence/../../secret.txt")


def test_the_middle_of_a_very_long_log_is_left_out_and_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(evidence_files, "HALF", 100)
    held = EvidenceFiles(tmp_path, NO_RING)
    text = held.read(held.keep("INC-1", "a", (f"line {n:04d}" for n in range(1000))))
    assert text.startswith("line 0000\n")
    assert text.endswith("line 0999\n")
    assert "lines left out]" in text
    assert len(text) < 300


def test_old_incidents_go_and_so_do_the_oldest_when_there_is_too_much(tmp_path, monkeypatch):
    held = EvidenceFiles(tmp_path, NO_RING)
    for name, days in (("old", 31), ("older-of-two", 3), ("newer", 1)):
        held.keep(name, "a", ["x" * 1000])
        at = time.time() - days * 86_400
        os.utime(tmp_path / "evidence" / name, (at, at))
    held.keep("now", "a", ["x"])
    assert sorted(f.name for f in (tmp_path / "evidence").iterdir()) == [
        "newer",
        "now",
        "older-of-two",
    ]
    monkeypatch.setattr(evidence_files, "MOST_BYTES", 1500)
    held.keep("now", "b", ["x"])
    assert sorted(f.name for f in (tmp_path / "evidence").iterdir()) == ["newer", "now"]


def test_an_encrypted_folder_keeps_evidence_encrypted(tmp_path):
    ring = Ring(base64.urlsafe_b64encode(b"k" * 32).decode())
    held = EvidenceFiles(tmp_path, ring)
    reference = held.keep("INC-1", "a", ["told in confidence"])
    assert reference.endswith(".log.enc")
    assert b"confidence" not in (tmp_path / reference).read_bytes()
    assert held.read(reference) == "told in confidence\n"


def test_a_full_or_wrong_disk_is_an_error_that_names_the_file(tmp_path):
    (tmp_path / "evidence").write_text("no folder")
    with pytest.raises(UnavailableError, match="can't be written"):
        EvidenceFiles(tmp_path, NO_RING).keep("INC-1", "a", ["x"])
