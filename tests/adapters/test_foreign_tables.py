"""Tables that sqlite-utils made from a CSV with only some of our columns are read all the same."""

import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from click.testing import CliRunner
from sqlite_utils.cli import cli

from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.domain.profile import ReferenceProfile
from agentops_graph.errors import NotEnoughDataError

NOON = datetime(2026, 2, 28, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
AT = "2026-02-28T12:30:00Z"
BARE_LOG = f"""timestamp,model_name,prediction_id,prediction,features
{AT},churn,p1,1,"{{""tenure"": 3}}"
"""


@pytest.fixture
def load(tmp_path):
    warehouse = SqliteWarehouse(tmp_path / "warehouse.db")

    def loaded(table, text):
        file = tmp_path / f"{table}.csv"
        file.write_text(text)
        command = ["insert", str(warehouse.path), table, str(file), "--csv"]
        assert CliRunner().invoke(cli, command).exit_code == 0
        return warehouse

    return loaded


def test_a_log_with_only_what_is_needed_is_read(load):
    warehouse = load("PREDICTION_LOGS", BARE_LOG)
    rows = warehouse.predictions("churn", NOON, LATER)
    assert (rows.ids, rows.version) == (["p1"], [""])
    assert rows.features["tenure"].tolist() == [3]
    assert np.isnan([rows.confidence, rows.label, rows.latency_ms]).all()
    assert warehouse.latest("churn") == (datetime.fromisoformat(AT), "")
    assert len(warehouse.predictions("churn", NOON, LATER, version="")) == 1
    assert len(warehouse.predictions("churn", NOON, LATER, version="2")) == 0
    assert len(warehouse.predictions("churn", NOON, LATER, labelled=True)) == 0


def test_a_version_that_became_a_number_is_still_found(load):
    log = BARE_LOG.replace("features\n", "features,model_version\n").replace('}"\n', '}",2\n')
    rows = load("PREDICTION_LOGS", log).predictions("churn", NOON, LATER, version="2")
    assert rows.version == ["2"]


@pytest.mark.parametrize(
    ("table", "header", "subject", "measure"),
    [
        ("model_metrics", "model_name,f1", "churn", "auc"),
        ("data_quality", "pipeline_name,record_count", "feed", "null_rate"),
        ("agent_metrics", "agent_name,error_rate", "bot", "memory_mb"),
    ],
)
def test_measures_that_a_table_lacks_are_unknown(load, table, header, subject, measure):
    given = header.split(",")[1]
    warehouse = load(table.upper(), f"timestamp,{header}\n{AT},{subject},0.5\n")
    series = warehouse.series(table, subject, NOON, LATER)
    assert series.columns[given].tolist() == [0.5]
    assert np.isnan(series.columns[measure]).all()


def test_changes_need_no_summary_and_no_link(load):
    warehouse = load("CHANGES", f"timestamp,kind,subject\n{AT},deploy,churn\n")
    (change,) = warehouse.changes(["churn"], NOON, LATER)
    assert (change.kind, change.summary, change.link) == ("deploy", "", None)


@pytest.mark.parametrize(
    "column", ["timestamp", "model_name", "prediction_id", "prediction", "features"]
)
def test_a_log_without_a_needed_column_is_told_which(load, column):
    warehouse = load("PREDICTION_LOGS", re.sub(rf"\b{column}\b", "other", BARE_LOG, count=1))
    for read in (
        lambda: warehouse.predictions("churn", NOON, LATER),
        lambda: warehouse.latest("churn"),
    ):
        with pytest.raises(NotEnoughDataError, match=f"lacks the column {column};") as told:
            read()
        assert "no rows" not in str(told.value)


def test_metrics_of_the_team_are_read_and_words_are_not(load):
    text = f"timestamp,model_name,mae,owner\n{AT},price,4.5,mia\n"
    columns = load("MODEL_METRICS", text).series("model_metrics", "price", NOON, LATER).columns
    assert columns["mae"].tolist() == [4.5]
    assert "owner" not in columns


def test_tables_are_completed_around_one_that_a_csv_made(load):
    warehouse = load("DATA_QUALITY", f"pipeline_name,when\nfeed,{AT}\n")
    profile = ReferenceProfile(model_name="churn", model_version="", rows=1, recorded_at=NOON)
    warehouse.save_reference(profile)
    warehouse.save_reference(profile.model_copy(update={"rows": 2}))
    assert warehouse.reference("churn", "").rows == 2
