"""A large corpus is searched along its strongest directions, and finds what a full search finds."""

import numpy as np
import pytest

from agentops_graph.diagnosis.embedding import Corpus, LexicalEmbedding, nearest_exactly
from agentops_graph.diagnosis.nearest import MANY, Outline, nearest_places, outline_of


@pytest.fixture(scope="module")
def vectors():
    chance = np.random.default_rng(5)
    mixed = chance.standard_normal((MANY, 128)) * np.geomspace(1.0, 0.01, 128)
    turned = mixed @ np.linalg.qr(chance.standard_normal((128, 128)))[0]
    return (turned / np.linalg.norm(turned, axis=1, keepdims=True)).astype(np.float32)


def test_the_outline_loses_hardly_any_of_the_nearest(vectors):
    outline = outline_of(vectors)
    assert isinstance(outline, Outline)
    for place in range(0, MANY, 4001):
        full = nearest_places(vectors, vectors[place], among=None, limit=30, outline=None)
        quick = nearest_places(vectors, vectors[place], among=None, limit=30, outline=outline)
        assert quick[0] == full[0] == place
        assert len(set(full) & set(quick)) >= 29


def test_only_those_asked_for_are_found_in_a_large_corpus(vectors):
    among = np.zeros(MANY, dtype=np.bool_)
    among[[3, 700, 19_000]] = True
    found = nearest_places(
        vectors, vectors[700], among=among, limit=30, outline=outline_of(vectors)
    )
    assert found[0] == 700
    assert set(found) <= {3, 700, 19_000}


def test_a_small_corpus_is_searched_in_full(vectors):
    few = vectors[:50]
    assert outline_of(few) is None
    kinds = ("runbook", "incident") * 25
    corpus = Corpus("c", "1", "e", tuple(range(100, 150)), kinds, few)
    found = nearest_exactly(corpus, few[7], kind="incident", limit=5)
    assert found[0] == 107
    assert all(key % 2 for key in found)


def test_the_same_text_has_the_same_vector_whatever_was_met_before():
    texts = ["KubePodCrashLooping restarts", "", "the a of", "drift \udcff of V14, drift of V14"]
    fresh = LexicalEmbedding().embed(texts)
    used = LexicalEmbedding()
    used.embed(["restarts of V14", *texts[::-1]])
    assert np.array_equal(used.embed(texts), fresh)
    assert np.linalg.norm(fresh, axis=1).tolist() == pytest.approx([1, 0, 1, 1])
