"""What labelled rows of a healthy time showed: how scores came true, and how large errors were."""

from pydantic import Field

from agentops_graph.domain.record import Record


class ScoreCells(Record):
    """Rows that were predicted to be of one class, counted by their score and their label."""

    edges: tuple[float, ...]  # inner edges, rising, n - 1 for n cells; a cell holds its upper edge
    scores: tuple[float, ...]  # mean score per cell, n
    labels: tuple[tuple[int, ...], ...]  # rows per cell and label, (n, classes)


class Calibration(Record):
    """How scores came true.

    The score is that of class 1 for two classes, else of the predicted class. One entry of
    `predicted` per class. `residuals` says how much more often than the score tells the class came
    true in each bin of a feature (bins of the profile, missing last): (feature, class, bin), with
    the rows behind it in `residual_rows`.
    """

    classes: tuple[float, ...]
    predicted: tuple[ScoreCells, ...]
    residuals: dict[str, tuple[tuple[float, ...], ...]] = Field(default_factory=dict)
    residual_rows: dict[str, tuple[tuple[int, ...], ...]] = Field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(sum(cell) for cells in self.predicted for cell in cells.labels)


class ErrorBins(Record):
    """Absolute errors of numbers, summed per bin of one column, missing values last."""

    edges: tuple[float, ...]  # inner edges, n - 1 for n bins and one more for missing values
    rows: tuple[int, ...]
    absolute: tuple[float, ...]  # sums of |label - prediction|
    square: tuple[float, ...]
    fourth: tuple[float, ...]


class UsualErrors(Record):
    """How often, or how far, a healthy model was wrong, per labelled row."""

    rows: int
    false_positive: float = 0.0
    false_negative: float = 0.0
    wrong: float = 0.0  # any class for any other
    absolute: float = 0.0  # mean |label - prediction| of numbers
    absolute_error: float = 0.0  # its standard error


class HealthyRows(Record):
    """All that the labelled rows of a reference taught."""

    usual: UsualErrors
    calibration: Calibration | None = None
    by_prediction: ErrorBins | None = None  # for numbers
    by_feature: dict[str, ErrorBins] = Field(default_factory=dict)
