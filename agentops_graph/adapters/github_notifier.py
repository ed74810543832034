"""Opens and closes an incident's issue in the GitHub repository that configuration names."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from urllib.parse import quote

from agentops_graph.domain.action import CloseGithubIssue, CreateGithubIssue, Notice
from agentops_graph.domain.address import refuse_plain_http
from agentops_graph.errors import DidNotHappenError, InputError, UnavailableError

LABEL = "agentops"
BODY_LIMIT = 60_000  # GitHub refuses bodies over 65,536 characters
PER_PAGE = 100
PAGES_SEARCHED = 3  # a retry looks for its issue among the newest 300 of ours
REPOSITORY = re.compile(r"(?P<owner>[A-Za-z0-9][A-Za-z0-9-]*)/(?P<name>[A-Za-z0-9._-]+)")
ZERO_WIDTH = "\u200b"
MENDS = {
    301: "the repository has moved: set AGENTOPS_GITHUB_REPOSITORY to its new name",
    401: "set AGENTOPS_GITHUB_TOKEN to a valid token",
    403: "give the token the right to read and write issues",
    404: "check AGENTOPS_GITHUB_REPOSITORY, and that the token may see it",
    410: "issues are switched off in the repository, or the issue was deleted",
}


class GithubNotifier:
    """A token that may open and close issues in one configured repository."""

    def __init__(
        self,
        token: str,
        *,
        repository: str,
        api_url: str = "https://api.github.com",
        allow_remote: bool = False,
        timeout_s: float = 10,
    ) -> None:
        """`allow_remote` lets the token travel over plain http to a host that is not this one."""
        match = REPOSITORY.fullmatch(repository)
        if match is None:
            raise InputError(
                f"must read owner/name (seen: {repository!r})", field="AGENTOPS_GITHUB_REPOSITORY"
            )
        refuse_plain_http(api_url, field="AGENTOPS_GITHUB_API_URL", allow_remote=allow_remote)
        self._owner, self._name = match["owner"], match["name"]
        self._repository = repository
        self._token, self._api_url, self._timeout_s = token, api_url, timeout_s

    @cached_property
    def _github(self) -> Any:
        from githubkit import GitHub

        # The outbox retries; a client that sleeps and retries would hold up every other notice.
        return GitHub(
            self._token,
            base_url=self._api_url,
            timeout=self._timeout_s,
            auto_retry=False,
            http_cache=False,
            follow_redirects=False,
        )

    def send(self, notice: Notice, *, marker: str, earlier: str | None) -> str:
        """Returns `owner/name#number`. A marker found in the repository is not written again."""
        with _translated(), self._github as github:
            issues = github.rest.issues
            if isinstance(notice, CreateGithubIssue):
                return self._opened(issues, notice, _comment(marker))
            if isinstance(notice, CloseGithubIssue):
                return self._closed(issues, notice, _comment(marker), self._number(earlier))
        raise DidNotHappenError(f"{notice.action} is not a GitHub notice; nothing was written")

    def _opened(self, issues: Any, notice: CreateGithubIssue, comment: str) -> str:
        issue = self._issue_with(issues, comment)
        if issue is None:
            issue = _answer(
                issues.create(
                    self._owner,
                    self._name,
                    title=_neutral(" ".join(notice.title.split())),
                    body=f"{_neutral(notice.text)}\n\n{comment}",
                    labels=[LABEL],
                ),
                201,
            )
        return f"{self._repository}#{_number_of(issue)}"

    def _issue_with(self, issues: Any, comment: str) -> Any | None:
        """The newest issue of ours that carries the marker, closed ones too."""
        for page in range(1, PAGES_SEARCHED + 1):
            found = _answer(
                issues.list_for_repo(
                    self._owner,
                    self._name,
                    state="all",
                    labels=LABEL,
                    sort="created",
                    direction="desc",
                    per_page=PER_PAGE,
                    page=page,
                ),
                200,
            )
            for issue in found:
                if comment in _body(issue):
                    return issue
            if len(found) < PER_PAGE:
                return None
        return None

    def _closed(self, issues: Any, notice: CloseGithubIssue, comment: str, number: int) -> str:
        where = (self._owner, self._name, number)
        if not self._has_comment(issues, comment, number):
            body = f"{_neutral(notice.text)}\n\n{comment}"
            _answer(issues.create_comment(*where, body=body), 201)
        issue = _answer(issues.get(*where), 200)
        if _number_of(issue) == number and issue.get("state") != "closed":
            _answer(issues.update(*where, state="closed", state_reason="completed"), 200)
        return f"{self._repository}#{number}"

    def _has_comment(self, issues: Any, comment: str, number: int) -> bool:
        page = 1
        while True:
            where = (self._owner, self._name, number)
            found = _answer(issues.list_comments(*where, per_page=PER_PAGE, page=page), 200)
            if any(comment in _body(known) for known in found):
                return True
            if len(found) < PER_PAGE:
                return False
            page += 1

    def _number(self, earlier: str | None) -> int:
        """The issue's number; an issue of another repository is none of ours."""
        repository, _, number = (earlier or "").rpartition("#")
        if repository.lower() != self._repository.lower() or not re.fullmatch(r"\d{1,12}", number):
            raise DidNotHappenError(
                f"the incident has no issue in {self._repository} (its reference: {earlier}); "
                "there is nothing to close"
            )
        return int(number)


def _answer(response: Any, expected: int) -> Any:
    if response.status_code != expected:
        raise _refusal(response.status_code)
    return response.json()


def _body(written: Any) -> str:
    """The text of an issue or comment; GitHub sends null for an empty one."""
    if not isinstance(written, dict):
        raise ValueError("a listing of something that is neither issues nor comments")
    return str(written.get("body") or "")


def _number_of(issue: Any) -> int:
    number = issue.get("number") if isinstance(issue, dict) else None
    if not isinstance(number, int):
        raise ValueError("an issue without a number")
    return number


def _refusal(status: int) -> UnavailableError:
    if status >= 500:
        return UnavailableError(f"GitHub failed with status {status}; try again later")
    mend = MENDS.get(301 if status in (301, 302, 307, 308) else status)
    return UnavailableError(
        f"GitHub refused with status {status}; {mend or 'see its documentation of issues'}"
    )


@contextmanager
def _translated() -> Iterator[None]:
    """The client's errors as UnavailableError; what GitHub wrote and the token stay out of it."""
    from githubkit.exception import GitHubException, RateLimitExceeded, RequestFailed

    try:
        yield
    except RateLimitExceeded as error:
        wait = error.retry_after.total_seconds()
        raise UnavailableError(
            f"GitHub limits the rate of requests; try again in {wait:.0f} s"
        ) from None
    except RequestFailed as error:
        raise _refusal(error.response.status_code) from None
    except GitHubException as error:
        raise UnavailableError(
            f"GitHub did not answer ({type(error).__name__}); check the network and "
            "AGENTOPS_GITHUB_API_URL; the notice may or may not have been written"
        ) from error
    except ValueError as error:  # not JSON, or not the JSON that GitHub sends
        raise UnavailableError(
            "what answered at AGENTOPS_GITHUB_API_URL does not speak GitHub's protocol"
        ) from error


def _comment(marker: str) -> str:
    """The marker as an HTML comment; quoting keeps it from ending the comment early."""
    return f"<!-- agentops:{quote(marker, safe='')} -->"


def _neutral(text: str) -> str:
    """Markdown that mentions nobody, links no issue, loads no picture and holds no HTML."""
    text = re.sub(r"&(?=[#A-Za-z])", "&amp;", text)  # else &#64; comes back as a mention
    text = re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text)
    text = text.replace("![", "!\\[")
    text = re.sub(r"@(?=\w)", f"@{ZERO_WIDTH}", text)
    text = re.sub(r"(#|\bGH-)(?=\d)", rf"\1{ZERO_WIDTH}", text, flags=re.IGNORECASE)
    if len(text) <= BODY_LIMIT:
        return text
    return f"{text[:BODY_LIMIT]}… [{len(text) - BODY_LIMIT} more characters]"
