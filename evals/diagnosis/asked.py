"""Puts one lived case to the evidence weights, to a model beside them, and to the model alone."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from agentops_graph.bootstrap.reasoners import (
    chat_model,
    limits_of,
    prompts_in_force,
    reasoner_with,
)
from agentops_graph.diagnosis.briefing import brief_text
from agentops_graph.diagnosis.consultation import Consultation
from agentops_graph.diagnosis.draft import Draft, known_causes, read_draft, schema
from agentops_graph.diagnosis.weights import EvidenceWeights, recommended
from agentops_graph.domain.diagnosis import UNKNOWN_CAUSE, Brief, Diagnosis
from agentops_graph.domain.model_use import ModelUse
from agentops_graph.errors import NoAnswerError, ToolsRefusedError
from agentops_graph.model_ports import ChatModel, Heard, Question, Reply, Unfollowed
from agentops_graph.ports import Ports
from agentops_graph.settings import Settings
from evals.model_choice import Choice

if TYPE_CHECKING:
    from evals.diagnosis.world import Lived, Told

Arm = Literal["weights alone", "model with weights", "model alone"]
ARMS: tuple[Arm, ...] = ("weights alone", "model with weights", "model alone")


@dataclass(frozen=True)
class Said:
    """One answer of one arm; `trouble` says why the model could not be heard, which is never
    wrong, and `unusable` that it was heard and gave nothing that a diagnosis can be made of."""

    arm: Arm
    repeat: int
    diagnosis: Diagnosis
    seconds: float
    use: ModelUse | None = None
    trouble: str | None = None
    unusable: bool = False


def told_by_model(lived: "Lived") -> "list[Told]":
    """What the model beside the weights said of the first incident, where it was heard; what it had
    read stands with the evidence."""
    return [
        replace(lived.told[0], diagnosis=said.diagnosis, brief=_read(lived.told[0].brief, said))
        for said in lived.asked
        if said.arm == "model with weights" and said.use is not None and said.trouble is None
    ]


def _read(brief: Brief, said: Said) -> Brief:
    more = (*brief.evidence, *said.diagnosis.gathered)
    return brief.model_copy(update={"evidence": more})


class NotedModel:
    """A model, with what kept it from answering."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self.trouble: str | None = None

    @property
    def vendor(self) -> str:
        return self._model.vendor

    @property
    def model(self) -> str:
        return self._model.model

    def answer(self, question: Question, *, deadline: float, heard: Heard) -> Reply:
        try:
            return self._model.answer(question, deadline=deadline, heard=heard)
        except ToolsRefusedError:
            raise
        except NoAnswerError as error:
            self.trouble = str(error)
            raise


def asked(choice: Choice, brief: Brief, ports: Callable[[], Ports] | None = None) -> list[Said]:
    """The weights once, as they always say the same; the two others so many times."""
    settings, begun = choice.settings, time.perf_counter()
    base = EvidenceWeights().diagnose(brief)
    found = [Said("weights alone", 0, base, time.perf_counter() - begun)]
    for repeat in range(choice.repeats):
        found.append(_beside(settings, brief, ports, repeat))
        found.append(_alone(settings, brief, base, repeat))
    return found


def _beside(
    settings: Settings, brief: Brief, ports: Callable[[], Ports] | None, repeat: int
) -> Said:
    """The product as it is configured."""
    model, begun = NotedModel(chat_model(settings)), time.perf_counter()
    diagnosis = reasoner_with(settings, model, ports).diagnose(brief)
    unheard = diagnosis.opinion is None and bool(diagnosis.hypotheses)
    return Said(
        "model with weights",
        repeat,
        diagnosis,
        time.perf_counter() - begun,
        diagnosis.model_use,
        model.trouble if unheard else None,
        unusable=unheard and model.trouble is None,
    )


def _alone(settings: Settings, brief: Brief, base: Diagnosis, repeat: int) -> Said:
    """One question with the same brief, but for the weights' figures: no reads, no second look,
    nothing to fall back on. Only that the answer can be read is checked."""
    model, begun = NotedModel(chat_model(settings)), time.perf_counter()
    consultation = Consultation(model, limits_of(settings), Unfollowed(), brief.incident_id)
    prompts, unusable = prompts_in_force(settings), False
    try:
        draft = consultation.answered(
            prompts["diagnose"].filled(brief=brief_text(brief, base, weighed=False)),
            "draft",
            schema(brief),
            lambda reply: read_draft(reply, brief),
            prompts["repair"],
        )
        told = _of_draft(draft, brief, base)
    except NoAnswerError:
        told, unusable = _silent(base), model.trouble is None
    took = time.perf_counter() - begun
    return Said("model alone", repeat, told, took, consultation.use, model.trouble, unusable)


def _of_draft(draft: Draft, brief: Brief, base: Diagnosis) -> Diagnosis:
    cause = known_causes(brief).get(draft.cause)
    return _silent(base).model_copy(
        update={
            "root_cause": draft.explanation,
            "cause": draft.cause,
            "confidence": None if cause is None else draft.confidence,
            "recommended_actions": recommended(cause),
        }
    )


def _silent(base: Diagnosis) -> Diagnosis:
    """Nothing of what the weights found."""
    return base.model_copy(
        update={
            "root_cause": "Unknown",
            "cause": UNKNOWN_CAUSE,
            "confidence": None,
            "hypotheses": (),
            "claims": (),
            "also": (),
            "recommended_actions": recommended(None),
        }
    )
