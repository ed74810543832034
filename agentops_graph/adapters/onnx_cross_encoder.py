"""Scores of a local ONNX cross-encoder that reads query and text together; no download."""

import json
import math
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from agentops_graph.errors import InputError, UnavailableError

FILES = ("model.onnx", "tokenizer.json")
TOKENS = 512
PADDING = ("[PAD]", "<pad>")
SETTING = "AGENTOPS_RERANK"


class OnnxCrossEncoder:
    """`model.onnx` and `tokenizer.json` of a folder; implements `diagnosis.reranking.PairScorer`.
    One figure a pair is its score; of two, the second is that it answers."""

    def __init__(self, folder: Path) -> None:
        missing = [file for file in FILES if not (folder / file).is_file()]
        if missing:
            raise InputError(
                f"{folder} has no {missing[0]}; give the folder of a cross-encoder that was "
                "exported to ONNX, onnx:FOLDER, or none",
                field=SETTING,
            )
        self._folder = folder
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return f"onnx:{self._folder.name}"

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        if not texts:
            return []
        session, tokenizer = self._opened
        with self._lock:
            encoded = tokenizer.encode_batch([(_clean(query), _clean(text)) for text in texts])
        given = {
            "input_ids": np.array([one.ids for one in encoded], dtype=np.int64),
            "attention_mask": np.array([one.attention_mask for one in encoded], dtype=np.int64),
            "token_type_ids": np.array([one.type_ids for one in encoded], dtype=np.int64),
        }
        wanted = {one.name for one in session.get_inputs()}
        made = self._run(session, {k: v for k, v in given.items() if k in wanted})
        figures = np.asarray(made, dtype=np.float64).reshape(len(texts), -1)
        if figures.shape[1] > 2:
            raise InputError(
                f"{self._folder} gives {figures.shape[1]} figures a pair: it is no cross-encoder",
                field=SETTING,
            )
        found = figures[:, -1] - (figures[:, 0] if figures.shape[1] == 2 else 0.0)
        return [float(score) if math.isfinite(score) else -math.inf for score in found]

    def _run(self, session: Any, given: dict[str, Any]) -> Any:
        from onnxruntime.capi import onnxruntime_pybind11_state as state

        failures = (state.InvalidArgument, state.RuntimeException, state.Fail)
        try:
            return session.run(None, given)[0]
        except (*failures, ValueError) as error:
            raise UnavailableError(f"{self._folder}/model.onnx failed: {error}"[:300]) from error

    @cached_property
    def _opened(self) -> tuple[Any, Any]:
        from onnxruntime import InferenceSession
        from onnxruntime.capi import onnxruntime_pybind11_state as state

        broken = (state.InvalidProtobuf, state.Fail, state.InvalidGraph, state.NoSuchFile)
        file = self._folder / "model.onnx"
        try:
            session = InferenceSession(str(file), providers=["CPUExecutionProvider"])
        except broken as error:
            raise UnavailableError(f"{file} can't be read: {error}"[:300]) from error
        return session, self._tokenizer()

    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        file = self._folder / "tokenizer.json"
        try:
            text = file.read_text(encoding="utf-8")
            is_one = "model" in json.loads(text)
        except (OSError, ValueError, TypeError) as error:
            raise UnavailableError(f"{file} can't be read: {error}") from error
        if not is_one:
            raise UnavailableError(f"{file} holds no tokenizer")
        tokenizer = Tokenizer.from_str(text)
        tokenizer.enable_truncation(TOKENS)
        named = ((name, tokenizer.token_to_id(name)) for name in PADDING)
        name, key = next(((n, k) for n, k in named if k is not None), (PADDING[0], 0))
        tokenizer.enable_padding(pad_id=key, pad_token=name)
        return tokenizer


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
