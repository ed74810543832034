"""Tokens, sessions and links: found by hash, ended together, used once."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest

from agentops_graph.domain.identity import Credential
from agentops_graph.errors import ConflictError, GoneError, NotFoundError
from tests.contracts.desk import AT, after, at_once


def made(desk, kind="token", secret="a", **fields):
    values = {
        "credential_id": "new",
        "kind": kind,
        "name": "mia",
        "role": "approver",
        "created_by": "root",
        "created_at": AT,
    }
    if kind == "link":
        values |= {"approval_id": "A-1", "expires_at": after(3600)}
    credential = Credential(**values | fields)
    return desk.credentials.add(credential, secret_sha256=hashed(secret), via="cli")


def hashed(secret):
    return sha256(secret.encode()).hexdigest()


def test_each_kind_is_numbered_by_itself_and_found_by_the_hash_alone(desk):
    token, link = made(desk), made(desk, "link", "b", parent_id="T-1")
    second = made(desk, secret="c", tenant="eu", expires_at=after(60))
    assert [c.credential_id for c in (token, link, second)] == ["T-1", "L-1", "T-2"]
    assert desk.credentials.find(hashed("a")) == token
    assert desk.credentials.find(hashed("c")) == second
    assert desk.credentials.find("a") is None
    assert {c.credential_id for c in desk.credentials.listed()} == {"T-1", "L-1", "T-2"}


def test_one_secret_stands_for_one_credential_only(desk, request):
    if "memory" in request.node.name:
        pytest.skip("the twin keeps no unique index")
    from sqlalchemy.exc import IntegrityError

    made(desk)
    with pytest.raises(IntegrityError):
        made(desk)
    assert len(desk.credentials.listed()) == 1


def test_tokens_are_remembered_after_the_last_one_ended(desk):
    assert not desk.credentials.has_tokens()
    made(desk, "link")
    assert not desk.credentials.has_tokens()
    made(desk, secret="b")
    desk.credentials.revoke("T-1", by="root", via="cli", at=after(1))
    assert desk.credentials.has_tokens()


def test_end_of_a_token_ends_what_was_made_with_it_and_nothing_else(desk):
    made(desk)
    made(desk, secret="other")
    session = made(desk, "session", "s", parent_id="T-1")
    link = made(desk, "link", "l", parent_id="T-1")
    theirs = made(desk, "session", "t", parent_id="T-2")
    ended = desk.credentials.revoke("T-1", by="root", via="http", at=after(5))
    assert ended.revoked_at == after(5)
    held = {c.credential_id: c.revoked_at for c in desk.credentials.listed()}
    assert held[session.credential_id] == held[link.credential_id] == after(5)
    assert held["T-2"] is None
    assert held[theirs.credential_id] is None
    assert desk.credentials.revoke("T-1", by="ben", via="cli", at=after(9)) == ended
    assert desk.said_in_audit().count("token.revoked") == 1


def test_end_of_a_session_leaves_its_token(desk):
    made(desk)
    session = made(desk, "session", "s", parent_id="T-1")
    desk.credentials.revoke(session.credential_id, by="mia", via="http", at=after(5))
    assert desk.credentials.find(hashed("a")).counts(after(6))
    assert not desk.credentials.find(hashed("s")).counts(after(6))


def test_nothing_is_made_with_a_token_that_has_ended(desk):
    made(desk, expires_at=after(10))
    with pytest.raises(ConflictError, match="T-1 has ended"):
        made(desk, "session", "s", parent_id="T-1", created_at=after(10))
    made(desk, secret="b")
    desk.credentials.revoke("T-2", by="root", via="cli", at=after(1))
    with pytest.raises(ConflictError):
        made(desk, "link", "l", parent_id="T-2")
    assert len(desk.credentials.listed()) == 2


def test_unknown_credential_can_not_be_ended(desk):
    with pytest.raises(NotFoundError, match="T-7"):
        desk.credentials.revoke("T-7", by="root", via="cli", at=AT)


def test_link_is_used_once(desk):
    link = made(desk, "link")
    used = desk.credentials.use(link.credential_id, at=after(5))
    assert used.revoked_at == after(5)
    with pytest.raises(GoneError):
        desk.credentials.use(link.credential_id, at=after(6))
    assert desk.said_in_audit() == ["link.created", "link.used"]


def test_of_many_who_use_a_link_at_once_one_does(desk):
    made(desk, "link")
    outcomes = at_once(lambda _: desk.credentials.use("L-1", at=after(5)))
    assert sum(isinstance(o, GoneError) for o in outcomes) == 5
    assert desk.said_in_audit().count("link.used") == 1


@pytest.mark.parametrize("end", ["revoked", "expired", "token"])
def test_what_is_no_live_link_is_not_used(desk, end):
    held = made(desk, "token" if end == "token" else "link")
    if end == "revoked":
        desk.credentials.revoke("L-1", by="root", via="cli", at=after(1))
    with pytest.raises(GoneError):
        desk.credentials.use(held.credential_id, at=after(3600 if end == "expired" else 5))


def test_link_stays_good_when_the_decision_it_was_used_for_fails(desk, request):
    if "memory" in request.node.name:
        pytest.skip("the twin joins no writes")
    made(desk, "link")

    def use_and_fail():
        with desk.incidents.together():
            desk.credentials.use("L-1", at=after(5))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use_and_fail()
    assert desk.credentials.use("L-1", at=after(6)).revoked_at == after(6)


def test_session_made_while_its_token_ends_never_outlives_it(desk):
    for number in range(5):
        token = made(desk, secret=f"token {number}")
        with ThreadPoolExecutor(2) as people:
            session = people.submit(
                made, desk, "session", f"session {number}", parent_id=token.credential_id
            )
            people.submit(
                desk.credentials.revoke, token.credential_id, by="root", via="cli", at=after(-1)
            ).result()
            refused = isinstance(session.exception(), ConflictError)
        held = desk.credentials.find(hashed(f"session {number}"))
        assert held is None if refused else not held.counts(after(1))


def test_every_change_is_in_the_audit_and_no_secret_is(desk):
    made(desk, secret="a secret")
    desk.credentials.revoke("T-1", by="root", via="cli", at=after(1))
    assert desk.said_in_audit() == ["token.created", "token.revoked"]
    for row in desk.audit.rows():
        assert hashed("a secret") not in str(row)
        assert "a secret" not in str(row)
        assert "T-1" in str(row)
    assert desk.audit.verify() is None
