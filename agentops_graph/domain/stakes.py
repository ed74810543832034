"""What is at stake while a model is wrong: its metric's loss, and money by the hour."""

import math
import re
from collections.abc import Mapping
from typing import Self

from agentops_graph.domain.record import Record

_MONEY = re.compile(r"([a-z]{3})_per_hour")


class Extent(Record):
    """A figure with its 99% interval."""

    value: float
    low: float
    high: float

    def figures(self, name: str) -> dict[str, float]:
        """The three numbers as an alert carries them."""
        return {name: self.value, f"{name}_low": self.low, f"{name}_high": self.high}


class Stakes(Record):
    """Loss of the primary metric (positive is worse) and cost by the hour, as far as known."""

    metric: str | None = None
    loss: Extent | None = None
    money: Extent | None = None
    currency: str = "EUR"
    is_estimated: bool = False  # from scores, without labels

    @property
    def figures(self) -> dict[str, float]:
        """What alerts carry: `loss_f1`, `eur_per_hour`, each with `_low` and `_high`."""
        estimated = "estimated_" if self.is_estimated else ""
        loss = self.loss.figures(f"{estimated}loss_{self.metric}") if self.loss else {}
        money = self.money.figures(f"{self.currency.lower()}_per_hour") if self.money else {}
        return loss | money

    @classmethod
    def among(cls, figures: Mapping[str, float]) -> Self:
        """Those that an alert carries; empty when it carries none."""
        found = cls()
        for name in figures:
            extent = _extent(name, figures)
            if extent is None:
                continue
            money = _MONEY.fullmatch(name)
            plain = name.removeprefix("estimated_")
            if money is not None:
                found = found.model_copy(update={"money": extent, "currency": money[1].upper()})
            elif plain.startswith("loss_"):
                metric, estimated = plain.removeprefix("loss_"), plain != name
                found = found.model_copy(
                    update={"loss": extent, "metric": metric, "is_estimated": estimated}
                )
        return found

    @property
    def of_incident(self) -> dict[str, float | str]:
        """What an incident keeps of them; nothing where they tell nothing."""
        kept: dict[str, float | str] = {}
        if self.money is not None:
            kept |= {"hourly_cost": self.money.value, "currency": self.currency}
        if self.loss is not None:
            kept["metric_loss"] = self.loss.value
        return kept

    @property
    def lines(self) -> tuple[str, ...]:
        """The answer to "do I get up for this?", one sentence each."""
        return tuple(line for line in (self.money_line, self.loss_line) if line is not None)

    @property
    def money_line(self) -> str | None:
        """Such as `Costs about EUR 310 an hour (210 to 420)`."""
        if self.money is None:
            return None
        low, high = (max(0.0, end) for end in (self.money.low, self.money.high))
        how = ", estimated without labels" if self.is_estimated else ""
        if self.money.value <= 0:
            most = f"{self.currency} {in_words(high)}"
            return f"Costs nothing that can be told (up to {most} an hour){how}"
        about = f"{self.currency} {in_words(self.money.value)}"
        return f"Costs about {about} an hour ({in_words(low)} to {in_words(high)}){how}"

    @property
    def loss_line(self) -> str | None:
        """Such as `F1 is worse by 0.21 (0.15 to 0.27)`."""
        if self.loss is None or self.metric is None:
            return None
        said = "is estimated, without labels, to be" if self.is_estimated else "is"
        if self.loss.value <= 0:
            return (
                f"{self.metric.upper()} {said} no worse (at most by {max(self.loss.high, 0.0):.2g})"
            )
        ends = f"({self.loss.low:.2g} to {self.loss.high:.2g})"
        return f"{self.metric.upper()} {said} worse by {self.loss.value:.2g} {ends}"


def _extent(name: str, figures: Mapping[str, float]) -> Extent | None:
    low, high = figures.get(f"{name}_low"), figures.get(f"{name}_high")
    if low is None or high is None:
        return None
    return Extent(value=figures[name], low=low, high=high)


def in_words(value: float) -> str:
    """Two figures of a sum; nobody gets up for the third."""
    if value <= 0:
        return "0"
    places = 1 - math.floor(math.log10(value))
    rounded = round(value, places)
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:.{max(places, 0)}f}"
