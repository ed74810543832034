"""One-time links: previews change nothing, the page shows the approved bytes, one answer counts."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser

import pytest

from agentops_graph.access import Access, Keys
from agentops_graph.domain.approval import Edit
from agentops_graph.domain.identity import Identity
from agentops_graph.serving.api import links as module


@pytest.fixture
def pending(desk):
    return desk.propose(desk.report())


@pytest.fixture
def path(client, pending):
    """Where a link for ben leads."""
    made = client.post(f"/api/v1/approvals/{pending.approval_id}/links", json={"name": "ben"})
    assert made.status_code == 201
    document = made.json()
    assert document["approval_id"] == pending.approval_id
    return re.sub(r"^http://127\.0\.0\.1:8000", "", document["url"])


class Page(HTMLParser):
    """What a browser would take from the page: its tags, and the forms' fields."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.fields, self.buttons = [], {}, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.append((tag, given))
        if tag == "input" and given.get("type") == "hidden":
            self.fields[given["name"]] = given["value"]
        if tag == "button":
            self.buttons.append(given["value"])


def form_of(client, path):
    return Page(client.get(path).text).fields


def posted(client, path, **fields):
    return client.post(path, data=fields, headers={"origin": "null"})


def test_page_shows_what_the_digest_is_of_and_loads_nothing(client, pending, path):
    seen = client.get(path)
    page = Page(seen.text)
    assert seen.status_code == 200
    assert page.buttons == ["approve", "reject"]
    assert page.fields["digest"] == pending.digest
    for word in ("rollback_model", "fraud_model", "ben", pending.approval_id):
        assert word in seen.text
    names = {name for _, given in page.tags for name in given}
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img", "link", "iframe", "a"})
    assert names.isdisjoint({"src", "href", "onclick", "onload", "style", "action"})
    policy = seen.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert seen.headers["referrer-policy"] == "no-referrer"
    assert seen.headers["cache-control"] == "no-store"


def test_text_of_others_stays_text_on_the_page(client, desk):
    held = desk.propose(desk.report(), step=1)
    nasty = "<script>alert(1)</script>\"' \u202e</td>"
    desk.workshop.ports.approval_log.note(held.approval_id, nasty)
    keys = Keys(Access(desk.service, Identity(name="root", role="admin"), "cli"))
    given = keys.link(held.approval_id, '<b onclick="x">mia</b>')
    text = client.get(f"/a/{given.secret}").text
    assert "<script" not in text
    assert "<b onclick" not in text
    assert "&lt;script&gt;" in text
    assert "\u202e" not in text


def test_whoever_only_looks_changes_nothing(client, desk, pending, path):
    before = desk.workshop.ports.audit.rows()
    for _ in range(3):
        client.get(path)
        client.head(path)
    assert desk.status_of(pending) == "pending"
    assert [r["what"] for r in desk.workshop.ports.audit.rows()[len(before) :]] == []
    assert posted(client, path, verdict="approve", **form_of(client, path)).status_code == 200


def test_answer_is_written_once_in_the_name_of_the_link(client, desk, pending, path):
    form = form_of(client, path)
    first = posted(client, path, verdict="approve", **form)
    assert first.status_code == 200
    assert "approved" in first.text
    held = desk.service.approval(pending.approval_id)
    assert (held.status, held.decided_by, held.decided_via) == ("approved", "ben", "link")
    for again in (client.get(path), posted(client, path, verdict="approve", **form)):
        assert again.status_code == 410
        assert pending.approval_id not in again.text


def test_rejection_keeps_its_reason_and_one_without_keeps_the_link(client, desk, pending, path):
    form = form_of(client, path)
    blank = posted(client, path, verdict="reject", reason=" ", **form)
    assert blank.status_code == 422
    assert "reason" in blank.text
    assert posted(client, path, verdict="reject", reason="no, <b>later</b>", **form).is_success
    assert desk.service.approval(pending.approval_id).reason == "no, <b>later</b>"


def test_of_many_who_post_at_once_one_answer_is_written(client, desk, pending, path):
    form = form_of(client, path)
    answers = [{"verdict": "approve"}, {"verdict": "reject", "reason": "no"}] * 3
    with ThreadPoolExecutor(len(answers)) as people:
        codes = list(
            people.map(lambda given: posted(client, path, **given, **form).status_code, answers)
        )
    assert sorted(codes) == [200] + [410] * 5
    used = [r for r in desk.workshop.ports.audit.rows() if r["what"] == "link.used"]
    assert len(used) == 1


@pytest.mark.parametrize("change", ["no view", "other view", "other digest", "old", "verdict"])
def test_form_that_this_link_did_not_show_decides_nothing(
    client, desk, pending, path, change, monkeypatch
):
    form = form_of(client, path) | {"verdict": "approve"}
    if change == "no view":
        del form["view"]
    elif change == "other view":
        form["view"] = form["view"][:-1] + ("0" if form["view"][-1] != "0" else "1")
    elif change == "other digest":
        form["digest"] = "0" * 64
    elif change == "old":
        monkeypatch.setattr(module, "VIEW_LASTS_S", -1.0)
    else:
        form["verdict"] = "deploy"
    answer = posted(client, path, **form)
    assert answer.status_code == 403
    assert desk.status_of(pending) == "pending"


def test_view_of_one_link_does_not_serve_another(client, desk, pending, path):
    keys = Keys(Access(desk.service, Identity(name="root", role="admin"), "cli"))
    other = f"/a/{keys.link(pending.approval_id, 'max').secret}"
    form = form_of(client, path)
    assert posted(client, other, verdict="approve", **form).status_code == 403
    assert desk.status_of(pending) == "pending"


@pytest.mark.parametrize("body", [b"\xff\xfe=1", b"&" * 900, b"", b"verdict=approve", b"a=1" * 99])
def test_malformed_form_is_answered_and_decides_nothing(client, desk, pending, path, body):
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert client.post(path, content=body, headers=headers).status_code == 403
    assert desk.status_of(pending) == "pending"


@pytest.mark.parametrize("secret", ["x", "agops_" + "x" * 43, "agops_" + "x" * 900, "%00", "é"])
def test_link_that_never_was_looks_like_one_that_was_used(client, path, secret):
    dead = client.get(f"/a/{secret}")
    assert dead.status_code == 410
    assert "was used, was taken back, has expired or never was" in dead.text
    assert client.post(f"/a/{secret}").status_code == 410


def test_link_speaks_for_its_approval_and_not_for_its_owner(client, desk, path):
    secret = path.removeprefix("/a/")
    for headers in (
        {"authorization": f"Bearer {secret}"},
        {"cookie": f"agentops_session={secret}"},
    ):
        assert client.get("/api/v1/incidents", headers=headers).status_code == 401


def test_link_ends_with_the_token_it_was_made_with(client, desk, pending):
    keys = Keys(Access(desk.service, Identity(name="root", role="admin"), "cli"))
    keys.create("root", "admin")
    token = keys.create("mia", "approver")
    headers = {"authorization": f"Bearer {token.secret}"}
    made = client.post(
        f"/api/v1/approvals/{pending.approval_id}/links", json={"name": "ben"}, headers=headers
    )
    path = re.sub(r"^http://[^/]*", "", made.json()["url"])
    form = form_of(client, path)
    keys.revoke(token.credential.credential_id)
    assert client.get(path).status_code == 410
    assert posted(client, path, verdict="approve", **form).status_code == 410
    assert desk.status_of(pending) == "pending"


def test_link_to_what_was_decided_elsewhere_shows_it_and_asks_nothing(client, desk, pending, path):
    form = form_of(client, path)
    desk.service.decide(pending.approval_id, "reject", actor="x", via="python", reason="no")
    shown = client.get(path)
    assert shown.status_code == 410
    assert "was <strong>rejected</strong> already" in shown.text
    assert Page(shown.text).buttons == []
    assert posted(client, path, verdict="approve", **form).status_code == 409


def test_link_to_what_was_edited_since_names_what_took_its_place(client, desk, pending, path):
    action = pending.proposal.action.model_copy(update={"to_version": "2"})
    ports = desk.workshop.ports
    successor = ports.approval_log.edit(
        Edit(approval_id=pending.approval_id, actor="mia", via="http", change="to_version 3 -> 2"),
        pending.proposal.model_copy(update={"action": action}),
        policy=ports.policy,
        reason="changes production predictions",
        notes=(),
        at=ports.clock.now(),
    )
    shown = client.get(path)
    assert shown.status_code == 410
    assert f"{successor.approval_id} took its place" in shown.text


def test_expired_link_is_dead(client, desk, pending, path, monkeypatch):
    form = form_of(client, path)
    clock = desk.workshop.ports.clock
    monkeypatch.setattr(type(clock), "now", lambda self: pending.expires_at)
    assert client.get(path).status_code == 410
    assert posted(client, path, verdict="approve", **form).status_code == 410


def test_links_are_made_by_those_who_may_decide_only(client, desk, pending):
    keys = Keys(Access(desk.service, Identity(name="root", role="admin"), "cli"))
    keys.create("root", "admin")
    url = f"/api/v1/approvals/{pending.approval_id}/links"
    assert client.post(url, json={"name": "ben"}).status_code == 401
    for role, code in [("viewer", 403), ("operator", 403), ("approver", 201)]:
        headers = {"authorization": f"Bearer {keys.create(role, role).secret}"}
        assert client.post(url, json={"name": "ben"}, headers=headers).status_code == code


@pytest.mark.parametrize("name", [" ", "", "a\x00b", "\ud800", "x" * 201, {"a": 1}])
def test_link_for_nobody_who_can_be_named_is_refused(client, pending, name):
    url = f"/api/v1/approvals/{pending.approval_id}/links"
    body = json.dumps({"name": name})
    refused = client.post(url, content=body, headers={"content-type": "application/json"})
    assert (refused.status_code, refused.json()["field"]) == (422, "name")


def test_link_is_in_the_name_without_the_space_around_it(client, pending):
    made = client.post(f"/api/v1/approvals/{pending.approval_id}/links", json={"name": " ben "})
    assert made.json()["name"] == "ben"
