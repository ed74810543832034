"""A Parquet file is profiled piece by piece to the same figures as its columns in memory."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agentops_graph.detection import parquet
from agentops_graph.detection.drift import drift_between_profiles, drift_by_feature
from agentops_graph.detection.parquet import parquet_profile
from agentops_graph.detection.profile import merged, profile_of
from agentops_graph.errors import InputError

AT = datetime(2026, 2, 28, tzinfo=UTC)


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    columns = {f"f{i}": rng.normal(i, 1, size=9000) for i in range(5)}
    return columns | {"f3": np.where(rng.random(9000) < 0.1, np.nan, columns["f3"])}


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(parquet, "PIECE_ROWS", 1000)
    monkeypatch.setattr(parquet, "PIECE_COLUMNS", 2)


def written(path, columns):
    pq.write_table(pa.table(columns), path, row_group_size=2500)
    return path


def test_a_file_gives_the_figures_of_its_columns(tmp_path, table):
    reference = profile_of("m", "1", table, {}, AT)
    moved = table | {"f1": table["f1"] * 2}
    streamed = parquet_profile(written(tmp_path / "now", moved), "m", "1", AT, like=reference)
    assert streamed.rows == 9000
    assert drift_between_profiles(reference, streamed) == drift_by_feature(reference, moved)


def test_a_file_of_its_own_is_a_reference(tmp_path, table):
    reference = parquet_profile(written(tmp_path / "past", table), "m", "1", AT)
    assert list(reference.features) == list(table)
    assert reference.features["f3"].missing == pytest.approx(np.isnan(table["f3"]).mean())
    assert reference.features["f0"].shares == pytest.approx([0.1] * 10, abs=0.04)
    assert max(d.psi for d in drift_by_feature(reference, table).values()) < 1e-9


def test_files_of_two_days_merge(tmp_path, table):
    first = parquet_profile(written(tmp_path / "one", table), "m", "1", AT)
    second = parquet_profile(written(tmp_path / "two", table), "m", "1", AT, like=first)
    both = merged(first, second)
    assert both.rows == 18_000
    assert both.features["f3"].shares == first.features["f3"].shares


def test_columns_that_are_no_numbers_are_left_out(tmp_path):
    columns = {
        "country": ["de", "fr"],
        "flag": [True, False],
        "whole": pa.array([1, None], type=pa.int64()),
        "none": pa.array([None, None], type=pa.float32()),
    }
    found = parquet_profile(written(tmp_path / "mixed", columns), "m", "1", AT)
    assert list(found.features) == ["whole", "none"]
    assert found.features["whole"].missing == 0.5
    assert found.features["none"].missing == 1


def test_a_file_without_rows_has_features_and_no_drift(tmp_path):
    found = parquet_profile(
        written(tmp_path / "empty", {"a": pa.array([], type=pa.float64())}), "m", "1", AT
    )
    assert found.rows == 0
    assert found.features["a"].quantiles == ()


def test_a_file_that_is_not_parquet_is_named(tmp_path):
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n" * 9)
    with pytest.raises(InputError, match=r"rows\.csv can't be read as Parquet"):
        parquet_profile(tmp_path / "rows.csv", "m", "1", AT)
