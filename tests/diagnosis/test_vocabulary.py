"""Names are split into words, words are widened by what means the same, and searches are fused."""

from hypothesis import given
from hypothesis import strategies as st

from agentops_graph.diagnosis.hybrid import Found, Parts, answer_strength, ordered
from agentops_graph.diagnosis.vocabulary import expansion, name_parts, query_terms, spoken


def test_an_alert_name_is_split_into_its_words():
    assert name_parts("KubePodCrashLooping") == ["kube", "pod", "crash", "looping"]
    assert name_parts("etcdHighFsyncDurations") == ["etcd", "high", "fsync", "durations"]
    assert name_parts("HTTPErrors") == ["http", "errors"]
    assert name_parts("latency") == name_parts("V14") == []
    assert spoken("skills/CDINotReady.md".rpartition("/")[2]) == "CDINotReady cdi not ready"


def test_a_query_keeps_what_tells_pages_apart_and_something_in_any_case():
    assert query_terms("The pod of a KubeJob") == ["pod", "kubejob", "kube", "job"]
    assert query_terms("of the") == ["of", "the"]


def test_words_that_mean_the_same_widen_a_query():
    assert "oomkilled" in expansion(["oom"])
    assert "shift" in expansion(["drift"])
    assert expansion(["zebra"]) == []
    assert "slow" not in expansion(["latency", "slow"])


@given(st.text())
def test_any_text_is_a_query(text):
    assert len(expansion(query_terms(text))) <= 64


def test_what_both_searches_find_comes_before_what_one_finds():
    found = {
        1: Found("a.md", 9.0, 0.0),
        2: Found("b.md", 8.5, 0.8),
        3: Found("c.md", 0.0, 0.9),
    }
    scores = ordered(found)
    assert next(iter(scores)) == 2
    assert all(0 < score <= 1 for score in scores.values())
    assert next(iter(ordered(found, Parts(likeness=False)))) == 1
    assert next(iter(ordered(found, Parts(words=False)))) == 3


def test_a_match_of_nothing_is_no_answer_and_more_words_are_a_better_one():
    assert answer_strength(0.0, 0.9, 10.0) == answer_strength(3.0, 0.9, 0.0) == 0.0
    assert answer_strength(12.0, 0.8, 16.0) > answer_strength(4.0, 0.8, 16.0)
