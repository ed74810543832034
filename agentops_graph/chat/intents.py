"""What a question wants, told from its words alone; only an exact line is a decision."""

import re
from typing import Literal

from pydantic import JsonValue

from agentops_graph.chat.events import Choice, DomainName

Intent = Literal[
    "decide",
    "how_to_decide",
    "help",
    "urgency",
    "waiting",
    "runbook",
    "why",
    "evidence",
    "check",
    "status",
]

APPROVE = re.compile(r"approve (?P<id>A-[0-9]{1,12})", re.IGNORECASE)
REJECT = re.compile(r"reject (?P<id>A-[0-9]{1,12}) because (?P<reason>\S[^\r\n]*)", re.IGNORECASE)
EDIT = re.compile(
    r"edit (?P<id>A-[0-9]{1,12}) set (?P<changes>[a-z_]+ to \S+(?: and [a-z_]+ to \S+)*)",
    re.IGNORECASE,
)
ASK = re.compile(r"ask (?P<id>A-[0-9]{1,12}) (?P<text>\S[^\r\n]*)", re.IGNORECASE)
INCIDENT = re.compile(r"\bINC-[0-9]{4}-[0-9]{1,9}\b", re.IGNORECASE)

APPROVAL = re.compile(r"\bA-[0-9]{1,12}\b", re.IGNORECASE)

# The first that matches wins; a question about deciding must never look like a decision.
_WORDS: tuple[tuple[Intent, re.Pattern[str]], ...] = (
    ("help", re.compile(r"^\W*$|^(help|hi|hello|hey)\b\W*$|\bwhat can you do\b")),
    (
        "how_to_decide",
        re.compile(
            r"^\W*(how (do|can) i )?(please )?(approve|reject|edit|decline|deny)\b"
            r"|\b(i|we) (approve|reject)\b|\bgo ahead\b|\bdo it\b|\bship it\b|\blgtm\b"
            r"|\b(please|now|can you|could you|you may|should i) (approve|reject)\b"
            r"|\b(approve|reject) (it|this|that|them|all|a-[0-9]+)\b"
        ),
    ),
    (
        "urgency",
        re.compile(
            r"\bget up\b|\bwake\b|\burgent\b|\bhow (bad|serious)\b"
            r"|\bhow much (does|do|will) (it|this|that|they) cost\b"
            r"|\bwhat does (it|this|that) cost\b"
        ),
    ),
    (
        "runbook",
        re.compile(
            r"\bhow (do|can|should|would) (i|we|you|one)\b|\bhow to\b|\brunbooks?\b"
            r"|^(search|find|look up)\b"
        ),
    ),
    (
        "waiting",
        re.compile(r"\bwait(s|ing)?\b|\bpending\b|\bapprovals?\b|\bfor me\b|\bneeds? me\b"),
    ),
    (
        "evidence",
        re.compile(
            r"\bevidence\b|\bproof\b|\bprove\b|\bbased on what\b|\bhow do you know\b|\bnumbers\b"
        ),
    ),
    (
        "why",
        re.compile(
            r"\bwhy\b|\bcauses?\b|\bdiagnos|\bconfiden|\bexplain\b|\bhow sure\b|\breasons?\b"
        ),
    ),
    (
        "check",
        re.compile(r"\b(investigate|check|inspect|measure|examine|look (at|into))\b"),
    ),
    (
        "status",
        re.compile(
            r"\bstatus\b|\bwrong\b|\bhappen|\bhealth|\bopen\b|\bincidents?\b|\balerts?\b"
            r"|\bproblems?\b|\bbroken\b|\bhow (is|are)\b|\bgoing on\b|\bokay?\b|\bspik"
        ),
    ),
)

_TOPICS: tuple[tuple[DomainName, re.Pattern[str]], ...] = (
    ("cost", re.compile(r"\bcosts?\b|\bspend|\bbudget|\bexpens|\bbill\b")),
    ("security", re.compile(r"\bsecur|\bpermission|\brefused\b|\bpolicy\b|\baccess\b")),
    ("performance", re.compile(r"\bslow|\blatenc|\bperforman|\bmemory\b|\bp9[59]\b|\bstall")),
    ("reliability", re.compile(r"\boutage|\bdown\b|\breliab|\berror rate\b|\bunavailable\b")),
    ("quality", re.compile(r"\bdrift|\baccura|\bquality\b|\bf1\b|\bpredictions?\b|\bnulls?\b")),
)


def decision_in(line: str) -> Choice | None:
    """The decision, when the line is one to the letter: `approve A-12`,
    `reject A-12 because REASON`, `edit A-12 set NAME to VALUE` or `ask A-12 QUESTION`. Anything
    before, after or between makes it a question."""
    line = line.strip()
    approved = APPROVE.fullmatch(line)
    if approved:
        return Choice(approval_id=approved["id"].upper(), verdict="approve")
    rejected = REJECT.fullmatch(line)
    if rejected:
        return Choice(
            approval_id=rejected["id"].upper(),
            verdict="reject",
            reason=rejected["reason"].strip()[:2000],
        )
    return _edit_in(line) or _question_in(line)


def _edit_in(line: str) -> Choice | None:
    found = EDIT.fullmatch(line)
    if found is None:
        return None
    changes = (change.split(" to ", 1) for change in re.split(" and ", found["changes"]))
    arguments: dict[str, JsonValue] = {name.lower(): value for name, value in changes}
    return Choice(approval_id=found["id"].upper(), verdict="edit", arguments=arguments)


def _question_in(line: str) -> Choice | None:
    found = ASK.fullmatch(line)
    if found is None:
        return None
    text = found["text"].strip()[:2000]
    return Choice(approval_id=found["id"].upper(), verdict="respond", text=text)


def intent_of(question: str) -> Intent | None:
    """None when the words say nothing; then the question is looked up in the runbooks."""
    if decision_in(question) is not None:
        return "decide"
    words = " ".join(question.lower().split())
    return next((intent for intent, pattern in _WORDS if pattern.search(words)), None)


def topics_in(question: str) -> tuple[DomainName, ...]:
    words = question.lower()
    return tuple(topic for topic, pattern in _TOPICS if pattern.search(words))


def approval_in(question: str) -> str | None:
    named = APPROVAL.search(question)
    return named[0].upper() if named else None


def incident_in(question: str) -> str | None:
    named = INCIDENT.search(question)
    return named[0].upper() if named else None
