"""What asking a language model took: calls, tokens, time, and money where a price is known."""

from collections.abc import Iterable, Mapping

from pydantic import Field

from agentops_graph.domain.record import Record

PRICE = r"^\d+(\.\d+)?:\d+(\.\d+)?$"  # of a million tokens in and out
PER = 1_000_000


class ModelUse(Record):
    """The calls to a model for one diagnosis, or for all of an incident."""

    model: str
    calls: int = Field(ge=0)
    tokens_in: int = Field(ge=0)
    tokens_out: int = Field(ge=0)
    estimated: bool = False  # the server counted no tokens, so they were reckoned from the text
    cost: float | None = Field(default=None, ge=0)  # in the currency of the price table
    seconds: float = Field(default=0.0, ge=0)
    prompts: tuple[str, ...] = ()  # the versions that were asked with

    @property
    def in_words(self) -> str:
        about = "about " if self.estimated else ""
        calls = f"{self.calls} call{'' if self.calls == 1 else 's'}"
        cost = "no price is set" if self.cost is None else f"cost {self.cost:.6f}".rstrip("0")
        tokens = f"{about}{self.tokens_in} tokens in, {self.tokens_out} out"
        return f"{calls} in {self.seconds:.1f} s, {tokens}, {cost}"


def cost_of(prices: Mapping[str, str], model: str, tokens_in: int, tokens_out: int) -> float | None:
    """By `model` of a table such as `{"llama3": "0:0", "gpt": "2.5:10"}`; None when it has no
    price there."""
    price = prices.get(model)
    if price is None:
        return None
    each_in, _, each_out = price.partition(":")
    return (float(each_in) * tokens_in + float(each_out) * tokens_out) / PER


def total_use(used: Iterable[ModelUse | None]) -> ModelUse | None:
    """All of them as one; the cost is unknown when one of them is."""
    known = [use for use in used if use is not None]
    if not known:
        return None
    costs = [use.cost for use in known if use.cost is not None]
    return ModelUse(
        model=", ".join(dict.fromkeys(use.model for use in known)),
        calls=sum(use.calls for use in known),
        tokens_in=sum(use.tokens_in for use in known),
        tokens_out=sum(use.tokens_out for use in known),
        estimated=any(use.estimated for use in known),
        cost=sum(costs) if len(costs) == len(known) else None,
        seconds=round(sum(use.seconds for use in known), 3),
        prompts=tuple(dict.fromkeys(prompt for use in known for prompt in use.prompts)),
    )
