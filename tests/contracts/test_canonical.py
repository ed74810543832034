"""The digest's bytes are RFC 8785 canonical JSON, decimals as strings."""

import rfc8785
from hypothesis import given
from hypothesis import strategies as some

from agentops_graph.domain.approval import Proposal, canonical_json
from tests.contracts.desk import proposal

KEYS = some.text(some.characters(min_codepoint=32, max_codepoint=126), max_size=12)
TEXTS = some.text(some.characters(exclude_categories=["Cs"]))
SAFE_INTEGERS = some.integers(-(2**53) + 1, 2**53 - 1)
SCALARS = some.none() | some.booleans() | SAFE_INTEGERS | TEXTS
FLOATS = some.floats(allow_nan=False, allow_infinity=False)


def documents(scalars):
    return some.recursive(
        scalars, lambda inner: some.lists(inner) | some.dictionaries(KEYS, inner), max_leaves=20
    )


def stringified(value):
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {key: stringified(member) for key, member in value.items()}
    return [stringified(member) for member in value] if isinstance(value, list) else value


@given(documents(SCALARS | FLOATS))
def test_our_bytes_are_those_of_the_reference_implementation(document):
    assert canonical_json(document) == rfc8785.dumps(stringified(document))


@given(some.dictionaries(KEYS, SCALARS | FLOATS, min_size=2))
def test_the_order_of_keys_does_not_count(document):
    turned = dict(reversed(document.items()))
    assert canonical_json(turned) == canonical_json(document)


@given(FLOATS, FLOATS)
def test_decimals_that_differ_stay_different(one, other):
    same = repr(one) == repr(other)
    assert (canonical_json({"n": one}) == canonical_json({"n": other})) is same


def test_a_digest_is_the_same_after_the_ledger_gave_it_back():
    asked = proposal("INC-2026-1001")
    read = Proposal.model_validate_json(asked.model_dump_json())
    assert read.canonical() == asked.canonical()
    assert read.digest == asked.digest


def test_every_part_of_a_proposal_is_bound_by_its_digest():
    asked = proposal("INC-2026-1001").model_copy(update={"approval_id": "A-1"})
    changes = [
        {"approval_id": "A-2"},
        {"incident_id": "INC-2026-1002"},
        {"action": asked.action.model_copy(update={"version": "3"})},
        {"precondition": None},
        {"undo": None},
    ]
    digests = {asked.model_copy(update=change).digest for change in changes}
    assert len(digests | {asked.digest}) == len(changes) + 1
