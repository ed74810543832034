"""Whether a question is about what we look after at all, told from the words that carry it."""

import re
from collections.abc import Collection, Iterator

from agentops_graph.chat.focus import POINTS
from agentops_graph.chat.intents import approval_in
from agentops_graph.chat.spelling import KNOWN
from agentops_graph.chat.talk import Talk
from agentops_graph.diagnosis.vocabulary import SAME_MEANING
from agentops_graph.errors import UnavailableError

PAGES = 3
STEM = 5  # letters by which "degrade" and "degradation" are one word
ENDINGS = ("ing", "ed", "es", "s")
# They are in every question, whatever it is about.
PLAIN = frozenset(
    """
    a about after again ago all already also always am an and another any anybody anyone
    anything anyway appear appears are arent around as ask asked asking at away back base based
    basis be because been before began begin begun behaviour behind being best better between
    big bit both busy but by call called came can cannot cant care case cases clear clearly come
    common concern concerns could current currently day days deal decent describe detail details
    did didnt difference different do does doesnt doing done dont doubt down during each earlier
    early earth easy either else end ended enough entire evening ever every everybody everyone
    everything exactly fact fair far feel feeling few find fine first for from full further
    general get gets getting give given go goes going gone good got great had half handle hang
    happen happened happening happens has hasnt have havent having he hear hell hello help her
    here hey hi him his hold hour hours how hows huge i id idea if im important in indeed info
    inside instead into is isnt issue issues it its itself ive job just keep kind know known
    last late lately later latest least leave left less let lets like likely line lines list
    little long look looked looking looks lose losing lot made main major make makes many matter
    maybe me mean means mess mind minute minutes missing moment month months more morning most
    much must my name names near need needed needs never new news next night no nobody none nor
    normal not note nothing now number obvious of off often oh ok okay old on once one ones
    ongoing only onto open option options or order other otherwise our out over overall own part
    particular past people per perhaps personally place plan plans please plus point possible
    possibly pretty prior probably proper put question questions quite rather read really reason
    reasons recent recently regarding relate related result results right round run running safe
    said same saw say says second see seem seems seen sense serious shall she short should show
    side simple since single situation slight small so some somebody someone something sometimes
    soon sort specific stand start started state still stop story stuff such sudden suddenly sum
    summary support suppose sure take taken tell than thank thanks that thats the their them
    then there theres these they thing things think this those thought through time times to
    today together told tomorrow tonight too total true trust truth try turn two type under
    understand unless until up us use used using usual usually various very view wait waiting
    want wanted was wasnt way we week weeks well went were werent what whatever whats when
    whenever where wheres whether which while who whole whom whos whose why will with within
    without wonder wont word words worried worry worth would write wrong year years yes
    yesterday yet you your
    """.split()  # noqa: SIM905 - a list of a word a line is no easier to read
)
# Of the trade, beside those that replies are chosen by and that runbooks are searched with.
TRADE = frozenset(
    """
    accept action actions agent agents alarm alarms alert alerts anomaly approval approve assistant
    bad baseline batch batches bot broke broken calibration cases certain classifier closed
    component confidence confirm data dataset dead decide decided decision decisions degraded
    delete depend detect detector diagnose digest escalate expect explanation fail fallback
    feature features feed feeds figures fix fixed fraud gate grow guard healthy holdout hypothesis
    impact incident incidents input jobs join labels learn lineage live load log logs metric metrics
    mistake monitor notified notify odd onset outlier output override owner owns page paged
    percent pipeline pipelines postmortem precedent predict prediction predictions probability
    production proposal provider providers proposed queries ratio recommend red reference register
    reject remedy report request requests rerun resolved responsible restart result retrain
    retrained retraining retry risk root rows run runbook runbooks safe sample scale score scores
    segment sentinel serving severe severity sign signal signals silence slack slow source sources
    spike steps table tables team threshold thresholds timeline token trace traffic train trained
    training trend trigger trouble undo unit units upstream urgent vendor verdict verify version
    versions violation volume wake warehouse weights window worse
    """.split()  # noqa: SIM905
)
_TURNED = frozenset((word[0], *sorted(word)) for word in PLAIN if len(word) > 2)  # "teh"
_WORD = re.compile(r"[a-z][a-z0-9]+")
_PROPER = re.compile(r"(?<=[\w,;] )[a-z]?[A-Z][A-Za-z]+")
_PARTS = re.compile(r"[-_.\s]")


def stem(word: str) -> str:
    """What "drifted" and "drifting" have in common."""
    ending = next((e for e in ENDINGS if word.endswith(e) and len(word) - len(e) >= 3), "")
    return word.removesuffix(ending).rstrip("e")[:STEM]


def _stems(words: Collection[str]) -> frozenset[str]:
    return frozenset(map(stem, words))


_OF_THE_TRADE = _stems(TRADE | {w for line in SAME_MEANING for w in line.split()} | KNOWN) - _stems(
    PLAIN
)


def content_of(question: str) -> list[str]:
    """The stems of the words that are not plain, each once."""
    found = _WORD.findall(question.lower().replace("'s ", " ").replace("'", ""))
    return list(dict.fromkeys(stem(word) for word in found if not _is_plain(word)))


def stems_of(text: str) -> frozenset[str]:
    return _stems(_WORD.findall(text.lower()))


def is_off_topic(talk: Talk) -> bool:
    """True when at least as many of its words come from elsewhere as are of our trade.

    What names an incident or a component is ours, and so is a word that stands in what people wrote
    down here about the same.
    """
    if talk.is_about_something or approval_in(talk.question):
        return False
    content = content_of(talk.question)
    parts = {part for name in talk.names for part in _PARTS.split(name.lower())}
    known = _OF_THE_TRADE | _stems(parts)
    ours = sum(word in known for word in content) + points_at_something(talk)
    strange = {word for word in content if word not in known}
    if not strange or _told_by(strange, talk.question) < ours:
        return False
    written = frozenset(word for text in _texts(talk) for word in stems_of(text))
    return _told_by(strange - written, talk.question) >= max(1, ours)


def _told_by(strange: Collection[str], question: str) -> int:
    """A name that nobody here knows, with a capital inside the sentence, tells more than a word."""
    proper = _stems([found.lower() for found in _PROPER.findall(question)])
    return sum(1 + (word in proper) for word in strange)


def points_at_something(talk: Talk) -> bool:
    """What was spoken of before is meant: "who closed it?"."""
    return talk.incident_id is not None and POINTS.search(talk.question.lower()) is not None


def _texts(talk: Talk) -> Iterator[str]:
    try:
        yield from (f"{p.title} {p.text}" for p in talk.service.search(talk.question, limit=PAGES))
    except UnavailableError:
        return  # without the shelf the trade's own words have to do


def _is_plain(word: str) -> bool:
    return word in PLAIN or len(word) < 3 or (word[0], *sorted(word)) in _TURNED
