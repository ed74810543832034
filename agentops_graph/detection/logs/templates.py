"""Groups events into templates as they come, with the counts before and since an onset.

A fixed-depth parse tree in the manner of Drain (He, Zhu, Zheng, Lyu, "Drain: An Online Log Parsing
Approach with Fixed Depth Tree", ICWS 2017): by severity, number of words and first word, then the
most similar template of that leaf. Beyond the paper, words that tell how something ended are never
taken for a parameter, so that "load failed" is never counted with "load finished".
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from agentops_graph.detection.logs.masks import headline, masked, roughly
from agentops_graph.domain.log import LogLine, LogSeverity

SIMILAR = 0.6  # share of the words that are the same
MOST_TEMPLATES = 3000
MOST_PER_LEAF = 100
MOST_KNOWN = 50_000  # rough forms whose template is remembered
MOST_WORDS = 60
ANY = "<*>"
REST = "(lines of other forms)"
_TELLING = re.compile(
    r"(?i)ok|success|succeed|finish|complete|done|fail|error|exception|refus|reject|denied|deny|abort"
    r"|timeout|timed|invalid|missing|unknown|unable|cannot|can't|not|no|lost|full|dead|kill|panic"
    r"|fatal|crash|expired|forbidden|unauthor|retry|skip|drop|empty|null|none|unexpected|down"
)

Key = tuple[LogSeverity, int, str]


@dataclass(slots=True)
class Template:
    """One form of line, and how often it came; times are seconds since the epoch."""

    words: list[str]
    severity: LogSeverity
    before: int = 0
    since: int = 0
    first: float = 0.0
    last: float = 0.0
    sample: str = ""  # the first event since the onset, else the first at all

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def count(self, line: LogLine, onset: float) -> None:
        is_first_since = line.at >= onset and not self.since
        if not self.sample or is_first_since:
            self.sample = line.text
        if line.at >= onset:
            self.first = line.at if is_first_since else min(self.first, line.at)
            self.last = max(self.last, line.at)
            self.since += 1
        else:
            self.before += 1
            if not self.since:
                self.first = min(self.first or line.at, line.at)
                self.last = max(self.last, line.at)


class TemplateTree:
    """Templates of one log; lines are held against them in any order."""

    def __init__(self, onset: float) -> None:
        self._onset = onset
        self._leaves: dict[Key, list[Template]] = {}
        self._known: dict[tuple[LogSeverity, str], Template] = {}
        self._templates: list[Template] = []

    def add(self, lines: Iterable[LogLine]) -> None:
        """Counts each event under its template."""
        known, onset = self._known, self._onset
        for line in lines:
            head = headline(line.text)
            rough = line.severity, roughly(head)
            template = known.get(rough)
            if template is None:
                template = self._place(line.severity, masked(head))
                if len(known) < MOST_KNOWN:
                    known[rough] = template
            template.count(line, onset)

    @property
    def templates(self) -> list[Template]:
        """In order of their first appearance."""
        return list(self._templates)

    def _place(self, severity: LogSeverity, form: str) -> Template:
        words = form.split()[:MOST_WORDS]
        first = words[0] if words and not _is_parameter(words[0]) else ANY
        leaf = self._leaves.setdefault((severity, len(words), first), [])
        best = max(leaf, key=lambda held: _likeness(held.words, words), default=None)
        if best is not None and _likeness(best.words, words) >= SIMILAR:
            best.words = [a if a == b else ANY for a, b in zip(best.words, words, strict=True)]
            return best
        if len(self._templates) >= MOST_TEMPLATES or len(leaf) >= MOST_PER_LEAF:
            return self._rest(severity)
        template = Template(words, severity)
        leaf.append(template)
        self._templates.append(template)
        return template

    def _rest(self, severity: LogSeverity) -> Template:
        """One template for what would be too many; a log of random text has no forms."""
        leaf = self._leaves.setdefault((severity, -1, REST), [])
        if not leaf:
            leaf.append(Template([REST], severity))
            self._templates.append(leaf[0])
        return leaf[0]


def _is_parameter(word: str) -> bool:
    return "<" in word or any(character.isdigit() for character in word)


def _likeness(held: list[str], words: list[str]) -> float:
    """The share of equal words; none when they differ in one that tells how it ended."""
    if not words:
        return 1.0
    same = 0
    for mine, other in zip(held, words, strict=True):
        if mine == other:
            same += 1
        elif _TELLING.match(other) or (mine != ANY and _TELLING.match(mine)):
            return 0.0
    return same / len(words)
