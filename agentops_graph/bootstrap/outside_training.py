"""What a component is trained with where models are served by a system of the team's own."""

from agentops_graph.domain.component import Component


def trained_over_http(component: Component) -> Component:
    """Training is triggered there by default."""
    over_http = {"retrain_model": "agentops_graph.jobs.http_retraining:retrain"}
    means = over_http | component.entry_points if component.kind == "model" else {}
    return component.model_copy(update={"entry_points": component.entry_points | means})
