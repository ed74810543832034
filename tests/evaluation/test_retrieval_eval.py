"""The evaluation of retrieval: its figures by hand, its rows, and what is skipped."""

import json

import pytest

from agentops_graph.diagnosis.hybrid import ALL_PARTS
from agentops_graph.diagnosis.lsa import LsaLearner
from evals.retrieval.__main__ import ABLATION, main, prediction, shelf_of, tables
from evals.retrieval.measure import figures


def test_figures_are_those_of_the_places():
    told = figures({"a": 1, "b": 3, "c": None, "d": 10})
    assert told["hit@1"] == 0.25
    assert told["hit@3"] == told["hit@5"] == 0.5
    assert told["hit@10"] == 0.75
    assert told["mrr"] == pytest.approx((1 + 1 / 3 + 1 / 10) / 4)
    assert told["ndcg"] == pytest.approx((1 + 1 / 2 + 0.28906) / 4, abs=1e-4)


def test_an_embedding_that_is_not_here_is_told_as_skipped(monkeypatch, tmp_path):
    monkeypatch.setenv("AGENTOPS_EVAL_DATA", str(tmp_path))
    told = tables(["lexical", f"chroma-minilm:{tmp_path}"], ablation=False)["embeddings"]
    assert told["lexical"]["own queries"]["hit@10"] > 0.8
    assert list(told[f"chroma-minilm:{tmp_path}"]) == ["skipped"]


def test_every_row_of_the_ablation_leaves_something_out_but_the_last():
    assert [name for name, parts in ABLATION.items() if parts == ALL_PARTS] == ["all"]
    assert len(set(ABLATION.values())) == len(ABLATION)


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name in ("Okapi", "Quagga", "Zebra"):
        (folder / f"{name}.md").write_text(f"# {name}\n\n## Meaning\n\nThe {name} is too slow.\n")
    return folder


def test_a_prediction_ranks_documents_once_each_and_says_how_sure_it_is(corpus):
    with shelf_of(corpus, LsaLearner(), ALL_PARTS) as shelf:
        sure = prediction(shelf, {"id": "1", "query": "quagga slow"})
        unsure = prediction(shelf, {"id": "2", "query": "quarterly tax"})
    assert sure["ranked"][0] == "Quagga.md"
    assert len(sure["ranked"]) == len(set(sure["ranked"]))
    assert sure["score"] > unsure["score"]


def test_predictions_are_written_one_line_a_query(corpus, tmp_path, monkeypatch, capsys):
    queries = tmp_path / "queries.jsonl"
    queries.write_text('{"id": "a", "query": "zebra"}\n{"id": "b", "query": "okapi"}\n')
    given = ["eval", "--predict", str(queries), "--corpus", str(corpus)]
    monkeypatch.setattr("sys.argv", given)
    main()
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["id"], one["ranked"][0]) for one in said] == [("a", "Zebra.md"), ("b", "Okapi.md")]
