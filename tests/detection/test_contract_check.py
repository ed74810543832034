"""What is wrong with a batch is named with its column, and each row counts once."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from agentops_graph.detection.contract_check import checked
from agentops_graph.detection.contract_inference import inferred
from agentops_graph.detection.contract_schema import schema_of
from agentops_graph.detection.violations import excess
from agentops_graph.domain.contract import Freshness
from agentops_graph.errors import InputError
from tests.detection.feeds import kinds, payments

ROWS = 2000


@pytest.fixture(scope="module")
def contract():
    return inferred(payments(), "payments")


@pytest.fixture
def batch():
    return payments(seed=1)


def the(report, kind):
    (breach,) = [breach for breach in report.breaches if breach.kind == kind]
    return breach


def test_healthy_batches_break_nothing(contract):
    reports = [checked(payments(seed), contract).report for seed in range(2, 14)]
    assert sum(report.is_violated for report in reports) == 0
    assert max(report.violation_rate for report in reports) < 0.002


@pytest.mark.parametrize("rows", [5, 50, 300])
def test_small_healthy_batches_break_nothing(contract, rows):
    reports = [checked(payments(seed, rows), contract).report for seed in range(100, 115)]
    assert not any(report.is_violated for report in reports)


def test_a_row_with_three_faults_counts_once(contract, batch):
    batch.loc[:99, "amount"] = -5.0
    batch.loc[:99, "country"] = "XX"
    batch.loc[:99, "clock"] = "99:99 x"
    report = checked(batch, contract).report
    assert report.violations == 100
    assert kinds(report) == {
        ("out_of_range", "amount"),
        ("unseen_category", "country"),
        ("off_format", "clock"),
    }
    assert all(breach.rows == 100 for breach in report.breaches)


def test_exact_counts_of_missing_and_unseen_values_are_reported(contract, batch):
    batch.loc[:6, "country"] = "XX"
    batch.loc[7:9, "country"] = None
    report = checked(batch, contract).report
    assert report.unseen == {"country": 7}
    assert report.missing["country"] == 3
    assert report.missing["discount"] == int(batch["discount"].isna().sum())


def test_usual_missing_values_are_no_violation_and_twice_as_many_are(contract, batch):
    assert checked(batch, contract).report.violations == 0
    more = np.random.default_rng(5).random(ROWS) < 0.15
    batch.loc[more, "discount"] = None
    report = checked(batch, contract).report
    breach = the(report, "missing_values")
    assert breach.column == "discount"
    assert breach.usual == pytest.approx(0.1, abs=0.02)
    # Of 24% missing, 14 points are more than usual; the report counts those and not the rest.
    assert report.violations == pytest.approx(breach.rows - breach.usual * ROWS, abs=2)
    assert report.null_rate == pytest.approx(report.violations / ROWS / 10, abs=0.002)


@pytest.mark.parametrize(
    ("count", "rows", "expected"), [(130, 1000, 0.0), (250, 1000, 0.6), (3, 10, 0.0), (0, 0, 0.0)]
)
def test_more_missing_values_count_only_beyond_chance(count, rows, expected):
    assert excess(count, rows, 0.1, 5000, 10) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("column", "change", "said"),
    [
        (
            "amount",
            lambda v: v * 100,
            "100 times what it was: unit changed, such as euros to cents",
        ),
        ("amount", lambda v: v / 1000, "a 1000th of what it was"),
        ("celsius", lambda v: v * 1.8 + 32, "°C to °F"),
        ("celsius", lambda v: v + 273.15, "°C to kelvin"),
        ("amount", lambda v: -v, "of the other sign"),
    ],
)
def test_another_unit_is_named(contract, batch, column, change, said):
    batch[column] = change(batch[column])
    report = checked(batch, contract).report
    assert the(report, "unit_change").column == column
    assert said in the(report, "unit_change").summary
    assert report.violations == ROWS


@pytest.mark.parametrize("factor", [0.62, 0.8, 1.3, 1.6093, 2.0, 2.2046, 3.0])
def test_growth_is_no_change_of_units(contract, batch, factor):
    batch["amount"] *= factor
    assert "unit_change" not in {kind for kind, _ in kinds(checked(batch, contract).report)}


def test_another_unit_in_a_part_of_the_rows_is_named(contract, batch):
    vendor = np.arange(ROWS) % 4 == 0
    batch.loc[vendor, "celsius"] = batch.loc[vendor, "celsius"].abs() * 1000 + 4000
    report = checked(batch, contract).report
    assert "1000 times what it was: another unit in a part" in the(report, "out_of_range").summary
    assert report.violations == vendor.sum()


def test_a_renamed_column_is_recognised_by_name_and_content(contract, batch):
    report = checked(batch.rename(columns={"amount": "Amount_EUR"}), contract).report
    assert the(report, "renamed_column").summary == "amount is called Amount_EUR now"
    assert report.violations == ROWS


def test_a_like_name_with_other_content_is_no_renaming(contract, batch):
    changed = batch.drop(columns="amount").assign(amount_2=-1e6)
    assert {("dropped_column", "amount")} <= kinds(checked(changed, contract).report)


def test_a_new_column_is_worth_knowing_and_no_violation(contract, batch):
    report = checked(batch.assign(extra=1), contract).report
    assert the(report, "added_column").summary == "not in the contract: extra"
    assert report.violations == 0
    closed = contract.model_copy(update={"more_columns": False})
    assert checked(batch.assign(extra=1), closed).report.violations == ROWS


def test_swapped_columns_are_named(contract, batch):
    batch["country"], batch["order"] = batch["order"].copy(), batch["country"].copy()
    report = checked(batch, contract).report
    assert the(report, "swapped_columns").summary.startswith("country and order have changed")


def test_a_column_of_another_type_is_one_breach(contract, batch):
    report = checked(batch.assign(amount="much"), contract).report
    assert the(report, "retyped_column").summary.startswith("amount was number and is not now")
    assert the(report, "retyped_column").rows == ROWS


def test_some_cells_of_another_type_are_counted(contract, batch):
    batch["amount"] = batch["amount"].astype(object)
    batch.loc[:9, "amount"] = "n.v."
    report = checked(batch, contract).report
    assert the(report, "wrong_type").rows == report.violations == 10


def test_a_batch_loaded_twice_is_half_wrong(contract, batch):
    report = checked(pd.concat([batch, batch]), contract).report
    assert the(report, "duplicate_keys").rows == ROWS
    assert report.violation_rate == 0.5


def test_repeated_rows_are_found_without_a_key(contract, batch):
    keyless = contract.model_copy(update={"keys": ()})
    report = checked(pd.concat([batch, batch[:500]]), keyless).report
    assert the(report, "duplicate_rows").rows == 500


def test_rows_that_repeat_as_usual_are_no_violation():
    small = pd.DataFrame({"answer": np.random.default_rng(0).choice(["yes", "no"], 4000)})
    contract = inferred(small, "poll")
    assert contract.duplicate_rate > 0.99
    assert checked(small[:2000], contract).report.violations == 0


def test_late_data_is_named_with_its_age(contract, batch):
    fresh = contract.model_copy(update={"freshness": Freshness(column="at", max_age_s=7200)})
    newest = datetime(2026, 3, 1, 11, tzinfo=UTC)
    on_time = checked(batch, fresh, arrived_at=newest + timedelta(hours=1)).report
    assert on_time.violations == 0
    late = checked(batch, fresh, arrived_at=newest + timedelta(hours=9)).report
    assert the(late, "late_data").summary == "the newest at is 9.0 h old, at most 2 h"


def test_rows_that_could_not_be_read_count(contract, batch):
    report = checked(batch, contract, malformed=500).report
    assert (report.rows, report.violations) == (2500, 500)


def test_an_empty_batch_is_said_and_breaks_nothing(contract, batch):
    report = checked(batch[:0], contract).report
    assert (report.rows, report.violations, report.is_violated) == (0, 0, False)
    assert the(report, "empty_batch").summary == "the batch holds no row"


def test_one_row_is_judged(contract, batch):
    assert checked(batch[:1], contract).report.violations == 0
    assert checked(batch[:1].assign(country="XX"), contract).report.unseen == {"country": 1}


def test_a_batch_of_nothing_is_all_wrong(contract, batch):
    nothing = pd.DataFrame(None, index=range(300), columns=batch.columns)
    report = checked(nothing, contract).report
    assert report.violations == 300
    assert report.missing == dict.fromkeys(contract.columns, 300)


def test_infinity_is_no_number(contract, batch):
    batch.loc[:4, "amount"] = np.inf
    assert the(checked(batch, contract).report, "wrong_type").rows == 5


def test_columns_are_named_in_any_script(batch):
    strange = batch.rename(columns={"amount": "сумма 💶", "country": "a b:c #d"})
    contract = inferred(strange, "платежи")
    report = checked(strange.assign(**{"сумма 💶": -1.0}), contract).report
    assert the(report, "out_of_range").column == "сумма 💶"


def test_a_table_with_one_name_twice_is_refused(contract, batch):
    with pytest.raises(InputError, match="amount stands twice; rename"):
        checked(pd.concat([batch, batch[["amount"]]], axis=1), contract)


def test_the_schema_is_pandera_and_finds_the_same_cells(contract, batch):
    import pandera.pandas as pa

    schema = schema_of(contract)
    assert isinstance(schema, pa.DataFrameSchema)
    schema.validate(batch, lazy=True)
    batch.loc[3, "amount"], batch.loc[5, "country"], batch.loc[7, "clock"] = -1, "XX", "25:00"
    with pytest.raises(pa.errors.SchemaErrors) as failed:
        schema.validate(batch, lazy=True)
    cells = {(row.column, row.index) for row in failed.value.failure_cases.itertuples(index=False)}
    seen = checked(batch, contract)
    assert {index for _, index in cells} == set(np.flatnonzero(seen.flagged)) == {3, 5, 7}


@pytest.mark.slow
def test_a_month_of_hourly_batches_raises_no_alert(contract):
    reports = [checked(payments(seed, 500), contract).report for seed in range(1000, 1720)]
    assert max(report.violation_rate for report in reports) < 0.05
    assert sum(report.is_violated for report in reports) <= 1


@pytest.mark.slow
def test_ten_thousand_columns_are_checked():
    wide = pd.DataFrame(
        np.random.default_rng(0).normal(size=(300, 10_000)),
        columns=[f"c{n}" for n in range(10_000)],
    )
    contract = inferred(wide, "wide")
    assert checked(wide.assign(c7=-99.0), contract).report.violations == 300


def test_of_ids_that_count_up_the_one_out_of_place_is_the_repeat(contract, batch):
    batch.loc[10, "payment_id"] = batch["payment_id"][900]
    batch.loc[1500, "payment_id"] = batch["payment_id"][20]
    assert np.flatnonzero(checked(batch, contract).flagged).tolist() == [10, 1500]


COLUMNS_OF_ANY_KIND = {
    "nullable integers": pd.array([1, None] * 60, dtype="Int64"),
    "categories of numbers": pd.Categorical([1, 2] * 60),
    "decimals": [Decimal("1.5"), None] * 60,
    "days": [date(2026, 1, 1)] * 120,
    "times of a zone": pd.date_range("2026-01-01", periods=120, tz="Europe/Vienna"),
    "no time": pd.Series([pd.NaT] * 120),
    "spans": pd.to_timedelta(np.arange(120), unit="s"),
    "lists": [[1, 2]] * 120,
    "mappings": [{"a": 1}] * 120,
    "bytes": [b"x"] * 120,
    "mixed types": [1, "a", None, 2.5] * 30,
    "nothing": [None] * 120,
    "infinity": [np.inf] * 120,
    "huge numbers": [1e308, -1e308] * 60,
    "a constant": [5] * 120,
    "complex numbers": np.ones(120) * 1j,
    "blanks": [" "] * 120,
    "long texts": ["x" * 5000] * 120,
    "distant years": ["0001-01-01", "9999-12-31"] * 60,
}


@pytest.mark.parametrize("reference", COLUMNS_OF_ANY_KIND)
def test_a_column_of_any_kind_is_judged_against_any_other(reference):
    held = inferred(pd.DataFrame({"c": COLUMNS_OF_ANY_KIND[reference]}), "any")
    for current, cells in COLUMNS_OF_ANY_KIND.items():
        report = checked(pd.DataFrame({"c": cells}), held).report
        assert report.rows == 120
        if current == reference and current not in ("infinity", "huge numbers"):
            assert report.violations == 0
