"""A contract inferred from a good batch says what people would write, and not more."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from agentops_graph.detection.contract_inference import inferred
from agentops_graph.detection.shapes import KNOWN, learnt, matching
from agentops_graph.errors import InputError, NotEnoughDataError
from tests.detection.feeds import payments


@pytest.fixture(scope="module")
def contract():
    return inferred(payments(), "payments")


def test_each_column_gets_the_type_it_has(contract):
    assert {name: rule.dtype for name, rule in contract.columns.items()} == {
        "payment_id": "integer",
        "amount": "number",
        "celsius": "number",
        "share": "number",
        "country": "text",
        "order": "text",
        "clock": "text",
        "discount": "number",
        "is_new": "boolean",
        "at": "time",
    }


def test_types_are_told_from_text_as_well(contract):
    as_text = payments().astype(str).replace("nan", "")
    assert {n: r.dtype for n, r in inferred(as_text, "payments").columns.items()} == {
        n: r.dtype for n, r in contract.columns.items()
    }


def test_missing_values_are_allowed_where_some_were_missing(contract):
    assert contract.columns["discount"].null_rate == pytest.approx(0.1, abs=0.02)
    assert contract.columns["discount"].nullable
    assert not contract.columns["amount"].nullable


def test_what_was_never_negative_stays_so_and_a_share_stays_one(contract):
    assert contract.columns["amount"].range[0] == 0
    assert contract.columns["share"].range == (0, 1)
    assert contract.columns["celsius"].range[0] < -8


def test_counted_ids_are_a_key_without_a_range_and_amounts_are_none(contract):
    assert contract.keys == (("payment_id",),)
    assert contract.columns["payment_id"].range is None


def test_few_values_are_categories_and_many_have_a_format(contract):
    assert contract.columns["country"].categories == ("AT", "DE", "FR", "IT")
    assert contract.columns["order"].categories is None
    assert contract.columns["order"].formats == (r"AB\-[0-9]{1,6}",)
    assert contract.columns["clock"].formats == (KNOWN["time, 12 hours"],)


def test_numbers_with_leading_zeros_are_names():
    codes = pd.DataFrame({"plz": [f"{n:05d}" for n in range(1000, 1100)]})
    rule = inferred(codes, "towns").columns["plz"]
    assert (rule.dtype, rule.formats) == ("text", ("[0-9]{5}",))


def test_freshness_is_learnt_from_a_batch_that_came_in_time():
    soon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    fresh = inferred(payments(), "payments", arrived_at=soon).freshness
    assert fresh.column == "at"
    assert 2 * 3600 <= fresh.max_age_s <= 5 * 3600
    years_later = datetime(2029, 3, 1, tzinfo=UTC)
    assert inferred(payments(), "payments", arrived_at=years_later).freshness is None


@pytest.mark.parametrize(
    ("value", "is_one"),
    [("7:10 a.m.", True), ("12:59 PM", True), ("13:10 p.m.", False), ("7:60 a.m.", False)],
)
def test_a_time_of_twelve_hours_is_known_by_name(value, is_one):
    assert bool(matching((KNOWN["time, 12 hours"],), {value: 1})) is is_one


def test_prose_has_only_its_characters_and_noise_is_none_of_them():
    rng = np.random.default_rng(0)
    words = ["the", "parcel", "was", "left", "at", "door", "and", "nobody", "came"]
    notes = {" ".join(rng.choice(words, rng.integers(3, 14))): 1 for _ in range(300)}
    found = learnt(notes)
    assert matching(found.expressions, notes).keys() == notes.keys()
    assert not matching(found.expressions, {"ν6Ƥňǁ": 1})


def test_letters_of_any_script_are_letters():
    names = {f"Мария {letter}": 3 for letter in "абвгдежзиклмнопрст"}
    found = learnt(names)
    assert matching(found.expressions, names).keys() == names.keys()


def test_slips_in_the_reference_are_not_learnt_but_their_share_is():
    counts = {f"AB-{n:04d}": 1 for n in range(990)} | {f"??{n}!": 1 for n in range(4)}
    found = learnt(counts)
    assert found.expressions == (r"AB\-[0-9]{4}",)
    assert found.off == pytest.approx(4 / 994)


def test_back_references_hold_when_expressions_are_joined():
    twice = (r"(a)\1", r"(b)\1")
    assert matching(twice, {"aa": 1, "bb": 1, "ba": 1, "ab": 1}).keys() == {"aa", "bb"}


def test_a_reference_without_rows_or_columns_is_refused():
    with pytest.raises(NotEnoughDataError, match="1 rows make no contract"):
        inferred(payments(rows=1), "payments")
    with pytest.raises(InputError, match="no column"):
        inferred(pd.DataFrame(), "payments")
    twice = pd.concat([payments(), payments()[["amount"]]], axis=1)
    with pytest.raises(InputError, match="amount stands twice"):
        inferred(twice, "payments")


def test_a_column_of_nothing_makes_a_rule_that_asks_for_nothing():
    batch = payments().assign(empty=None)
    rule = inferred(batch, "payments").columns["empty"]
    assert (rule.nullable, rule.null_rate, rule.range, rule.formats) == (True, 1.0, None, ())


def test_a_format_of_letters_of_any_script_is_decided_at_once():
    names = ["Jürgen Müller", "Zoë O'Neil", "Anna-Lena Groß", "Peter Smith", "José García"]
    formats = learnt({f"{name}{'x' * (n % 7)}": 20 for n in range(60) for name in names})
    # Twice the work for each letter more would not end before the tests do.
    assert formats is not None
    assert not matching(formats.expressions, {"a" * 60 + "!": 1})
