"""The monitor's tick measures the batch files that a pipeline delivers."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agentops_graph.adapters.memory import WarehouseInMemory
from agentops_graph.adapters.pandas_batches import PandasBatches, contract_text
from agentops_graph.detection.contract_inference import inferred
from agentops_graph.domain.component import Component
from agentops_graph.gathering.measure import measure
from agentops_graph.monitor import tick
from tests.desk import Desk
from tests.detection.feeds import payments

FEED = Component(name="payments", kind="pipeline", contract="payments.yaml", batches="in/*.csv")


class Harbour:
    """A folder where batches arrive, and the log of what was found in them."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "in").mkdir()
        text = contract_text(inferred(payments(), "payments"), source="good", on="today")
        (folder / "payments.yaml").write_text(text, encoding="utf-8")
        self.log = WarehouseInMemory({})
        self.now = datetime.now(UTC) + timedelta(minutes=1)
        self.batches = PandasBatches(folder, self.log)

    def deliver(self, name, table, *, age_s=600.0):
        path = self.folder / "in" / name
        table.to_csv(path, index=False)
        written = self.now.timestamp() - age_s
        os.utime(path, (written, written))
        return path

    def look(self):
        """Notes and findings of one look."""
        notes = self.batches.take_in(FEED, self.now)
        return notes, measure(self.log, FEED, self.now)


@pytest.fixture
def harbour(tmp_path):
    return Harbour(tmp_path)


def bad(seed=1):
    return payments(seed).assign(country="XX")


def test_a_healthy_batch_is_measured_and_raises_nothing(harbour):
    harbour.deliver("one.csv", payments(1))
    notes, seen = harbour.look()
    assert (notes, seen.findings) == ([], [])
    assert seen.readings["quality_violations"] == 0
    assert seen.readings["records"] == 2000


def test_a_bad_batch_raises_an_alert_that_names_the_column(harbour):
    harbour.deliver("one.csv", bad())
    _, seen = harbour.look()
    (claim,) = seen.grouped()
    assert (claim.alert_type, claim.severity) == ("data_quality", "warning")
    assert "100.0% of 2000 records, limit 5%: country: 2000 rows with values" in claim.summary
    assert claim.metrics["violations_country"] == 1.0
    assert not [name for name in claim.metrics if name.startswith("psi_")]


def test_each_file_is_measured_once_however_often_the_monitor_looks(harbour):
    harbour.deliver("one.csv", bad())
    for _ in range(3):
        _, seen = harbour.look()
    assert seen.readings["batches"] == 1


def test_the_same_content_under_another_name_is_not_counted_again(harbour):
    harbour.deliver("one.csv", payments(1))
    harbour.look()
    harbour.deliver("copy.csv", payments(1))
    notes, seen = harbour.look()
    assert notes == ["copy.csv holds what was delivered before; not counted again"]
    assert seen.readings["records"] == 2000
    assert harbour.look()[0] == []


def test_a_file_that_is_still_written_to_waits(harbour):
    harbour.deliver("one.csv", payments(1), age_s=3)
    assert harbour.look()[1].readings["batches"] == 0


def test_files_that_lay_there_before_count_when_they_were_written(harbour):
    harbour.deliver("old.csv", bad(), age_s=5 * 86_400)
    _, seen = harbour.look()
    assert (seen.readings["batches"], seen.findings) == (0, [])


def test_an_old_file_that_comes_later_counts_when_it_comes(harbour):
    harbour.deliver("one.csv", payments(1))
    harbour.batches.take_in(FEED, harbour.now - timedelta(minutes=2))
    harbour.deliver("late.csv", bad(2), age_s=5 * 86_400)
    assert harbour.look()[1].readings["quality_violations"] == 0.5


def test_a_file_nobody_can_read_raises_an_alert(harbour):
    harbour.deliver("one.csv", payments(1))
    harbour.deliver("two.csv", payments(2)).write_bytes(b"a,b\n\xff\xff,1\n")
    written = harbour.now.timestamp() - 60
    os.utime(harbour.folder / "in" / "two.csv", (written, written))
    notes, seen = harbour.look()
    assert "two.csv: can't be read" in notes[0]
    (finding,) = seen.findings
    assert finding.metric == "unreadable_batches"
    assert finding.summary.startswith("1 of 2 batches: two.csv: can't be read")


def test_a_contract_that_cannot_be_read_is_a_note_and_the_files_wait(harbour):
    harbour.deliver("one.csv", payments(1))
    good = (harbour.folder / "payments.yaml").read_text()
    (harbour.folder / "payments.yaml").write_text("name: payments\n")
    notes, seen = harbour.look()
    assert notes == ["1 batches not checked: payments.yaml:1: columns: Field required"]
    assert seen.readings["batches"] == 0
    (harbour.folder / "payments.yaml").write_text(good)
    assert harbour.look()[1].readings["batches"] == 1


def test_the_tick_takes_new_batches_in_and_opens_an_incident(harbour, tmp_path):
    desk = Desk(tmp_path / "desk")
    ports = replace(
        desk.ports,
        components={"payments": FEED},
        warehouse=harbour.log,
        batches=harbour.batches,
        clock=FixedClock(harbour.now),
    )
    harbour.deliver("one.csv", bad())
    seen = tick(ports)
    (admission,) = seen.admissions
    assert "country" in admission.alert.summary
    assert tick(ports).admissions == []


class FixedClock:
    def __init__(self, at):
        self.at = at

    def now(self):
        return self.at
