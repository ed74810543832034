"""The default embedding and exact search over it."""

import os
import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agentops_graph.diagnosis.embedding import Corpus, LexicalEmbedding, nearest_exactly

LEXICAL = LexicalEmbedding()


def likeness(first, second):
    a, b = LEXICAL.embed([first, second])
    return float(a @ b)


def test_inflected_words_stay_near_and_other_words_far():
    near = likeness("schema changes in the vendor feed", "the vendor changed a feed's schema")
    assert near > likeness("schema changes in the vendor feed", "latency of the gateway") + 0.3


def test_common_words_do_not_make_texts_alike():
    assert likeness("the rate of a and in to", "what is the of in a to memory") < 0.3


def test_a_text_without_words_has_no_direction():
    assert not LEXICAL.embed(["?! ..."]).any()


def test_another_process_with_another_hash_seed_makes_the_same_vector():
    code = (
        "from agentops_graph.diagnosis.embedding import LexicalEmbedding as L;"
        "import sys; sys.stdout.buffer.write(L().embed(['V14 drift after a change']).tobytes())"
    )
    environ = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)}
    made = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, check=True
    )
    assert made.stdout == LEXICAL.embed(["V14 drift after a change"]).tobytes()


@given(st.text())
def test_any_text_has_length_one_or_none(text):
    vector = LEXICAL.embed([text])[0]
    assert vector.dtype == np.float32
    length = float(np.linalg.norm(vector))
    assert length == 0 or abs(length - 1) < 1e-5


def test_exact_search_keeps_the_kind_and_leaves_out_what_has_nothing_in_common():
    vectors = LEXICAL.embed(["schema of the gateway", "gateway latency p99", "???"])
    corpus = Corpus("c", "1", LEXICAL.name, (1, 2, 3), ("runbook", "incident", "runbook"), vectors)
    query = LEXICAL.embed(["gateway latency"])[0]
    assert nearest_exactly(corpus, query, kind=None, limit=5) == [2, 1]
    assert nearest_exactly(corpus, query, kind="runbook", limit=5) == [1]
