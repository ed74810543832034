"""A busy window is counted in the database, and tells the same as its rows would."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.detection.profile import profile_of
from agentops_graph.domain.metric import F1
from agentops_graph.gathering.measure import measure
from tests.contracts.sql_warehouses import SqlWarehouse, in_postgres, source_of
from tests.contracts.warehouse_kinds import made_in
from tests.gathering.fraud_world import MODEL, NAMES, NOW, broken, drawn

COUNTRIES = np.array(["DE", "FR", "IT", None], dtype=object)
CAP = 1000


def reference(rng):
    features, labels = drawn(rng, 6000)
    columns = dict(zip(NAMES[12:18], features.T[12:18], strict=True))
    called = (features[:, 13] + features[:, 16] > 1.66).astype(float)
    return profile_of(
        MODEL.name,
        "2",
        columns,
        {"f1": 0.95},
        NOW,
        categories={"country": rng.choice(COUNTRIES, 6000)},
        outputs={"prediction": called, "label": labels},
    )


def logged(rng, count, *, is_broken, missing=0.0, new=0.0, slow=1.0, failed=0.02):
    features, labels = drawn(rng, count)
    features = broken(features) if is_broken else features
    called = (features[:, 13] + features[:, 16] > 1.66).astype(float)
    countries = rng.choice(COUNTRIES, count)
    countries[rng.random(count) < new] = "Atlantis"
    for place in range(count):
        row = dict(zip(NAMES[12:18], features[place, 12:18].tolist(), strict=True))
        if rng.random() < missing:
            row["V18"] = None
        yield {
            "timestamp": NOW - timedelta(seconds=3600 * (place + 0.5) / count),
            "prediction_id": f"p{place}",
            "model_name": MODEL.name,
            "model_version": "2",
            "features": row | {"country": countries[place]},
            "prediction": None if rng.random() < failed else called[place],
            "confidence": 0.9,
            "actual_label": labels[place],
            "latency_ms": float(rng.lognormal(3, 0.3) * slow),
        }


WORLDS = {
    "healthy": {"is_broken": False},
    "drifted": {"is_broken": True},
    "missing and new": {"is_broken": False, "missing": 0.3, "new": 0.2},
    "slow": {"is_broken": False, "slow": 90.0},
}
# Three statements for each of them; the emulator takes a second for what Snowflake does in a tenth.
CASES = [("postgres", world) for world in WORLDS]
CASES.append(pytest.param("snowflake", "drifted", marks=pytest.mark.slow))
KINDS = ["postgres", pytest.param("snowflake", marks=pytest.mark.slow)]


def filled(warehouse, world):
    rng = np.random.default_rng(5)
    profile = reference(rng)
    warehouse.save_reference(profile)
    warehouse.write("PREDICTION_LOGS", logged(rng, 3000, **WORLDS[world]))
    return profile


def capped(warehouse):
    return SqlWarehouse(
        warehouse.session, warehouse.dialect, sample_rows=CAP, db_schema=warehouse.layouts.db_schema
    )


COMPONENT = MODEL.model_copy(update={"expected_rows_per_hour": 3000, "feeds": ()})


@pytest.mark.parametrize(("kind", "world"), CASES)
def test_counted_and_read_windows_raise_the_same_alerts(kind, world, request, tmp_path):
    near = SqliteWarehouse(tmp_path / "w.db")
    filled(near, world)
    by_rows = measure(near, COMPONENT, NOW)
    with made_in(kind, request) as made:
        filled(made, world)
        whole = measure(made, COMPONENT, NOW)
        counted = measure(capped(made), COMPONENT, NOW)
    told = [(f.alert_type, f.metric, f.severity) for f in by_rows.findings]
    assert told or world == "healthy"
    for other in (whole, counted):
        assert [(f.alert_type, f.metric, f.severity) for f in other.findings] == told
        assert [c.alert_type for c in other.grouped()] == [c.alert_type for c in by_rows.grouped()]
    assert whole.readings == pytest.approx(by_rows.readings)
    assert 0 < counted.readings.pop("sampled_share") <= CAP / 3000
    of_the_sample = {"correlation_shift", "duplicate_share"}
    for name, value in by_rows.readings.items():
        if name not in of_the_sample:
            assert counted.readings[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name


@pytest.mark.parametrize("kind", KINDS)
def test_a_tally_counts_what_the_rows_hold(kind, request):
    with made_in(kind, request) as made:
        profile = filled(made, "missing and new")
        rows = made.predictions(MODEL.name, NOW - timedelta(hours=1), NOW)
        tally = capped(made).tally(
            MODEL.name,
            NOW - timedelta(hours=1),
            NOW,
            version="2",
            reference=profile,
            metric=F1,
        )
    assert tally.rows == len(rows) == 3000
    assert tally.failed == np.isnan(rows.prediction).sum()
    again = profile_of(
        MODEL.name,
        "2",
        {n: rows.features[n] for n in profile.features},
        {},
        NOW,
        like=profile,
        categories={"country": rows.categories["country"]},
        outputs={"prediction": rows.prediction, "label": rows.label},
    )
    for name, cells in tally.features.items():
        assert cells == again.features[name].cells
    assert tally.categories["country"] == again.categories["country"]
    for name, cells in tally.outputs.items():
        assert cells.counts == again.outputs[name].cells.counts
    both = np.isfinite(rows.prediction) & np.isfinite(rows.label)
    assert tally.labelled == both.sum()
    hits = ((rows.prediction == 1) & (rows.label == 1)).sum()
    assert tally.outcomes[(1.0, 1.0)] == hits


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_is_bounded_the_same_every_time_and_says_what_it_stands_for(kind, request):
    with made_in(kind, request) as made:
        rng = np.random.default_rng(5)
        made.write("PREDICTION_LOGS", logged(rng, 3000, is_broken=False))
        small = capped(made)
        first = small.predictions(MODEL.name, NOW - timedelta(hours=1), NOW)
        again = small.predictions(MODEL.name, NOW - timedelta(hours=1), NOW)
        part = small.predictions(MODEL.name, NOW - timedelta(hours=1), NOW - timedelta(minutes=10))
    assert first.ids == again.ids
    assert CAP / 4 < len(first) <= CAP * 1.25
    assert (first.rows, part.rows) == (3000, 2500)
    assert set(part.ids) <= set(first.ids)
    assert not replace(first, stands_for=None).is_sample


def odd(features):
    return {
        "timestamp": NOW - timedelta(minutes=5),
        "prediction_id": "odd",
        "model_name": MODEL.name,
        "model_version": "2",
        "features": features,
        "prediction": 0.0,
    }


@pytest.mark.parametrize("kind", KINDS)
def test_odd_values_are_missing_for_the_database_as_for_the_rows(kind, request):
    values = [
        "1.5",
        " 2 ",
        "abc",
        "1e400",
        "",
        None,
        True,
        1e80,
        "-.5",
        1e-320,
        "0x1F",
        [1],
        {"a": 1},
    ]
    with made_in(kind, request) as made:
        rng = np.random.default_rng(5)
        profile = reference(rng)
        made.write("PREDICTION_LOGS", [odd({"V14": value}) for value in values] * 100)
        rows = made.predictions(MODEL.name, NOW - timedelta(hours=1), NOW)
        tally = capped(made).tally(
            MODEL.name, NOW - timedelta(hours=1), NOW, version="2", reference=profile, metric=F1
        )
    known = rows.features["V14"][np.isfinite(rows.features["V14"])]
    assert tally.features["V14"].missing == len(rows) - len(known)
    edges = profile.features["V14"].cells.edges
    placed = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    assert tally.features["V14"].counts == tuple(placed.tolist())


def test_doctor_asks_the_tables_for_a_row_and_tells_the_age_of_the_data(postgres_url, tmp_path):
    from agentops_graph.bootstrap import Workshop
    from agentops_graph.doctor import examine
    from agentops_graph.settings import read_settings

    with in_postgres(postgres_url) as made:
        made.create_tables()
        filled(made, "healthy")
        source = source_of(postgres_url)[0]
        schema = made.layouts.db_schema
        (tmp_path / "sources.yaml").write_text(
            f"warehouse:\n  kind: postgres\n  host: {source.host}\n  port: {source.port}\n"
            f"  database: {source.database}\n  user: {source.user}\n  schema: {schema}\n"
        )
        (tmp_path / "components.yaml").write_text("components:\n  - name: fraud-detector\n")
        workshop = Workshop(read_settings({"AGENTOPS_HOME": str(tmp_path)}))
        checks = {c.name: c for c in examine(workshop.settings, lambda: workshop.ports)}
        workshop.warehouse.session.close()
    assert checks["warehouse"].state == "degraded"
    assert "rows in PREDICTION_LOGS, MODEL_REFERENCE" in checks["warehouse"].seen
    assert "nothing in MODEL_METRICS" in checks["warehouse"].seen
    assert "version 2" in checks["data of fraud-detector"].seen


def test_features_beyond_one_statement_are_counted_in_the_next(postgres_url, monkeypatch):
    monkeypatch.setattr("agentops_graph.adapters.sql_warehouse.tallies.MOST_SETS", 3)
    hour = (NOW - timedelta(hours=1), NOW)
    with in_postgres(postgres_url) as made:
        profile = filled(made, "healthy")
        tally = capped(made).tally(MODEL.name, *hour, version="2", reference=profile, metric=F1)
    assert {cells.rows for cells in tally.features.values()} == {3000}
    assert len(tally.features) == 6
