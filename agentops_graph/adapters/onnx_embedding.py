"""Sentence vectors of the ONNX model that Chroma keeps in its cache; nothing is downloaded."""

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from agentops_graph.diagnosis.embedding import Vectors
from agentops_graph.errors import InputError, UnavailableError

CHROMA_CACHE = Path("~/.cache/chroma/onnx_models/all-MiniLM-L6-v2/onnx")
FILES = ("model.onnx", "tokenizer.json")
TOKENS = 256
PART = 16  # texts padded to one length; more of them pad short ones for nothing
DIMENSIONS = 384


class OnnxEmbedding:
    """`model.onnx` and `tokenizer.json` of a folder, mean pooling over the tokens of a text."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = (folder or CHROMA_CACHE).expanduser()
        missing = [file for file in FILES if not (self._folder / file).is_file()]
        if missing:
            raise InputError(
                f"{self._folder} has no {missing[0]}; let Chroma download its default model once, "
                "or give the folder that holds it: chroma-minilm:FOLDER",
                field="AGENTOPS_EMBEDDING",
            )
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return f"chroma-minilm-{self.dimensions}"

    @property
    def dimensions(self) -> int:
        return DIMENSIONS

    def embed(self, texts: Sequence[str]) -> Vectors:
        parts = [self._part(texts[start : start + PART]) for start in range(0, len(texts), PART)]
        if not parts:
            return np.zeros((0, DIMENSIONS), dtype=np.float32)
        return np.concatenate(parts)

    def _part(self, texts: Sequence[str]) -> Vectors:
        session, tokenizer = self._opened
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        with self._lock:
            encoded = tokenizer.encode_batch(clean)
        mask = np.array([one.attention_mask for one in encoded], dtype=np.int64)
        given = {
            "input_ids": np.array([one.ids for one in encoded], dtype=np.int64),
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(mask),
        }
        wanted = {one.name for one in session.get_inputs()}
        hidden = session.run(None, {k: v for k, v in given.items() if k in wanted})[0]
        if hidden.shape[-1] != DIMENSIONS:
            raise InputError(
                f"{self._folder} makes vectors of {hidden.shape[-1]}, not {DIMENSIONS}, figures",
                field="AGENTOPS_EMBEDDING",
            )
        weights = mask[:, :, None].astype(np.float32)
        means = (hidden * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9)
        lengths = np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
        return np.asarray(means / lengths, dtype=np.float32)

    @cached_property
    def _opened(self) -> tuple[Any, Any]:
        from onnxruntime import InferenceSession
        from onnxruntime.capi import onnxruntime_pybind11_state as state
        from tokenizers import Tokenizer

        broken = (state.InvalidProtobuf, state.Fail, state.InvalidGraph, state.NoSuchFile)
        try:
            session = InferenceSession(
                str(self._folder / "model.onnx"), providers=["CPUExecutionProvider"]
            )
        except broken as error:
            raise UnavailableError(f"{self._folder}/model.onnx can't be read: {error}") from error
        tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
        tokenizer.enable_truncation(TOKENS)
        tokenizer.enable_padding()
        return session, tokenizer
