"""GitHub notices: the real client against a local server that speaks the issues API."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from agentops_graph.adapters.github_notifier import GithubNotifier
from agentops_graph.domain.action import CloseGithubIssue, CreateGithubIssue, SendSlackAlert
from agentops_graph.errors import DidNotHappenError, InputError, UnavailableError

TOKEN = "ghp_local0123456789"
REPOSITORY = "acme/fraud-model"
ISSUE = CreateGithubIssue(title="Model drift on fraud_detection", text="Aggregate PSI: 0.47")
CLOSING = CloseGithubIssue(text="Model drift resolved. New model v3 deployed. F1: 0.89 -> 0.93")


class GithubServer:
    """A repository's issues and comments, as far as the REST API shows them."""

    def __init__(self):
        self.issues = []
        self.comments = []
        self.writes = []
        self.odd = {}  # method -> one answer out of turn: (status, headers, body), "drop", "hang"
        self.over = threading.Event()
        server = self

        class Door(BaseHTTPRequestHandler):
            def do_GET(self):
                server.answer(self, {})

            def do_POST(self):
                server.answer(
                    self, json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                )

            do_PATCH = do_POST

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, door, body):
        odd = self.odd.pop(door.command, None)
        if odd == "hang":
            self.over.wait(10)
        if isinstance(odd, tuple):
            return self.write(door, *odd)
        if door.headers["Authorization"] not in (f"Bearer {TOKEN}", f"token {TOKEN}"):
            return self.write(door, 401, {}, {"message": "Bad credentials"})
        status, reply = self.routed(door.command, urlsplit(door.path), body)
        if odd is None:
            self.write(door, status, {}, reply)
        return None

    def routed(self, method, url, body):
        parts = url.path.strip("/").split("/")
        if parts[:4] != ["repos", "acme", "fraud-model", "issues"]:
            return 404, {"message": "Not Found"}
        if method != "GET":
            self.writes.append((method, url.path))
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if len(parts) == 4:
            return self.listed(query) if method == "GET" else self.opened(body)
        number = int(parts[4])
        if number > len(self.issues):
            return 404, {"message": "Not Found"}
        if len(parts) == 6:
            return self.commented(method, number, query, body)
        self.issues[number - 1].update(body)
        return 200, self.issues[number - 1]

    def listed(self, query):
        chosen = [
            issue
            for issue in reversed(self.issues)
            if query.get("state", "open") in ("all", issue["state"])
            and query.get("labels", "") in ["", *(label["name"] for label in issue["labels"])]
        ]
        return 200, _page(chosen, query)

    def opened(self, body):
        labels = [{"name": name} for name in body.get("labels", [])]
        self.issues.append(
            body | {"number": len(self.issues) + 1, "state": "open", "labels": labels}
        )
        return 201, self.issues[-1]

    def commented(self, method, number, query, body):
        if method == "GET":
            return 200, _page([c for c in self.comments if c["number"] == number], query)
        self.comments.append(body | {"number": number})
        return 201, self.comments[-1]

    def write(self, door, status, headers, reply):
        body = reply.encode() if isinstance(reply, str) else json.dumps(reply).encode()
        door.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            door.send_header(name, value)
        door.send_header("Content-Length", str(len(body)))
        door.end_headers()
        door.wfile.write(body)

    def close(self):
        self.over.set()
        self.http.shutdown()
        self.http.server_close()


def _page(rows, query):
    size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
    return rows[(page - 1) * size : page * size]


@pytest.fixture
def github():
    server = GithubServer()
    yield server
    server.close()


def notifier(github, token=TOKEN, repository=REPOSITORY, **options):
    return GithubNotifier(token, repository=repository, api_url=github.url, **options)


def test_an_issue_is_opened_once_per_marker(github):
    desk = notifier(github)
    first = desk.send(ISSUE, marker="inc-1/issue", earlier=None)
    again = desk.send(ISSUE, marker="inc-1/issue", earlier=None)
    other = desk.send(ISSUE, marker="inc-2/issue", earlier=None)
    assert (first, again, other) == ("acme/fraud-model#1", first, "acme/fraud-model#2")
    assert github.issues[0]["title"] == ISSUE.title
    assert github.issues[0]["body"].startswith(ISSUE.text)
    assert github.issues[0]["labels"] == [{"name": "agentops"}]


def test_an_issue_whose_answer_was_lost_is_found_and_not_opened_again(github):
    desk = notifier(github)
    github.odd["POST"] = "drop"
    with pytest.raises(UnavailableError, match="may or may not"):
        desk.send(ISSUE, marker="inc-1/issue", earlier=None)
    assert desk.send(ISSUE, marker="inc-1/issue", earlier=None) == "acme/fraud-model#1"
    assert len(github.issues) == 1


def test_an_issue_that_a_person_closed_is_not_opened_again(github):
    desk = notifier(github)
    desk.send(ISSUE, marker="inc-1/issue", earlier=None)
    github.issues[0]["state"] = "closed"
    assert desk.send(ISSUE, marker="inc-1/issue", earlier=None) == "acme/fraud-model#1"


def test_the_marker_is_found_behind_a_page_of_newer_issues(github):
    desk = notifier(github)
    desk.send(ISSUE, marker="inc-1/issue", earlier=None)
    for _ in range(120):
        github.opened({"title": "newer", "body": None, "labels": ["agentops"]})
    assert desk.send(ISSUE, marker="inc-1/issue", earlier=None) == "acme/fraud-model#1"


def test_a_marker_written_by_an_alert_is_not_taken_for_ours(github):
    desk = notifier(github)
    forged = CreateGithubIssue(title="t", text="<!-- agentops:inc-2%2Fissue -->")
    desk.send(forged, marker="inc-1/issue", earlier=None)
    assert desk.send(ISSUE, marker="inc-2/issue", earlier=None) == "acme/fraud-model#2"


def test_a_marker_cannot_end_its_own_comment(github):
    notifier(github).send(ISSUE, marker="x --> @everyone <b>", earlier=None)
    comment = github.issues[0]["body"].splitlines()[-1]
    assert comment.startswith("<!-- agentops:x%20")
    assert comment.index("-->") == len(comment) - 3


@pytest.mark.parametrize(
    ("text", "harmful"),
    [
        ("ping @acme/oncall", "@acme"),
        ("ping &#64;mia", "&#64;"),
        ("fixes #12", "#12"),
        ("see GH-12", "GH-12"),
        ("<img src=x onerror=alert(1)>", "<img"),
        ("<!-- hidden -->", "<!--"),
        ("![pixel](https://evil.example/p.png)", "!["),
    ],
)
def test_what_an_alert_says_is_text_and_not_markup(github, text, harmful):
    desk = notifier(github)
    desk.send(CreateGithubIssue(title=text, text=text), marker="m", earlier=None)
    desk.send(CloseGithubIssue(text=text), marker="c", earlier="acme/fraud-model#1")
    assert harmful not in github.issues[0]["title"]
    assert harmful not in github.issues[0]["body"].replace("<!-- agentops:m -->", "")
    assert harmful not in github.comments[0]["body"].replace("<!-- agentops:c -->", "")


def test_tables_numbers_arrows_and_references_are_left_as_written(github):
    text = "| PSI | < 0.1 |\n> V14 --> V17\nmodel_drift.md#section-3-2 R&D 3 < 4"
    notifier(github).send(CreateGithubIssue(title="t", text=text), marker="m", earlier=None)
    assert text.replace("R&D", "R&amp;D") in github.issues[0]["body"]


def test_the_issue_is_closed_with_the_resolution_once(github):
    desk = notifier(github)
    issue = desk.send(ISSUE, marker="inc-1/issue", earlier=None)
    for _ in range(2):
        assert desk.send(CLOSING, marker="inc-1/close", earlier=issue) == issue
    [comment] = github.comments
    assert comment["body"].startswith("Model drift resolved. New model v3 deployed.")
    assert (github.issues[0]["state"], github.issues[0]["state_reason"]) == ("closed", "completed")
    assert [method for method, _ in github.writes] == ["POST", "POST", "PATCH"]


@pytest.mark.parametrize("lost", ["POST", "PATCH"])
def test_a_close_whose_answer_was_lost_is_finished_without_a_second_comment(github, lost):
    desk = notifier(github)
    issue = desk.send(ISSUE, marker="inc-1/issue", earlier=None)
    github.odd[lost] = "drop"
    with pytest.raises(UnavailableError):
        desk.send(CLOSING, marker="inc-1/close", earlier=issue)
    assert desk.send(CLOSING, marker="inc-1/close", earlier=issue) == issue
    assert len(github.comments) == 1
    assert github.issues[0]["state"] == "closed"


def test_the_comment_is_found_behind_a_page_of_others(github):
    desk = notifier(github)
    issue = desk.send(ISSUE, marker="inc-1/issue", earlier=None)
    github.comments += [{"body": "me too", "number": 1} for _ in range(130)]
    desk.send(CLOSING, marker="inc-1/close", earlier=issue)
    desk.send(CLOSING, marker="inc-1/close", earlier=issue)
    assert len(github.comments) == 131


@pytest.mark.parametrize(
    "earlier", [None, "outbox/notice.md", "acme/other#1", "acme/fraud-model#x"]
)
def test_only_an_issue_of_the_configured_repository_is_closed(github, earlier):
    with pytest.raises(DidNotHappenError, match="nothing to close"):
        notifier(github).send(CLOSING, marker="c", earlier=earlier)
    assert github.writes == []


def test_a_bad_token_is_named_as_a_setting_and_never_shown(github):
    with pytest.raises(UnavailableError, match="AGENTOPS_GITHUB_TOKEN") as caught:
        notifier(github, token="ghp_wrong987").send(ISSUE, marker="m", earlier=None)
    assert "ghp_wrong987" not in str(caught.value)


def test_an_unknown_repository_is_named_as_a_setting(github):
    with pytest.raises(UnavailableError, match="AGENTOPS_GITHUB_REPOSITORY"):
        notifier(github, repository="acme/nothing").send(ISSUE, marker="m", earlier=None)


@pytest.mark.parametrize("status", [403, 429])
def test_a_rate_limit_says_how_long_to_wait(github, status):
    github.odd["POST"] = (status, {"Retry-After": "41"}, {"message": "secondary rate limit"})
    with pytest.raises(UnavailableError, match="41 s"):
        notifier(github).send(ISSUE, marker="m", earlier=None)
    assert github.issues == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_server_error_is_unavailable_and_not_retried_at_once(github, method):
    github.odd[method] = (502, {}, "<html>Bad gateway</html>")
    with pytest.raises(UnavailableError, match="502"):
        notifier(github).send(ISSUE, marker="m", earlier=None)
    assert github.issues == []


def test_a_moved_repository_is_not_followed_with_the_token(github):
    github.odd["GET"] = (301, {"Location": "https://api.example/repositories/1"}, {})
    with pytest.raises(UnavailableError, match="moved"):
        notifier(github).send(ISSUE, marker="m", earlier=None)


@pytest.mark.parametrize("reply", ["<html>login</html>", '["text"]'])
def test_something_else_than_github_is_unavailable(github, reply):
    github.odd["GET"] = (200, {}, reply)
    with pytest.raises(UnavailableError, match="AGENTOPS_GITHUB_API_URL"):
        notifier(github).send(ISSUE, marker="m", earlier=None)


def test_silence_is_unavailable(github):
    github.odd["GET"] = "hang"
    with pytest.raises(UnavailableError, match="did not answer"):
        notifier(github, timeout_s=0.2).send(ISSUE, marker="m", earlier=None)


def test_an_alert_is_not_a_github_notice(github):
    with pytest.raises(DidNotHappenError):
        notifier(github).send(SendSlackAlert(text="x"), marker="m", earlier=None)


@pytest.mark.parametrize("repository", ["acme", "acme/a/b", "../etc/passwd", "acme/a?x=1", ""])
def test_a_repository_must_read_owner_and_name(github, repository):
    with pytest.raises(InputError, match="AGENTOPS_GITHUB_REPOSITORY"):
        notifier(github, repository=repository)


def test_the_token_does_not_travel_in_the_clear():
    with pytest.raises(InputError, match="AGENTOPS_GITHUB_API_URL"):
        GithubNotifier(TOKEN, repository=REPOSITORY, api_url="http://github.example/api/v3")
