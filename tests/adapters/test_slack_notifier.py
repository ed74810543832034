"""Slack notices: the real client against a local server that speaks chat.postMessage."""

import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from agentops_graph.adapters.slack_notifier import SlackNotifier
from agentops_graph.domain.action import (
    AcknowledgePage,
    CreateGithubIssue,
    NotifyDataTeam,
    SendSlackAlert,
)
from agentops_graph.errors import DidNotHappenError, InputError, UnavailableError

TOKEN = "xoxb-local-0123456789"
ALERT = SendSlackAlert(text="CRITICAL: Model drift detected. Aggregate PSI: 0.47")


class SlackServer:
    """A workspace with two channels and a bot, as far as chat.postMessage shows it."""

    def __init__(self):
        self.channels = {"#ml-alerts": "C01", "#data-team": "C02", "#on-call": "C03"}
        self.posted = []
        self.requests = 0
        self.next = None  # one answer out of turn: (status, headers, body), "drop" or "hang"
        self.over = threading.Event()
        server = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self):
                server.requests += 1
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.answer(self, body)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}/api/"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, door, body):
        odd, self.next = self.next, None
        if odd == "hang":
            self.over.wait(10)
        if isinstance(odd, tuple):
            return self.write(door, *odd)
        reply = self.post(door, body)
        if odd is None:
            self.write(door, 200, {}, json.dumps(reply))
        return None

    def post(self, door, body):
        assert door.path == "/api/chat.postMessage"
        if door.headers["Authorization"] != f"Bearer {TOKEN}":
            return {"ok": False, "error": "invalid_auth"}
        if body["channel"] not in self.channels:
            return {"ok": False, "error": "channel_not_found"}
        self.posted.append(body)
        ts = f"1772280000.{len(self.posted):06d}"
        return {"ok": True, "channel": self.channels[body["channel"]], "ts": ts}

    def write(self, door, status, headers, body):
        door.send_response(status)
        kind = "application/json; charset=utf-8" if body.startswith("{") else "text/html"
        for name, value in {"Content-Type": kind, **headers}.items():
            door.send_header(name, value)
        door.send_header("Content-Length", str(len(body.encode())))
        door.end_headers()
        door.wfile.write(body.encode())

    def close(self):
        self.over.set()
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def slack():
    server = SlackServer()
    yield server
    server.close()


def notifier(slack, token=TOKEN, channel="#ml-alerts", **options):
    return SlackNotifier(
        token,
        channel=channel,
        data_team_channel="#data-team",
        pager_channel="#on-call",
        api_url=slack.url,
        **options,
    )


def test_an_alert_is_posted_to_the_configured_channel_with_its_marker(slack):
    reference = notifier(slack).send(ALERT, marker="inc-1/alert", earlier=None)
    [message] = slack.posted
    assert reference == "slack:C01/1772280000.000001"
    assert message["channel"] == "#ml-alerts"
    assert message["text"] == ALERT.text
    assert message["blocks"][0]["text"]["text"] == ALERT.text
    assert message["metadata"] == {
        "event_type": "agentops_notice",
        "event_payload": {"marker": "inc-1/alert"},
    }


def test_each_kind_of_notice_has_its_own_channel(slack):
    desk = notifier(slack)
    desk.send(NotifyDataTeam(text="#on-call V14 changed upstream"), marker="a", earlier=None)
    desk.send(AcknowledgePage(text="on it"), marker="b", earlier=None)
    assert [message["channel"] for message in slack.posted] == ["#data-team", "#on-call"]


def test_what_an_alert_says_cannot_mention_link_or_format_as_slack_markup(slack):
    text = "<!channel> & <https://evil.example|click> <@U123>"
    notifier(slack).send(SendSlackAlert(text=text), marker="a", earlier=None)
    [message] = slack.posted
    shown = "&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt; &lt;@U123&gt;"
    assert message["text"] == shown
    assert message["blocks"][0]["text"]["verbatim"] is True
    assert message["link_names"] in (False, 0, "0")


def test_a_long_notice_is_cut_between_characters_and_says_how_much_is_missing(slack):
    notifier(slack).send(SendSlackAlert(text="&" * 4000), marker="a", earlier=None)
    shown = slack.posted[0]["blocks"][0]["text"]["text"]
    assert len(shown) <= 3000
    assert shown == "&amp;" * 580 + "… [3420 more characters]"


def test_a_notice_without_text_still_arrives(slack):
    notifier(slack).send(SendSlackAlert(text=""), marker="a", earlier=None)
    assert slack.posted[0]["blocks"][0]["text"]["text"]


def test_a_resend_carries_the_same_message_id_and_another_notice_a_different_one(slack):
    desk = notifier(slack)
    for marker in ("inc-1/alert", "inc-1/alert", "inc-2/alert"):
        desk.send(ALERT, marker=marker, earlier=None)
    first, again, other = (message["client_msg_id"] for message in slack.posted)
    assert first == again != other


def test_a_bad_token_is_named_as_a_setting_and_never_shown(slack, caplog):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(UnavailableError, match="AGENTOPS_SLACK_BOT_TOKEN") as caught:
        notifier(slack, token="xoxb-wrong-987").send(ALERT, marker="a", earlier=None)
    assert "invalid_auth" in str(caught.value)
    assert "xoxb-wrong-987" not in str(caught.value) + caplog.text


def test_an_unknown_channel_is_named_with_its_setting(slack):
    with pytest.raises(UnavailableError, match=r"#nowhere.*AGENTOPS_SLACK_CHANNEL"):
        notifier(slack, channel="#nowhere").send(ALERT, marker="a", earlier=None)


@pytest.mark.parametrize("name", ["Retry-After", "retry-after"])
def test_a_rate_limit_says_how_long_to_wait_and_is_not_retried_at_once(slack, name):
    slack.next = (429, {name: "37"}, '{"ok": false, "error": "ratelimited"}')
    with pytest.raises(UnavailableError, match="37 s"):
        notifier(slack).send(ALERT, marker="a", earlier=None)
    assert slack.requests == 1


@pytest.mark.parametrize("body", ['{"ok": false}', "<html>oops</html>", ""])
def test_a_server_error_is_unavailable_whatever_its_body(slack, body):
    slack.next = (500, {}, body)
    with pytest.raises(UnavailableError, match="500"):
        notifier(slack).send(ALERT, marker="a", earlier=None)


def test_an_answer_that_is_not_json_is_unavailable(slack):
    slack.next = (200, {}, "<html>a proxy's login page</html>")
    with pytest.raises(UnavailableError):
        notifier(slack).send(ALERT, marker="a", earlier=None)


def test_an_error_code_that_is_not_one_is_not_repeated(slack):
    slack.next = (200, {}, json.dumps({"ok": False, "error": "run this: rm -rf"}))
    with pytest.raises(UnavailableError) as caught:
        notifier(slack).send(ALERT, marker="a", earlier=None)
    assert "rm -rf" not in str(caught.value)


def test_silence_is_unavailable_and_says_the_outcome_is_open(slack):
    slack.next = "hang"
    with pytest.raises(UnavailableError, match="may or may not"):
        notifier(slack, timeout_s=0.2).send(ALERT, marker="a", earlier=None)


def test_a_lost_answer_is_not_posted_again_behind_the_outbox(slack):
    slack.next = "drop"
    with pytest.raises(UnavailableError, match="may or may not"):
        notifier(slack).send(ALERT, marker="a", earlier=None)
    assert len(slack.posted) == slack.requests == 1


def test_nobody_listening_is_unavailable(slack):
    desk = notifier(slack)
    slack.close()
    with pytest.raises(UnavailableError, match="AGENTOPS_SLACK_API_URL"):
        desk.send(ALERT, marker="a", earlier=None)


def test_an_issue_is_not_a_slack_notice(slack):
    with pytest.raises(DidNotHappenError):
        notifier(slack).send(CreateGithubIssue(title="t", text="x"), marker="a", earlier=None)
    assert slack.requests == 0


@pytest.mark.parametrize("url", ["http://slack.example/api/", "file:///etc/passwd"])
def test_the_token_does_not_travel_in_the_clear(url):
    with pytest.raises(InputError, match="AGENTOPS_SLACK_API_URL"):
        SlackNotifier(TOKEN, channel="#a", data_team_channel="#b", pager_channel="#c", api_url=url)
