"""What a model's errors cost, as the team configured it."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from agentops_graph.domain.record import Record

Price = Annotated[float, Field(ge=0)]


class Costs(Record):
    """The price of one error: of a binary model by its kind, else per wrong class or unit."""

    false_positive: Price = 0.0
    false_negative: Price = 0.0
    per_unit_error: Price = 0.0  # of a number that is off by one; of one wrong class of several
    currency: str = Field(default="EUR", pattern="^[A-Z]{3}$")

    @model_validator(mode="after")
    def _something_costs(self) -> Self:
        if not (self.false_positive or self.false_negative or self.per_unit_error):
            raise ValueError(
                "give at least one of false_positive, false_negative and per_unit_error a price"
            )
        return self

    def check_fit(self, kind: str, task: str) -> None:
        """Raises ValueError when no error of such a component has a price here."""
        if kind != "model":
            raise ValueError(f"a {kind} makes no errors that `costs` could price; a model does")
        if task == "binary" and not (self.false_positive or self.false_negative):
            raise ValueError(
                "the errors of a binary model are priced by false_positive and false_negative"
            )
        if task in ("multiclass", "regression", "forecast") and not self.per_unit_error:
            raise ValueError(f"the errors of the task {task} are priced by per_unit_error")
        if task not in ("binary", "multiclass", "regression", "forecast"):
            raise ValueError(f"errors of the task {task} have no price")
