"""Which templates are new or risen since the onset, and which general signals they give."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from agentops_graph.detection.logs.masks import headline
from agentops_graph.detection.logs.templates import REST, Template
from agentops_graph.domain.log import LogSeverity

Standing = Literal["new", "risen", "gone", "steady"]
RISE = 3.0  # times the rate from before
SURE = 3.0  # standard deviations of a Poisson count above what the rate from before lets expect
LEAST_GONE = 10  # lines before; fewer may just not have come yet
NO_COMPARISON = 0.5  # strength of "new" when nothing was logged before
SEVERITIES: dict[LogSeverity, int] = {"error": 0, "warning": 1, "unknown": 2, "info": 3}
STANDINGS: dict[Standing, int] = {"new": 0, "risen": 1, "gone": 2, "steady": 3}
_STATUS = r"(?:status|code|http|error|response)\W{0,3}(?:/[\d.]+\W{1,3})?(?:code\W{1,3})?"
# General vocabulary of failures, in the words that clients, databases and kernels use.
TELLING = {
    "log_timeouts": r"time[d]?[ -]?out|deadline exceeded|etimedout",
    "log_schema_errors": (
        r"(?:column|field|key|property|attribute)\b.{0,80}"
        r"(?:does not exist|not found|missing|unknown|required|unexpected)"
        r"|(?:no such|unknown|undefined|missing|unexpected|invalid|required) ?"
        r"(?:column|field|key|property)|schema|keyerror|parsererror|jsondecodeerror"
        r"|unicodedecodeerror|validationerror|(?:cannot|can't|could not|failed to) (?:be )?"
        r"(?:parse|cast|convert|decode|deserialize)|type mismatch|invalid literal"
        r"|invalid input syntax|datatype"
    ),
    "log_auth_errors": (
        rf"{_STATUS}40[13]\b|unauthori[sz]ed|forbidden|permission denied|access denied"
        r"|authentication (?:failed|error)|not authenticated"
        r"|(?:invalid|expired|revoked|bad|wrong) (?:access |api |auth )?"
        r"(?:token|credentials?|key|password|certificate|signature)"
        r"|(?:token|certificate|credentials?|password|key) (?:has |have |is |are )?"
        r"(?:expired|revoked|invalid)"
    ),
    "log_out_of_memory": (
        r"out of memory|outofmemory|\boom\b|oom-?kill|memoryerror|cannot allocate memory"
        r"|heap space|exit code 137"
    ),
    "log_disk_full": (
        r"no space left|disk (?:is )?full|enospc|disk quota exceeded|read-only file system"
        r"|not enough (?:disk )?space"
    ),
    "log_rate_limited": (
        rf"{_STATUS}429\b|rate.?limit|too many requests|throttl|quota (?:has been )?exceeded"
    ),
    "log_connection_errors": (
        r"connection (?:was |has been )?(?:refused|reset|aborted|closed|lost|timed out|error)"
        r"|econnre|(?:could not|can't|cannot|failed to|unable to) (?:connect|resolve)"
        r"|connectionerror|connecterror|name or service not known|name resolution|no route to host"
        r"|broken pipe|getaddrinfo|(?:host|network) (?:is )?unreachable|no such host"
        r"|bad gateway|service unavailable"
    ),
}
_TELLING = {signal: re.compile(pattern, re.IGNORECASE) for signal, pattern in TELLING.items()}


@dataclass(frozen=True)
class Ranked:
    """A template with what became of it at the onset."""

    template: Template
    standing: Standing

    @property
    def is_fault(self) -> bool:
        return self.template.severity in ("error", "warning")

    @property
    def is_news(self) -> bool:
        return self.standing in ("new", "risen")


@dataclass(frozen=True)
class Spans:
    """Seconds of log that were read before and since the onset."""

    before_s: float
    since_s: float


def ranked(templates: Iterable[Template], spans: Spans) -> list[Ranked]:
    """New ones first, then risen, gone and steady ones; faults before words, many before few."""
    found = [Ranked(template, standing(template, spans)) for template in templates]
    return sorted(found, key=_order)


def standing(template: Template, spans: Spans) -> Standing:
    """By the counts before and since; a rise has to be more than chance."""
    if template.text == REST:
        return "steady"
    share = spans.since_s / max(spans.before_s, 1.0)
    expected = template.before * share
    if not template.before:
        return "new"
    if not template.since:
        is_gone = template.before >= LEAST_GONE and expected > SURE * math.sqrt(expected)
        return "gone" if is_gone else "steady"
    # One line more before would be no surprise, so a single one proves no rate.
    borne = (template.before + 1) * share
    sure = template.since > borne + SURE * math.sqrt(borne)
    return "risen" if sure and template.since >= RISE * expected else "steady"


def signals(found: Sequence[Ranked]) -> dict[str, float]:
    """Every signal of a log: 1 seen among faults that are new or risen, -1 looked for and absent.

    Without a line since the onset nobody looked at anything; only the silence is told.
    """
    if not any(one.template.since for one in found):
        return {"log_silent": 1.0} if found else {}
    has_before = any(one.template.before for one in found)
    seen = 1.0 if has_before else NO_COMPARISON
    faults = [one.template for one in found if one.is_fault and one.is_news]
    errors = any(one.severity == "error" for one in faults)
    told = [headline(one.sample) for one in faults]
    given = {"log_silent": -1.0, "log_errors_new": seen if errors else -1.0}
    for signal, pattern in _TELLING.items():
        given[signal] = seen if any(pattern.search(text) for text in told) else -1.0
    return given


def _order(one: Ranked) -> tuple[int, int, int, float]:
    count = one.template.since or one.template.before
    return STANDINGS[one.standing], SEVERITIES[one.template.severity], -count, one.template.first
