"""Lets a language model look at a case that the evidence weights have diagnosed."""

import logging
from collections.abc import Mapping

from agentops_graph.diagnosis.briefing import brief_text, measured_text
from agentops_graph.diagnosis.consultation import Consultation, UnusableAnswerError
from agentops_graph.diagnosis.draft import Draft, read_conclusion, read_draft, schema
from agentops_graph.diagnosis.joined import doubted, joined, opinion_of
from agentops_graph.diagnosis.prompts import Prompt
from agentops_graph.diagnosis.reading import gathered
from agentops_graph.domain.diagnosis import Brief, Diagnosis
from agentops_graph.domain.evidence import Evidence
from agentops_graph.errors import AgentOpsError, InputError, NoAnswerError, ToolsRefusedError
from agentops_graph.model_ports import (
    ChatModel,
    Following,
    ModelLimits,
    ReadsFor,
    Unfollowed,
)
from agentops_graph.ports import Reasoner

log = logging.getLogger(__name__)

PROMPTS = ("diagnose", "conclude", "read", "repair")


class ModelReasoner:
    """A reasoner that joins a deterministic one's diagnosis with a language model's.

    The model may first ask for reads, then drafts an answer from the whole brief, and concludes
    from the measured signals alone, where no text from outside stands. Each answer is checked and
    asked for again once; after that, when time or tokens are spent, or when it breaks what reads
    it, the fallback's diagnosis stands and its `degraded` says why. How far the model is believed
    stands in `diagnosis.joined`. What was asked and read is in `model_use` and `gathered`.
    """

    def __init__(
        self,
        model: ChatModel,
        fallback: Reasoner,
        prompts: Mapping[str, Prompt],
        limits: ModelLimits | None = None,
        *,
        reads_for: ReadsFor | None = None,
        following: Following | None = None,
    ) -> None:
        for name in PROMPTS:
            if name not in prompts:
                raise InputError(f"{name}.md is missing", field="prompts")
        self._model, self._fallback, self._prompts = model, fallback, prompts
        self._limits = limits or ModelLimits()
        self._reads_for = reads_for
        self._following = following or Unfollowed()
        self._takes_tools = True

    @property
    def name(self) -> str:
        version = self._prompts["diagnose"].identity
        return f"{self._model.vendor}:{self._model.model} (diagnose.md {version})"[:200]

    def diagnose(self, brief: Brief) -> Diagnosis:
        base = self._fallback.diagnose(brief)
        if not base.hypotheses:  # nothing to choose between
            return base
        consultation = Consultation(self._model, self._limits, self._following, brief.incident_id)
        found: tuple[Evidence, ...] = ()
        try:
            found = self._read(consultation, brief, base)
            diagnosis = self._joined(consultation, _with(brief, found), base)
        except NoAnswerError as error:
            log.warning("diagnosing without the model: %s", error)
            diagnosis = self._degraded(base, str(error))
        except Exception as error:
            # An answer is anything at all; whatever it breaks here, an incident gets its diagnosis.
            log.warning("diagnosing without the model, whose answer broke this", exc_info=True)
            diagnosis = self._degraded(
                base, f"its answer could not be read ({type(error).__name__})"
            )
        return diagnosis.model_copy(update={"model_use": consultation.use, "gathered": found})

    def _degraded(self, base: Diagnosis, why: str) -> Diagnosis:
        note = f"{self._model.vendor}: {why}"
        return base.model_copy(update={"degraded": (*base.degraded, note)})

    def _read(
        self, consultation: Consultation, brief: Brief, base: Diagnosis
    ) -> tuple[Evidence, ...]:
        if self._reads_for is None or not self._limits.reads or not self._takes_tools:
            return ()
        prompt, most = self._prompts["read"], self._limits.reads
        try:
            reads = self._reads_for(brief)
        except AgentOpsError as error:
            log.warning("no reads are offered: %s", error)
            return ()
        try:
            return gathered(consultation, prompt, brief, base, reads, most)
        except ToolsRefusedError as error:
            log.info("no reads are offered to %s from now on: %s", self._model.model, error)
            self._takes_tools = False
            return ()

    def _joined(self, consultation: Consultation, brief: Brief, base: Diagnosis) -> Diagnosis:
        try:
            draft = self._draft(consultation, brief, base)
        except UnusableAnswerError as error:
            # Text that spoils the draft must not take the model's doubt of the signals away.
            try:
                final = self._conclusion(consultation, brief, base)
            except NoAnswerError:
                raise error from None  # the first trouble says more
            note = f"{self._model.vendor}: {error}"
            return doubted(base, final).model_copy(update={"degraded": (*base.degraded, note)})
        final = self._conclusion(consultation, brief, base)
        named = f"{self._model.vendor}:{self._model.model}"
        opinion = opinion_of(named, draft, final, base)
        diagnosis = joined(base, draft, final, opinion, brief)
        return diagnosis.model_copy(update={"reasoner": self.name})

    def _draft(self, consultation: Consultation, brief: Brief, base: Diagnosis) -> Draft:
        prompt = self._prompts["diagnose"]
        consultation.used(prompt)
        return consultation.answered(
            prompt.filled(brief=brief_text(brief, base)),
            "draft",
            schema(brief),
            lambda reply: read_draft(reply, brief),
            self._prompts["repair"],
        )

    def _conclusion(self, consultation: Consultation, brief: Brief, base: Diagnosis) -> Draft:
        prompt, measured = self._prompts["conclude"], measured_text(brief, base)
        consultation.used(prompt)
        return consultation.answered(
            prompt.filled(measured=measured),
            "conclusion",
            schema(brief, cites=False),
            lambda reply: read_conclusion(reply, brief, measured),
            self._prompts["repair"],
        )


def _with(brief: Brief, found: tuple[Evidence, ...]) -> Brief:
    return brief.model_copy(update={"evidence": (*brief.evidence, *found)})
