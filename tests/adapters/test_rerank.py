"""Reordering the best pages: by a small ONNX cross-encoder, within its time, or not at all."""

import logging

import pytest

from agentops_graph.adapters.onnx_cross_encoder import OnnxCrossEncoder
from agentops_graph.adapters.sqlite_shelf import SqliteShelf
from agentops_graph.bootstrap.reranking import rerank_of
from agentops_graph.diagnosis.lsa import LsaLearner
from agentops_graph.diagnosis.reranking import BEST, Rerank
from agentops_graph.domain.knowledge import Page
from agentops_graph.errors import InputError, UnavailableError
from agentops_graph.settings import read_settings
from tests.adapters.embedding_wire import cross_encoder_folder, tokenizer_file

LIKINGS = {"okapi": 1.0, "quagga": 3.0}


@pytest.fixture
def model(tmp_path):
    return cross_encoder_folder(tmp_path / "tiny", LIKINGS)


def page(number, text, score):
    name = f"p{number}.md"
    return Page(
        reference=f"{name}#a", document=name, kind="runbook", title="t", text=text, score=score
    )


def pages():
    texts = ["a feed", "an okapi feed", "a quagga feed"]
    return [page(n, text, 0.9 - n / 10) for n, text in enumerate(texts)]


def test_the_best_pages_are_put_into_the_models_order_and_share_the_same_scores(model):
    found = Rerank(OnnxCrossEncoder(model)).reordered("feed", pages())
    assert [one.text for one in found] == ["a quagga feed", "an okapi feed", "a feed"]
    assert [one.score for one in found] == [one.score for one in pages()]
    assert {one.rerank for one in found} == {"reranked by onnx:tiny"}


def test_pages_below_the_best_stay_where_they_are(model):
    many = [page(n, "feed", 0.9 - n / 100) for n in range(BEST)]
    found = Rerank(OnnxCrossEncoder(model)).reordered("feed", [*many, page(99, "quagga", 0.1)])
    assert found[-1].text == "quagga"


def test_a_model_of_two_figures_says_by_the_second_that_a_page_answers(tmp_path):
    one = OnnxCrossEncoder(cross_encoder_folder(tmp_path / "two", LIKINGS, figures=2))
    assert one.scores("feed", ["x", "quagga", "okapi"]) == [0.0, 3.0, 1.0]
    assert one.scores("feed", []) == []


def test_a_model_that_is_no_cross_encoder_is_told(tmp_path):
    one = OnnxCrossEncoder(cross_encoder_folder(tmp_path / "three", LIKINGS, figures=3))
    with pytest.raises(InputError, match="no cross-encoder"):
        one.scores("feed", ["x"])


def test_without_time_the_order_stays_and_the_log_says_so_once(model, caplog):
    rerank = Rerank(OnnxCrossEncoder(model), budget_s=0.0)
    with caplog.at_level(logging.WARNING):
        found = rerank.reordered("feed", pages())
        rerank.reordered("feed", pages())
    assert [one.text for one in found] == [one.text for one in pages()]
    assert {one.rerank for one in found} == {"not reranked: onnx:tiny took more than 0 s"}
    assert len(caplog.records) == 1


@pytest.mark.parametrize("file", ["model.onnx", "tokenizer.json"])
def test_a_damaged_file_is_told_and_the_order_stays(model, file):
    (model / file).write_bytes(b"{garbage")
    with pytest.raises(UnavailableError, match=file):
        OnnxCrossEncoder(model).scores("feed", ["x"])
    rerank = Rerank(OnnxCrossEncoder(model))
    assert rerank.condition().startswith("fails: ")
    found = rerank.reordered("feed", pages())
    assert [one.text for one in found] == [one.text for one in pages()]
    assert found[0].rerank.startswith("not reranked: ")


def test_a_shelf_reorders_its_pages_and_what_is_known_of_them_still_comes_first(model, tmp_path):
    folder = tmp_path / "runbooks"
    folder.mkdir()
    for name, text in (("a", "feed feed stands"), ("b", "feed okapi"), ("c", "feed quagga")):
        (folder / f"{name}.md").write_text(f"# {name}\n{text}\n")
    front = "---\ntitle: Served\nserves: [latency]\n---\n# Served\nfeed\n"
    (folder / "served.md").write_text(front)
    rerank = Rerank(OnnxCrossEncoder(model))
    shelf = SqliteShelf(tmp_path / "k.db", [folder], LsaLearner(), rerank=rerank)
    found = [one.document for one in shelf.search("feed")]
    served = shelf.search("feed", alert_type="latency", limit=1)[0].document
    assert shelf.condition()["rerank"] == "onnx:tiny"
    shelf.close()
    assert found[:2] == ["c.md", "b.md"]
    assert served == "served.md"


def test_the_setting_chooses_and_a_wrong_one_is_refused_with_what_to_do(model, tmp_path):
    def chosen(value):
        return rerank_of(read_settings({"AGENTOPS_RERANK": value}))

    assert rerank_of(read_settings({})) is None
    assert chosen("none") is None
    assert chosen(f"onnx:{model}").condition() == "onnx:tiny"
    (tmp_path / "half").mkdir()
    tokenizer_file(tmp_path / "half" / "tokenizer.json", ["a"])
    for wrong, words in (
        ("onnx", "is none of"),
        ("none:x", "is none of"),
        (f"onnx:{tmp_path / 'absent'}", "has no model.onnx"),
        (f"onnx:{tmp_path / 'half'}", "has no model.onnx"),
        (f"sentence-transformers:{tmp_path / 'absent'}", "has no config.json"),
    ):
        with pytest.raises(InputError, match=words):
            chosen(wrong)
