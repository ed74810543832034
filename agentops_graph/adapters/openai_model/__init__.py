"""A language model behind a server that speaks OpenAI's chat completions."""

from agentops_graph.adapters.openai_model.model import OpenAIModel

__all__ = ["OpenAIModel"]
