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
    "changed",
    "onset",
    "before",
    "next_steps",
    "done",
    "rollback",
    "confidence",
    "watched",
    "listed",
    "deciders",
    "ruled_out",
    "used_runbook",
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
        "deciders",
        re.compile(
            r"\bwho (has |have |had |was it that )?(approved?|rejected?|decided?|signed)\b"
            r"|^\W*(did|has|have|was|were) ((?!i\b|we\b)[\w-]+ ){1,3}"
            r"(approved?|rejected?|decided?)\b"
        ),
    ),
    (
        "ruled_out",
        re.compile(
            r"\brul(e|ed|es|ing)\b.*\bout\b|\b(excluded?|dismiss(ed)?|discarded)\b.*\b(cause|you)\b"
            r"|^\W*(and |but |so )?why (not|isn't it|wasn't it|is it not|was it not)\b"
            r"(?!.*\b(roll|revert|retrain|deploy|restart|rerun|scale|approve|just|act|do)\b)"
        ),
    ),
    (
        "used_runbook",
        re.compile(
            r"\b(which|what) runbooks?( \w+)? (did|do|have|has|are|is|was|were|used)\b"
            r"(?!.*\b(say|says|about|for|recommends?|tells?|should)\b)"
        ),
    ),
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
        "runbook",
        re.compile(
            r"\brunbooks?\b.*\b(say|says|about|recommends?|tells?)\b"
            r"|\b(usual|typical|common|possible) (causes?|reasons?)\b"
        ),
    ),
    (
        "rollback",
        re.compile(
            r"\b(safe|ok|okay|wise|risky|dangerous|help|should (i|we)|better|good idea)\b"
            r".*\b(roll(ing|ed)?( \w+){0,2} ?back|revert|rollback)\b"
            r"|\b(roll(ing)?( \w+){0,2} ?back|revert(ing)?|rollback)\b"
            r".*\b(safe|help|risk|risky|fix)\b"
        ),
    ),
    (
        "urgency",
        re.compile(
            r"\bhow (much|expensive)\b.*\b(cost|costs|costing|spend|spent|lose|losing|expensive)\b"
            r"|\bwhat (has|did|does|is) .*\bcost(s|ing)?\b|\bmoney\b|\bprice\b"
            r"|\bget up\b|\bwake\b|\burgent\b|\bhow (bad|serious)\b"
            r"|\bhow much (does|do|will) (it|this|that|they) cost\b"
            r"|\bwhat does (it|this|that) cost\b"
        ),
    ),
    (
        "next_steps",
        re.compile(
            r"\bwhat (should|can|could|do|must|shall) (i|we|one|you) (do|recommend|suggest)\b"
            r"|\bnext steps?\b|\brecommend|\bsuggest|\bhow (do|can|should) (i|we|you) fix\b"
            r"|\bwhat now\b|\bwhat('s| is) (the )?(plan|fix|remedy)\b|\bplan for\b"
        ),
    ),
    (
        "done",
        re.compile(
            r"\bwhat (did|have|has|was|were) (you|the agent|been|anyone|anybody|it)\b"
            r".*\b(do|done|tried|sent|carried|taken|actions?)\b"
            r"|\bwhat (was|were|has been) (done|tried|carried|sent)\b"
            r"|\bactions? (were |was )?(taken|tried|carried)\b"
            r"|\bwho closed\b"
            r"|\b(was|were|been|is|did) (it|this|that|they|anything) (been )?"
            r"(retrained|rolled back|deployed|rerun|restarted|scaled)\b"
            r"|\bwas anyone (told|notified|informed)\b|\bdid (you|anyone) (tell|notify|do)\b"
        ),
    ),
    (
        "changed",
        re.compile(
            r"\bchang(e|es|ed)\b|\bdeploy(ed|s|ment|ments)?\b|\breleas(e|ed|es)\b"
            r"|\bwhat (was|is) different\b|\bnew version\b|\bshipped\b"
        ),
    ),
    (
        "onset",
        re.compile(
            r"\bwhen did\b|\bwhen (was|has|is) (it|this|that)\b|\bsince when\b|\bhow long\b"
            r"|\b(start|began|begin|begun)(ed|s)?\b|\bonset\b|\bwhat time\b"
        ),
    ),
    (
        "before",
        re.compile(
            r"\b(seen|happen(ed)?|had|occurred) .*\bbefore\b|\bsimilar\b|\bprecedent"
            r"|\bfirst time\b|\bpast incidents?\b|\b(again|recurring|repeat|anything like)\b"
        ),
    ),
    (
        "confidence",
        re.compile(
            r"\bother (causes|explanations|hypotheses)\b|\bwhat else could\b|\bwould settle\b"
        ),
    ),
    (
        "watched",
        re.compile(
            r"\b(what|which|list|show)\b.*\b(under watch|watch(ing|ed)?|monitor(ing|ed)?)\b"
            r"|\b(which|what|list|show( me)?) (the |all |all the )?(models|components|pipelines|"
            r"agents)\b(?!.*\b(wrong|broken|red|incident|problem|drift))"
        ),
    ),
    (
        "listed",
        re.compile(
            r"\b(list|show)( me)? (all |the |all the |me |recent |last )*(incidents|alerts)\b"
            r"|\b(recent|last|past week'?s?) incidents\b|\bhow many (open )?incidents\b"
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
        re.compile(
            r"\bwait(s|ing)?\b|\bpending\b|\bapprovals?\b|\bfor me\b|\bneeds? me\b"
            r"|\b(have|has|need|needs) to (approve|decide|sign)\b"
        ),
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
            r"\bwhy\b|\bcause[sd]?\b|\bwhat (broke|triggered)\b|\b(led|leads) to\b|\bblame\b"
            r"|\bhow (certain|likely)\b|\bdiagnos|\bconfiden|\bexplain\b|\bhow sure\b|\breasons?\b"
        ),
    ),
    (
        "check",
        re.compile(r"\b(investigate|check|inspect|measure|examine|look (at|into))\b"),
    ),
    (
        "status",
        re.compile(
            r"\b(what|how) about\b|\btell me (more )?about\b"
            r"|\bstatus\b|\bwrong\b|\bhappen|\bhealth|\bopen\b|\bincidents?\b|\balerts?\b"
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
