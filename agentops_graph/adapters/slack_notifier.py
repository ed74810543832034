"""Posts notices to the Slack channels that configuration names."""

import re
import uuid
from collections.abc import Mapping
from functools import cached_property
from http.client import HTTPException
from typing import Any

from agentops_graph.domain.action import AcknowledgePage, Notice, NotifyDataTeam, SendSlackAlert
from agentops_graph.domain.address import refuse_plain_http
from agentops_graph.errors import DidNotHappenError, PortError, UnavailableError

SECTION_LIMIT = 2900  # Slack refuses a section over 3,000 characters
EVENT_TYPE = "agentops_notice"
ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
TOKEN_MEND = "set AGENTOPS_SLACK_BOT_TOKEN to a valid bot token (xoxb-...)"
CHANNEL_MEND = "check {setting}, and that the bot may see the channel"
MENDS = {
    "invalid_auth": TOKEN_MEND,
    "not_authed": TOKEN_MEND,
    "account_inactive": TOKEN_MEND,
    "token_revoked": TOKEN_MEND,
    "token_expired": TOKEN_MEND,
    "channel_not_found": CHANNEL_MEND,
    "is_archived": CHANNEL_MEND,
    "not_in_channel": "invite the bot into {channel} with /invite",
    "missing_scope": "give the bot the chat:write scope and install it again",
}


class SlackNotifier:
    """A bot that may post to three configured channels and nowhere else."""

    def __init__(
        self,
        token: str,
        *,
        channel: str,
        data_team_channel: str,
        pager_channel: str,
        api_url: str = "https://slack.com/api/",
        allow_remote: bool = False,
        timeout_s: float = 10,
    ) -> None:
        """`allow_remote` lets the token travel over plain http to a host that is not this one."""
        refuse_plain_http(api_url, field="AGENTOPS_SLACK_API_URL", allow_remote=allow_remote)
        self._token, self._api_url, self._timeout_s = token, api_url, timeout_s
        self._channels = {
            SendSlackAlert: (channel, "AGENTOPS_SLACK_CHANNEL"),
            NotifyDataTeam: (data_team_channel, "AGENTOPS_DATA_TEAM_CHANNEL"),
            AcknowledgePage: (pager_channel, "AGENTOPS_PAGER_CHANNEL"),
        }

    @cached_property
    def _client(self) -> Any:
        from slack_sdk import WebClient

        # One posting per send: the client's own retry after a lost answer would post twice, and
        # the outbox tries again anyway.
        return WebClient(
            self._token, base_url=self._api_url, timeout=self._timeout_s, retry_handlers=[]
        )

    def send(self, notice: Notice, *, marker: str, earlier: str | None) -> str:
        """Returns `slack:CHANNEL/TS`. The marker travels as metadata and as `client_msg_id`."""
        from slack_sdk.errors import SlackApiError, SlackClientError

        if type(notice) not in self._channels:
            raise DidNotHappenError(f"{notice.action} is not a Slack notice; nothing was posted")
        channel, setting = self._channels[type(notice)]
        try:
            answer = self._client.chat_postMessage(**_message(notice.text, channel, marker))
        except SlackApiError as error:
            raise _refusal(error.response, channel, setting) from None
        except (SlackClientError, OSError, HTTPException) as error:
            raise UnavailableError(
                f"Slack did not answer ({type(error).__name__}); check the network and "
                "AGENTOPS_SLACK_API_URL; the notice may or may not have been posted"
            ) from error
        return f"slack:{answer.get('channel')}/{answer.get('ts')}"


def _message(text: str, channel: str, marker: str) -> dict[str, Any]:
    shown = _escaped(text) or "(a notice without text)"  # Slack refuses an empty block
    return {
        "channel": channel,
        "text": shown,
        "blocks": [
            # verbatim: names and addresses in alert text stay text.
            {"type": "section", "text": {"type": "mrkdwn", "text": shown, "verbatim": True}}
        ],
        "metadata": {"event_type": EVENT_TYPE, "event_payload": {"marker": marker}},
        "client_msg_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"agentops:{marker}")),
        "parse": "none",
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _escaped(text: str) -> str:
    """Slack's three special characters escaped, cut between characters at the section limit."""
    pieces: list[str] = []
    room = SECTION_LIMIT
    for position, character in enumerate(text):
        piece = ESCAPES.get(character, character)
        if len(piece) > room:
            return "".join(pieces) + f"… [{len(text) - position} more characters]"
        pieces.append(piece)
        room -= len(piece)
    return "".join(pieces)


def _refusal(response: Any, channel: str, setting: str) -> PortError:
    """What Slack answered, as an error that says what to mend; never its whole text."""
    headers: Mapping[str, str] = {k.lower(): str(v) for k, v in (response.headers or {}).items()}
    code = _error_code(response)
    if response.status_code == 429 or code in ("ratelimited", "rate_limited"):
        wait = headers.get("retry-after", "60")
        return UnavailableError(f"Slack limits the rate of notices; try again in {wait} s")
    if response.status_code >= 500:
        return UnavailableError(f"Slack failed with status {response.status_code}; try again later")
    mend = MENDS.get(code, "see this code in Slack's documentation of chat.postMessage")
    return UnavailableError(
        f"Slack refused the notice for {channel}: {code}; "
        + mend.format(setting=setting, channel=channel)
    )


def _error_code(response: Any) -> str:
    code = response.data.get("error") if isinstance(response.data, dict) else None
    known = isinstance(code, str) and re.fullmatch(r"[a-z0-9_]{1,60}", code)
    return str(code) if known else f"status {response.status_code}"
