"""Chooses who reasons: the evidence weights alone, or a language model beside them."""

from collections.abc import Callable

from agentops_graph.data_folder import shipped
from agentops_graph.diagnosis.prompts import Prompt, prompts_of
from agentops_graph.diagnosis.weights import EvidenceWeights
from agentops_graph.errors import InputError
from agentops_graph.model_ports import ChatModel, Following, ModelLimits
from agentops_graph.ports import Ports, Reasoner
from agentops_graph.settings import Settings


def reasoner_of(
    settings: Settings,
    ports: Callable[[], Ports] | None = None,
    following: Following | None = None,
) -> Reasoner:
    """The reasoner that is set. With `ports` a model may have more evidence read. Raises
    InputError for an address that is not allowed, and for prompts that are not the pinned ones."""
    if settings.reasoner == "evidence":
        hold_pins(settings)
        return EvidenceWeights()
    return reasoner_with(settings, chat_model(settings), ports, following)


def reasoner_with(
    settings: Settings,
    model: ChatModel,
    ports: Callable[[], Ports] | None = None,
    following: Following | None = None,
) -> Reasoner:
    """The evidence weights with that model beside them."""
    from agentops_graph.diagnosis.model_reasoner import ModelReasoner
    from agentops_graph.gathering.asked_reads import AskedReads

    return ModelReasoner(
        model,
        EvidenceWeights(),
        prompts_in_force(settings),
        limits_of(settings),
        reads_for=None if ports is None else lambda brief: AskedReads(ports(), brief),
        following=following,
    )


def limits_of(settings: Settings) -> ModelLimits:
    """What one diagnosis may take."""
    is_ollama = settings.reasoner == "ollama"
    return ModelLimits(
        timeout_s=settings.ollama_timeout_s if is_ollama else settings.openai_timeout_s,
        tokens=settings.model_tokens,
        reads=settings.model_reads,
        prices=settings.model_prices,
    )


def chat_model(settings: Settings) -> ChatModel:
    """The model that is set; loads no library yet."""
    if settings.reasoner == "ollama":
        from agentops_graph.adapters.ollama_model import OllamaModel

        return OllamaModel(
            settings.model,
            settings.ollama_host,
            temperature=settings.temperature,
            allow_remote=settings.allow_remote_hosts,
            hosts=settings.model_hosts,
        )
    if settings.openai_base_url is None:
        raise InputError(
            "must be set for AGENTOPS_REASONER=openai", field="AGENTOPS_OPENAI_BASE_URL"
        )
    from agentops_graph.adapters.openai_model import OpenAIModel

    key = settings.openai_api_key
    return OpenAIModel(
        settings.model,
        settings.openai_base_url,
        key.get_secret_value() if key else None,
        temperature=settings.temperature,
        allow_remote=settings.allow_remote_hosts,
        hosts=settings.model_hosts,
    )


def prompts_in_force(settings: Settings) -> dict[str, Prompt]:
    """Those that ship, with the team's own in the place of theirs, as far as they are pinned."""
    return prompts_of(shipped("prompts"), settings.prompts, settings.prompt_pins)


def hold_pins(settings: Settings) -> None:
    """Raises InputError for pins that don't hold, whoever reasons: before anything is measured."""
    if settings.prompt_pins or settings.prompts is not None:
        prompts_in_force(settings)
