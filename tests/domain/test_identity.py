"""What roles may do, and what an identity is vouched for by."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from agentops_graph.domain.identity import (
    DEEDS,
    ROLE_MAY,
    Credential,
    Identity,
    role_may,
    roles_that_may,
)

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def credential(**fields):
    values = {
        "credential_id": "T-1",
        "kind": "token",
        "name": "mia",
        "role": "approver",
        "created_by": "root",
        "created_at": AT,
    }
    return Credential(**values | fields)


def test_each_deed_is_one_roles_first_and_open_to_all_above_it():
    named = [deed for deeds in ROLE_MAY.values() for deed in deeds]
    assert sorted(named) == sorted(set(named)) == sorted(DEEDS)
    for deed in DEEDS:
        open_to = roles_that_may(deed)
        assert open_to == tuple(ROLE_MAY)[-len(open_to) :]


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("viewer", "ask", "report"),
        ("operator", "edit", "decide"),
        ("approver", "decide", "administer"),
        ("admin", "administer", None),
    ],
)
def test_role_ends_where_the_next_begins(role, may, may_not):
    assert role_may(role, may)
    assert may_not is None or not role_may(role, may_not)


def test_link_may_decide_and_nothing_else_whatever_its_role():
    link = Identity(name="ben", role="admin", approval_id="A-1")
    assert [deed for deed in DEEDS if link.may(deed)] == ["decide"]


def test_what_is_decided_over_a_session_or_a_link_rests_on_the_token():
    assert credential().identity.credential_id == "T-1"
    for kind in ("session", "link"):
        made_with = credential(credential_id="X-1", kind=kind, parent_id="T-1")
        assert made_with.identity.credential_id == "T-1"


def test_name_is_proved_by_a_token_or_a_link_only():
    assert credential().identity.is_proved
    assert credential(kind="link", approval_id="A-1").identity.is_proved
    assert not Identity(name="mia", role="admin").is_proved


def test_credential_counts_until_it_ends():
    ends = AT + timedelta(hours=1)
    assert credential(expires_at=ends).counts(AT)
    assert not credential(expires_at=ends).counts(ends)
    assert not credential(revoked_at=AT).counts(AT)


@pytest.mark.parametrize("name", ["", "a\x00b", "\ud800", "x" * 201])
def test_name_that_not_every_database_holds_is_refused(name):
    with pytest.raises(ValidationError):
        credential(name=name)
