"""The words of the field: names split into words, words without weight, and what means the same."""

import re
from collections.abc import Iterator

from agentops_graph.diagnosis.features import COMMON, WORD

# KubePodCrashLooping -> Kube Pod Crash Looping, HTTPErrors -> HTTP Errors, V14 stays whole.
NAME_PART = re.compile(r"[A-Z]{2,}s?(?=[A-Z][a-z]|\d|\b)|[A-Z]?[a-z]+|[A-Z]+|\d+")
SEVERAL_PARTS = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]{2}")
MAX_TERMS = 64
# Words of one line are used for one another when people write alerts and runbooks. Short and
# plain on purpose: a word that means much else (as "run") would pull in pages of other subjects.
SAME_MEANING = (
    "drift drifted shift shifted skew psi",
    "latency slow slowness delay p99 p95",
    "timeout timeouts deadline",
    "oom oomkilled memory heap",
    "crash crashing crashloop crashloopbackoff crashlooping restarting restarts",
    "down unavailable unreachable outage absent",
    "disk filesystem storage volume",
    "full exhausted space capacity",
    "error errors failure failures failed failing",
    "cpu throttling throttled saturation",
    "certificate cert tls x509 expiry expiration expires",
    "null nulls missing empty",
    "duplicate duplicates twice doubled",
    "replica replicas instance instances",
    "quota limit limits",
    "429 throttle throttled ratelimit",
    "cost costs spend spending bill budget",
    "token tokens prompt context",
    "deploy deployment release rollout",
    "rollback revert undo",
    "dns resolution lookup",
    "network connectivity connection",
    "lag backlog queue",
    "leader election quorum",
    "backup snapshot restore",
    "credential credentials secret password auth authentication",
    "accuracy f1 precision recall performance",
    "schema column columns field fields",
    "pod container workload",
    "k8s kubernetes kube",
)
_ALIKE: dict[str, tuple[str, ...]] = {}
for _line in SAME_MEANING:
    for _word in _line.split():
        _others = tuple(other for other in _line.split() if other != _word)
        _ALIKE[_word] = _ALIKE.get(_word, ()) + _others


def name_parts(word: str) -> list[str]:
    """The words that a name is made of, in small letters; none for a plain word."""
    if not SEVERAL_PARTS.search(word):
        return []
    return [part.lower() for part in NAME_PART.findall(word)]


def spelled_names(text: str) -> str:
    """Every joined name of a text as separate words: what a search for its words should find."""
    names = dict.fromkeys(word for word in WORD.findall(text) if SEVERAL_PARTS.search(word))
    return " ".join(" ".join(name_parts(name)) for name in names)


def spoken(name: str) -> str:
    """A file or alert name with its words, as people would say it."""
    bare = re.sub(r"\.(md|markdown)$", "", name, flags=re.IGNORECASE)
    words = " ".join(WORD.findall(bare))
    return f"{words} {spelled_names(bare)}".strip()


def query_terms(query: str) -> list[str]:
    """The words of a query that can tell pages apart, names also split, each once."""
    words = list(dict.fromkeys(words_of(query)))
    telling = [word for word in words if word not in COMMON]
    return (telling or words)[:MAX_TERMS]


def expansion(terms: list[str]) -> list[str]:
    """Words that mean the same as those of a query and do not stand in it."""
    others = (other for term in terms for other in _ALIKE.get(term, ()))
    return [word for word in dict.fromkeys(others) if word not in terms][:MAX_TERMS]


def words_of(text: str) -> Iterator[str]:
    """Every word in small letters, a joined name also in its parts."""
    for word in WORD.findall(text):
        yield word.lower()
        yield from name_parts(word)
