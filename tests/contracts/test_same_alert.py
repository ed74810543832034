"""The monitor on the same rows in SQLite, Postgres and Snowflake opens the same incident."""

from dataclasses import replace

import numpy as np
import pytest

from agentops_graph.adapters.sql_warehouse import SqlWarehouse, open_warehouse
from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.domain.sources.warehouse import PostgresWarehouse
from agentops_graph.monitor import tick
from tests.contracts.test_counted_warehouse import COMPONENT, logged, reference
from tests.contracts.warehouse_kinds import made_in
from tests.desk import Desk
from tests.gathering.fraud_world import MODEL, NOW

ROWS = 1400


class Noon:
    def now(self):
        return NOW


def filled(warehouse):
    rng = np.random.default_rng(5)
    warehouse.save_reference(reference(rng))
    warehouse.write("PREDICTION_LOGS", logged(rng, ROWS, is_broken=True, failed=0.0))
    return warehouse


def ticked(warehouse, home):
    """What one round of the monitor opened, and what it could not judge."""
    component = COMPONENT.model_copy(update={"expected_rows_per_hour": float(ROWS)})
    ports = replace(
        Desk(home).ports,
        warehouse=warehouse,
        history=warehouse,
        clock=Noon(),
        components={MODEL.name: component},
    )
    seen = tick(ports)
    told = [
        (alert.alert_type, alert.severity, sorted(f.metric for f in alert.findings))
        for alert in (admission.alert for admission in seen.admissions)
    ]
    return told, seen


@pytest.mark.parametrize("kind", ["postgres", pytest.param("snowflake", marks=pytest.mark.slow)])
def test_the_same_rows_are_the_same_incident_in_every_database(kind, request, tmp_path):
    told, near = ticked(filled(SqliteWarehouse(tmp_path / "w.db")), tmp_path / "near")
    assert [alert[0] for alert in told] == ["model_drift"]
    with made_in(kind, request) as made:
        filled(made)
        far, whole = ticked(made, tmp_path / "far")
        capped = SqlWarehouse(
            made.session, made.dialect, sample_rows=1000, db_schema=made.layouts.db_schema
        )
        counted, _ = ticked(capped, tmp_path / "counted")
    assert far == counted == told
    ours, theirs = near.readings[MODEL.name], whole.readings[MODEL.name]
    assert theirs == pytest.approx(ours)


def test_a_database_that_is_down_opens_nothing_and_is_told(tmp_path):
    source = PostgresWarehouse(kind="postgres", port=1, database="ml", user="mia")
    told, seen = ticked(open_warehouse(source, None), tmp_path)
    assert told == []
    assert seen.unjudged == [MODEL.name]
    assert "did not answer" in seen.notes[MODEL.name][0]
