"""Checks of the prompts of a language model: readable, of use, and the pinned ones."""

from agentops_graph.data_folder import shipped
from agentops_graph.diagnosis.prompts import prompts_of
from agentops_graph.doctor.check import Check, Visit
from agentops_graph.errors import AgentOpsError


def prompts(visit: Visit) -> list[Check]:
    settings = visit.settings
    try:
        found = prompts_of(shipped("prompts"), settings.prompts, settings.prompt_pins)
    except AgentOpsError as error:
        mend = "`agentops prompts list` shows each with its pin"
        return [Check(name="prompts", state="broken", seen=str(error), mend=mend)]
    whose = (
        "those that ship" if settings.prompts is None else f"with your own of {settings.prompts}"
    )
    pinned = f", {len(settings.prompt_pins)} pinned" if settings.prompt_pins else ""
    return [Check(name="prompts", state="ok", seen=f"{len(found)}, {whose}{pinned}")]
