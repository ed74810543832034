"""What a language model took for one incident, over all of its diagnoses and second opinions."""

from typing import Any

from agentops_graph.domain.diagnosis import Diagnosis, SecondOpinion
from agentops_graph.domain.model_use import ModelUse, total_use
from agentops_graph.ports import Incidents


def use_of_model(incidents: Incidents, incident_id: str) -> ModelUse | None:
    """None when no model was asked."""
    diagnoses = [
        Diagnosis.model_validate(document).model_use
        for _, document in incidents.kept(incident_id, "diagnosis")
    ]
    opinions = [
        SecondOpinion.model_validate(document).model_use
        for _, document in incidents.kept(incident_id, "second_opinion")
    ]
    return total_use([*diagnoses, *opinions])


def without_gathered(document: dict[str, Any]) -> Diagnosis:
    """A kept diagnosis; what its model had read stands among the incident's evidence."""
    return Diagnosis.model_validate(document).model_copy(update={"gathered": ()})
