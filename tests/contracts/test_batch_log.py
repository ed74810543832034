"""Contract of `BatchLog`: a content is kept once, with its row of DATA_QUALITY."""

from datetime import timedelta

import pytest

from agentops_graph.adapters.memory import WarehouseInMemory
from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.domain.contract import BatchReport, Breach, KeptBatch
from tests.contracts.desk import AT, after
from tests.contracts.warehouse_kinds import SQL, made_in


@pytest.fixture(params=["memory", "sqlite", "sqlite of before", *SQL])
def log(request, tmp_path):
    if request.param in SQL:
        with made_in(request.param, request) as made:
            yield made
    else:
        yield near(request.param, tmp_path)


def near(kind, tmp_path):
    if kind == "memory":
        return WarehouseInMemory({})
    path = tmp_path / "warehouse.db"
    if kind == "sqlite of before":
        warehouse = SqliteWarehouse(path)
        warehouse.create_tables()
        import sqlite3

        with sqlite3.connect(path) as connection:
            connection.execute("DROP TABLE BATCH_CHECKS")
        connection.close()
    return SqliteWarehouse(path)


def batch(number, *, pipeline="payments", at_s=0.0, rows=100):
    broken = Breach(kind="off_format", column="order", rows=7, share=0.07, summary="order: 7 off")
    report = BatchReport(
        contract="payments", batch=f"{number}.csv", rows=rows, violations=7, breaches=(broken,)
    )
    return KeptBatch(
        pipeline=pipeline,
        batch_id=f"content-{number}",
        stamp=f"/in/{number}.csv|1|1",
        at=after(at_s),
        checked_at=after(at_s + 5),
        report=report,
    )


def test_nothing_was_checked_before_the_first_batch(log):
    assert log.batch_reports("payments", AT, after(100)) == []
    assert log.known_batches("payments") == set()
    assert log.batches_since("payments") is None


def test_a_batch_is_kept_with_its_row_of_data_quality(log):
    assert log.record_batch(batch(1))
    (report,) = log.batch_reports("payments", AT, after(100))
    assert report == batch(1).report
    rows = log.series("data_quality", "payments", AT, after(100))
    assert rows.columns["record_count"].tolist() == [100]
    assert rows.columns["schema_violations"].tolist() == [7]


def test_the_same_content_is_kept_once_and_counted_once(log):
    again = batch(1).model_copy(update={"stamp": "/in/copy.csv|1|2", "at": after(50)})
    assert [log.record_batch(batch(1)), log.record_batch(again)] == [True, False]
    assert len(log.series("data_quality", "payments", AT, after(100))) == 1
    assert log.known_batches("payments") == {"/in/1.csv|1|1"}


def test_the_same_content_of_two_pipelines_is_two_batches(log):
    assert log.record_batch(batch(1))
    assert log.record_batch(batch(1, pipeline="refunds"))
    assert len(log.batch_reports("refunds", AT, after(100))) == 1


def test_reports_come_by_time_of_arrival_and_without_the_end(log):
    for number, at_s in ((1, 40.0), (2, 10.0), (3, 60.0)):
        log.record_batch(batch(number, at_s=at_s))
    found = log.batch_reports("payments", AT, after(60))
    assert [report.batch for report in found] == ["2.csv", "1.csv"]
    times = log.series("data_quality", "payments", AT, after(61)).timestamps
    assert (times == sorted(times)).all()
    assert log.batches_since("payments") == after(10) + timedelta(seconds=5)
