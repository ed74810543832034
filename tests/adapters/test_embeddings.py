"""What makes vectors: Ollama over the wire, small BERT and ONNX models, and the choice of one."""

import numpy as np
import pytest

from agentops_graph.adapters.bert_embedding import BertEmbedding
from agentops_graph.adapters.ollama_embedding import OllamaEmbedding
from agentops_graph.adapters.onnx_embedding import OnnxEmbedding
from agentops_graph.bootstrap.embedding import embedding_of
from agentops_graph.diagnosis.lsa import LsaLearner
from agentops_graph.errors import InputError, UnavailableError
from agentops_graph.settings import read_settings
from tests.adapters.embedding_wire import WIDTH, bert_folder, ollama, onnx_folder

WORDS = ["pod", "crashes", "disk", "full", "again"]


def of_length_one(vectors):
    return np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_ollama_gives_a_vector_for_each_text():
    with ollama() as (host, state):
        one = OllamaEmbedding("tiny", host)
        vectors = one.embed(["pod crashes", "disk full", "pod crashes \ud800"])
        assert vectors.shape == (3, WIDTH) == (3, one.dimensions)
        assert of_length_one(vectors)
        assert len(state["asked"][0]) == 3
        assert one.embed([]).shape == (0, WIDTH)


@pytest.mark.parametrize(
    "fault",
    ["missing", "broken", "refused", "busy", "garbage", "truncated", "none", "ragged"],
)
def test_every_wrong_answer_of_ollama_is_told_and_never_kept(fault):
    with ollama(fault) as (host, _), pytest.raises(UnavailableError) as caught:
        OllamaEmbedding("tiny", host).embed(["pod", "disk"])
    assert "Ollama at" in str(caught.value)
    assert ("ollama pull tiny" in str(caught.value)) is (fault == "missing")


def test_texts_of_runbooks_do_not_go_to_a_proxy_of_the_environment(monkeypatch):
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with ollama() as (host, state):
        assert OllamaEmbedding("tiny", host).embed(["pod"]).shape == (1, WIDTH)
        assert state["asked"] == [["pod"]]


def test_a_server_that_is_gone_is_told():
    with pytest.raises(UnavailableError, match="is it running"):
        OllamaEmbedding("tiny", "http://127.0.0.1:9").embed(["pod"])


def test_runbooks_go_to_another_machine_only_when_allowed():
    with pytest.raises(InputError, match="AGENTOPS_ALLOW_REMOTE_HOSTS"):
        OllamaEmbedding("tiny", "http://gpu.example.com:11434")


def test_a_bert_model_of_a_folder_runs_without_torch(tmp_path):
    one = BertEmbedding(bert_folder(tmp_path / "bert", WORDS), label="small")
    vectors = one.embed(["pod crashes", "disk full", "pod crashes"])
    assert one.name == f"small-{WIDTH}"
    assert of_length_one(vectors)
    assert np.allclose(vectors[0], vectors[2])
    assert not np.allclose(vectors[0], vectors[1])
    # Attention and positions take part: the order of the words changes the vector.
    assert not np.allclose(vectors[0], one.embed(["crashes pod"])[0], atol=1e-4)


def test_a_cut_off_model_file_is_told(tmp_path):
    folder = bert_folder(tmp_path / "bert", WORDS)
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(InputError, match="can't be read"):
        BertEmbedding(folder, label="small").embed(["pod"])


def test_the_onnx_model_of_a_folder_pools_only_over_the_words(tmp_path):
    one = OnnxEmbedding(onnx_folder(tmp_path / "onnx", WORDS))
    alone = one.embed(["pod"])
    padded = one.embed(["pod", "disk full again pod crashes"])
    assert of_length_one(padded)
    assert np.allclose(alone[0], padded[0], atol=1e-5)


def test_an_onnx_file_that_is_garbage_is_told(tmp_path):
    folder = onnx_folder(tmp_path / "onnx", WORDS)
    (folder / "model.onnx").write_bytes(b"garbage" * 50)
    with pytest.raises(UnavailableError, match=r"model\.onnx can't be read"):
        OnnxEmbedding(folder).embed(["pod"])


def test_one_setting_chooses_what_makes_the_vectors(tmp_path):
    bert = bert_folder(tmp_path / "bert", WORDS)
    onnx = onnx_folder(tmp_path / "onnx", WORDS)
    assert isinstance(embedding_of(read_settings({})), LsaLearner)
    chosen = {
        f"sentence-transformers:{bert}": BertEmbedding,
        f"chroma-minilm:{onnx}": OnnxEmbedding,
        "ollama:tiny": OllamaEmbedding,
    }
    for setting, kind in chosen.items():
        assert isinstance(embedding_of(read_settings({"AGENTOPS_EMBEDDING": setting})), kind)


@pytest.mark.parametrize(
    "setting",
    ["word2vec", "ollama:", "chroma-minilm:/no/such", "sentence-transformers:/no/such", "minilm:x"],
)
def test_a_choice_that_can_not_be_had_names_the_setting(setting):
    with pytest.raises(InputError, match="AGENTOPS_EMBEDDING"):
        embedding_of(read_settings({"AGENTOPS_EMBEDDING": setting}))


def test_what_was_learnt_is_recalled_to_the_same_vectors():
    texts = ["pod crashes again", "disk is full", "latency of the gateway", "pod restarts"]
    embedding, basis = LsaLearner().learnt(texts)
    again = LsaLearner().recalled(basis)
    assert again.name == embedding.name
    assert np.array_equal(again.embed(texts), embedding.embed(texts))
    empty, _ = LsaLearner().learnt([])
    assert not empty.embed(["pod"]).any()
