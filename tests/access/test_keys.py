"""Tokens, sessions and links as people make, use and end them."""

import json
from datetime import timedelta

import pytest

from agentops_graph.access import Access, Keys, authenticate, identified
from agentops_graph.access.authentication import SECRET, hashed, new_secret
from agentops_graph.access.keys import begin_session, decide_by_link, identity_of_link
from agentops_graph.domain.policy import Policy
from agentops_graph.errors import (
    ConflictError,
    ForbiddenError,
    GoneError,
    InputError,
    NotFoundError,
    UnauthenticatedError,
)


def test_secrets_are_long_differ_and_are_not_what_is_kept():
    made = {new_secret() for _ in range(50)}
    assert len(made) == 50
    assert all(SECRET.fullmatch(secret) for secret in made)
    assert all(len(hashed(secret)) == 64 and hashed(secret) not in secret for secret in made)


@pytest.mark.parametrize(
    ("role", "tenant"), [("approver", None), ("viewer", None), ("admin", "north")]
)
def test_first_token_is_an_admins_for_every_tenant(desk, role, tenant):
    with pytest.raises(InputError, match="must be an admin's"):
        Keys(desk.open).create("mia", role, tenant=tenant)
    assert not desk.workshop.ports.credentials.has_tokens()
    Keys(desk.open).create("root", "admin")
    Keys(desk.open).create("mia", role, tenant=tenant)


def test_token_is_known_by_its_secret_until_it_ends(desk):
    credentials, now = desk.workshop.ports.credentials, desk.in_()
    secret = desk.token("mia", "operator", tenant="north", lasts=timedelta(days=1))
    known = authenticate(credentials, secret, now)
    assert (known.name, known.role, known.tenant) == ("mia", "operator", "north")
    refused = []
    for wrong, at in [
        (secret, desk.in_(days=2)),
        (secret[:-1] + ("A" if secret[-1] != "A" else "B"), now),
        ("", now),
        (hashed(secret), now),
        ("agops_" + "x" * 4000, now),
    ]:
        with pytest.raises(UnauthenticatedError) as refusal:
            authenticate(credentials, wrong, at)
        refused.append(str(refusal.value))
    assert len(set(refused)) == 1


def test_door_is_open_until_the_first_token_and_never_again(desk):
    credentials = desk.workshop.ports.credentials
    open_ = identified(credentials, None, desk.in_(), "mia")
    assert (open_.name, open_.role, open_.is_proved) == ("mia", "admin", False)
    with pytest.raises(UnauthenticatedError):
        identified(credentials, new_secret(), desk.in_(), "mia")

    desk.token()
    for held in Keys(desk.open).listed():
        Keys(desk.open).revoke(held.credential_id)
    with pytest.raises(UnauthenticatedError, match="AGENTOPS_TOKEN"):
        identified(credentials, None, desk.in_(), "mia")


def test_admin_of_one_tenant_makes_sees_and_ends_that_tenants_tokens_only(desk):
    desk.token("sue", "viewer", tenant="south")
    north = Keys(desk.at("admin", "north"))
    with pytest.raises(ForbiddenError, match="for north only"):
        north.create("max", "viewer", tenant="south")
    with pytest.raises(ForbiddenError, match="for north only"):
        north.create("max", "admin")
    own = north.create("max", "viewer", tenant="north").credential
    assert {c.tenant for c in north.listed()} == {"north"}
    assert own in north.listed()
    (theirs,) = [c for c in Keys(desk.open).listed() if c.name == "sue"]
    for foreign in (theirs.credential_id, "T-77"):
        with pytest.raises(NotFoundError, match="no token"):
            north.revoke(foreign)
    assert north.revoke(own.credential_id).revoked_at is not None


@pytest.mark.parametrize("role", ["viewer", "operator", "approver"])
def test_only_an_admin_has_to_do_with_tokens(desk, role):
    desk.token()
    keys = Keys(desk.at(role))
    for use in (lambda: keys.create("x", "viewer"), keys.listed, lambda: keys.revoke("T-1")):
        with pytest.raises(ForbiddenError):
            use()


def test_session_is_its_tokens_and_ends_with_it(desk):
    secret = desk.token("mia", "approver", tenant="north", lasts=timedelta(hours=1))
    given = begin_session(desk.service, secret)
    held = given.credential
    token = desk.workshop.ports.credentials.find(hashed(secret))
    assert (held.kind, held.name, held.role, held.tenant) == ("session", "mia", "approver", "north")
    assert held.parent_id == token.credential_id
    assert held.expires_at == token.expires_at
    with pytest.raises(UnauthenticatedError):
        begin_session(desk.service, given.secret)  # a session makes no session
    with pytest.raises(UnauthenticatedError):
        authenticate(desk.workshop.ports.credentials, given.secret, desk.in_())
    Keys(desk.open).revoke(token.credential_id)
    assert not desk.workshop.ports.credentials.find(hashed(given.secret)).counts(desk.in_())


def linked(desk, pending, name="ben"):
    given = Keys(desk.at("approver", credential_id=None)).link(pending.approval_id, name)
    link, identity = identity_of_link(desk.service, given.secret)
    return link, Access(desk.service, identity, "link")


def test_link_decides_once_in_the_name_it_was_made_for(desk):
    pending = desk.propose(desk.report())
    link, access = linked(desk, pending)
    assert link.expires_at == pending.expires_at
    held = decide_by_link(access, link, "approve", pending.digest, None).approval
    assert (held.status, held.decided_by, held.decided_via) == ("approved", "ben", "link")
    with pytest.raises(GoneError, match="was used"):
        decide_by_link(access, link, "approve", pending.digest, None)
    assert len(desk.said("link.used")) == 1
    assert desk.workshop.ports.audit.verify() is None


def test_link_is_kept_when_the_decision_is_refused(desk):
    pending = desk.propose(desk.report())
    link, access = linked(desk, pending)
    for verdict, digest, reason in [("approve", "0" * 64, None), ("reject", pending.digest, " ")]:
        with pytest.raises(InputError):
            decide_by_link(access, link, verdict, digest, reason)
    assert desk.said("link.used") == []
    assert (
        decide_by_link(access, link, "reject", pending.digest, "no").approval.status == "rejected"
    )


def test_link_is_made_by_who_may_decide_and_for_what_waits(desk):
    incident = desk.report()
    pending = desk.propose(incident)
    for role in ("viewer", "operator"):
        with pytest.raises(ForbiddenError):
            Keys(desk.at(role)).link(pending.approval_id, "ben")
    with pytest.raises(NotFoundError):
        Keys(desk.at("approver", "south", credential_id=None)).link(pending.approval_id, "ben")
    desk.service.decide(pending.approval_id, "approve", actor="mia", via="python")
    with pytest.raises(ConflictError, match="already approved"):
        Keys(desk.at("approver", credential_id=None)).link(pending.approval_id, "ben")


def test_link_does_not_make_further_links(desk):
    pending = desk.propose(desk.report())
    _, access = linked(desk, pending)
    with pytest.raises(ForbiddenError):
        Keys(access).link(pending.approval_id, "somebody")


def test_one_token_is_one_voice_however_many_links_are_made_with_it(desk):
    incident = desk.report()
    proposal = desk.propose(incident).proposal.model_copy(update={"step": 1})
    pending = desk.workshop.ports.approvals.propose(
        proposal,
        policy=Policy(quorum={"rollback_model": 2}),
        reason="changes production predictions",
        notes=(),
        at=desk.in_(),
    )
    mia = desk.at("approver")
    given = Keys(mia).link(pending.approval_id, "ben")
    said = {"actor": "x", "via": "http"}
    assert mia.decide(pending.approval_id, "approve", **said).approval.status == "pending"
    link, identity = identity_of_link(desk.service, given.secret)
    with pytest.raises(ForbiddenError, match="same token"):
        decide_by_link(
            Access(desk.service, identity, "link"), link, "approve", pending.digest, None
        )
    assert desk.service.approval(pending.approval_id).approvers == ("approver-person",)
    second = desk.at("admin").decide(pending.approval_id, "approve", **said)
    assert second.approval.status == "approved"


def test_whoever_asked_for_an_action_makes_no_link_to_approve_it(desk, monkeypatch):
    pending = desk.propose(desk.report())
    asked = pending.model_copy(update={"requested_by": "Approver-Person"})
    monkeypatch.setattr(type(desk.service), "approval", lambda self, approval_id: asked)
    with pytest.raises(ForbiddenError, match="somebody else"):
        Keys(desk.at("approver")).link(pending.approval_id, "ben")


def test_who_was_proved_by_an_issuer_makes_no_link_that_would_outlast_that_proof(desk):
    pending = desk.propose(desk.report())
    keys = Keys(desk.at("approver", credential_id=None, subject="https://issuer.example|77"))
    with pytest.raises(ForbiddenError, match="made with a token"):
        keys.link(pending.approval_id, "ben")
    assert desk.said("link.created") == []
    (refused,) = desk.said("access.refused")
    assert json.loads(refused["fields"])["subject"] == "https://issuer.example|77"


def test_link_ends_with_the_token_it_is_made_with(desk):
    pending = desk.propose(desk.report())
    secret = desk.token("mia", "approver", lasts=timedelta(minutes=1))
    mia = authenticate(desk.workshop.ports.credentials, secret, desk.in_())
    token = desk.workshop.ports.credentials.find(hashed(secret))
    link = Keys(Access(desk.service, mia, "http")).link(pending.approval_id, "ben").credential
    assert link.expires_at == token.expires_at < pending.expires_at


def test_link_made_at_an_open_door_ends_when_the_doors_close(desk):
    pending = desk.propose(desk.report())
    given = Keys(desk.open).link(pending.approval_id, "ben")
    assert identity_of_link(desk.service, given.secret)[1].name == "ben"
    desk.token()
    with pytest.raises(UnauthenticatedError, match="before there were tokens"):
        identity_of_link(desk.service, given.secret)


@pytest.mark.parametrize("name", [" ", "a\x00b", "\ud800"])
def test_nobody_is_given_a_link_under_a_name_that_is_none(desk, name):
    pending = desk.propose(desk.report())
    with pytest.raises(InputError) as refusal:
        Keys(desk.at("approver")).link(pending.approval_id, name)
    assert refusal.value.field == "name"
