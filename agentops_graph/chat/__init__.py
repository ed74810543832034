"""The conversation behind every door: a question goes in, a stream of events comes out."""

from agentops_graph.chat.conversation import answer, remark
from agentops_graph.chat.events import Asker, ChatEvent, Choice, Delta, Result, Source

__all__ = ["Asker", "ChatEvent", "Choice", "Delta", "Result", "Source", "answer", "remark"]
