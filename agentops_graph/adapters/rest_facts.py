"""Any REST API that answers GET with JSON, as `FactSource`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from agentops_graph.domain.fact import Facts
from agentops_graph.domain.record import Scalar
from agentops_graph.domain.redaction import redacted
from agentops_graph.domain.sources.rest import RestSource
from agentops_graph.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentops_graph.guarded_http import GuardedHttp

TEXT_LIMIT = 200  # characters of one value
MISSING = "not in the answer"
LOOK = timedelta(hours=1)  # what `check` asks about
_VALUE = re.compile(r"\{([^{}]+)\}")


class RestFactSource:
    """One address; an answer is used again for as long as was declared."""

    def __init__(
        self,
        declared: RestSource,
        http: GuardedHttp,
        credentials: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._declared, self._http, self._credentials = declared, http, credentials
        self._held: dict[str, tuple[float, Facts]] = {}
        self._lock = Lock()

    @property
    def name(self) -> str:
        return self._declared.name

    def targets(self, subjects: Sequence[str]) -> tuple[str, ...]:
        known = tuple(s for s in subjects if s in self._declared.components)
        return known if "{component}" in self._declared.url else known[:1]

    def facts(self, target: str, since: datetime, until: datetime) -> Facts:
        # `until` is the present, by which no two questions would be the same.
        asked = _filled(self._declared.url.replace("{until}", ""), target, since, until)
        with self._lock:
            oldest = monotonic() - self._declared.every_s
            self._held = {u: kept for u, kept in self._held.items() if kept[0] > oldest}
            if asked not in self._held:
                self._held[asked] = monotonic(), self._asked(target, since, until)
            return self._held[asked][1]

    def check(self, now: datetime) -> str:
        found = self._asked(self._declared.components[0], now - LOOK, now)
        return found.summary

    def _asked(self, target: str, since: datetime, until: datetime) -> Facts:
        from agentops_graph.guarded_http import Limits, document_of

        declared = self._declared
        url = _filled(declared.url, target, since, until)
        headers = {"Accept": "application/json", **declared.headers, **self._credentials()}
        reply = self._http.get(url, headers, Limits(declared.timeout_s, declared.max_bytes))
        document = document_of(reply, declared.name, mend="token_env and token_header")
        values = {name: _taken(document, at) for name, at in declared.values.items()}
        if all(value is None for value in values.values()):
            raise UnavailableError(f"{declared.name}: its answer holds none of the values")
        parts = urlsplit(url)
        return Facts(
            place=f"{parts.netloc}{urlsplit(declared.url).path}",
            query=redacted(f"GET {parts.path}{'?' if parts.query else ''}{parts.query}"),
            summary=_said(declared, values),
            values=values,
            signals=_signals(declared, values),
        )


def _filled(template: str, target: str, since: datetime, until: datetime) -> str:
    """Every placeholder as one quoted word, which can't add a step to the path or a parameter."""
    if target in (".", ".."):
        raise UnavailableError(f"{target!r} can't be part of an address")
    words = {"component": target, "since": _stamp(since), "until": _stamp(until)}
    for name, word in words.items():
        template = template.replace(f"{{{name}}}", quote(word, safe=""))
    return template


def _taken(document: Any, pointer: str) -> Scalar:
    """The value at a JSON pointer (RFC 6901) or a dotted path; None when there is no scalar."""
    found = document
    for step in _steps(pointer):
        if isinstance(found, Mapping):
            found = found.get(step)
        elif isinstance(found, list) and step.isdigit() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    if isinstance(found, str):
        return _plain(found)
    if isinstance(found, list):  # how many there are is often what matters
        return len(found)
    is_number = isinstance(found, int | float) and abs(found) < 1e300
    return found if is_number else None


def _steps(pointer: str) -> list[str]:
    if pointer.startswith("/"):
        return [step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/")]
    return pointer.split(".")


def _signals(declared: RestSource, values: Mapping[str, Scalar]) -> dict[str, float]:
    """Seen where one condition of a signal holds; absent where all of them were judged."""
    given: dict[str, float] = {}
    for signal in declared.signals:
        holds = signal.holds(values[signal.value])
        if holds is not None:
            strength = 1.0 if holds else -1.0
            given[signal.signal] = max(strength, given.get(signal.signal, -1.0))
    return given


def _said(declared: RestSource, values: Mapping[str, Scalar]) -> str:
    """Values are put in once, so that one can't name another."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in values:
            return found[0]
        held = values[found[1]]
        return MISSING if held is None else str(held)

    template = declared.summary or ", ".join(f"{name} {{{name}}}" for name in declared.values)
    return f"{declared.name}: {_VALUE.sub(value, template)}"[: 4 * TEXT_LIMIT]


def _plain(text: str) -> str:
    """One line without credentials or characters that move a cursor."""
    shown = "".join(c if c.isprintable() else " " for c in text[: 4 * TEXT_LIMIT])
    return redacted(shown)[:TEXT_LIMIT]


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
