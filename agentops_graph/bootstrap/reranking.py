"""Chooses what reorders the best results of a search, by AGENTOPS_RERANK."""

from pathlib import Path
from typing import TYPE_CHECKING

from agentops_graph.errors import InputError
from agentops_graph.settings import Settings

if TYPE_CHECKING:
    from agentops_graph.diagnosis.reranking import Rerank

CHOICES = "none, onnx:FOLDER, sentence-transformers:FOLDER"


def rerank_of(settings: Settings) -> "Rerank | None":
    """None by default. Raises InputError when it is none of the choices, or what it needs is not
    there."""
    kind, _, rest = settings.rerank.partition(":")
    if kind == "none" and not rest:
        return None
    from agentops_graph.diagnosis.reranking import Rerank

    if kind == "onnx" and rest:
        from agentops_graph.adapters.onnx_cross_encoder import OnnxCrossEncoder

        return Rerank(OnnxCrossEncoder(Path(rest).expanduser()))
    if kind == "sentence-transformers" and rest:
        from agentops_graph.adapters.sentence_transformers_cross_encoder import (
            SentenceTransformersCrossEncoder,
        )

        return Rerank(SentenceTransformersCrossEncoder(Path(rest).expanduser()))
    raise InputError(f"{settings.rerank!r} is none of {CHOICES}", field="AGENTOPS_RERANK")
