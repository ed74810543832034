"""What the checks of batch files found, in the database."""

from datetime import datetime

from sqlglot import exp

from agentops_graph.adapters.sql_warehouse.asking import Asking, matching, moment_of
from agentops_graph.adapters.sql_warehouse.layout import Layout
from agentops_graph.adapters.sql_warehouse.session import Rows
from agentops_graph.adapters.sql_warehouse.windows import told
from agentops_graph.domain.contract import BatchReport, KeptBatch
from agentops_graph.errors import NotEnoughDataError
from agentops_graph.warehouse.history import check_row, quality_row

MOST = 100_000


class SqlBatchLog(Asking):
    """Implements `BatchLog`."""

    def record_batch(self, kept: KeptBatch) -> bool:
        rows = [("BATCH_CHECKS", check_row(kept)), ("DATA_QUALITY", quality_row(kept))]
        self.writer.make_sure_of("BATCH_CHECKS", "DATA_QUALITY")
        return self.writer.write_once(rows, "pipeline_name", "batch_id")

    def batch_reports(self, pipeline: str, since: datetime, until: datetime) -> list[BatchReport]:
        layout = self._layout()
        if layout is None:
            return []
        query = exp.select(layout.text("report"), exp.alias_(layout.micros(), "moment"))
        query = self.between(query.from_(layout.table.copy()), layout)
        query = query.where(matching(layout, "pipeline_name")).order_by("moment").limit(MOST)
        bound = {"p_pipeline_name": pipeline, "p_since": told(since), "p_until": told(until)}
        return [BatchReport.model_validate_json(row[0]) for row in self.ask(query, dict(bound))]

    def known_batches(self, pipeline: str) -> set[str]:
        return {str(row[0]) for row in self._of(pipeline, "file")}

    def batches_since(self, pipeline: str) -> datetime | None:
        layout = self._layout()
        if layout is None:
            return None
        query = exp.select(exp.func("MIN", layout.micros("checked_at")))
        query = query.from_(layout.table.copy()).where(matching(layout, "pipeline_name"))
        rows = self.ask(query, {"p_pipeline_name": pipeline})
        return moment_of(rows[0][0]) if rows and rows[0][0] is not None else None

    def _of(self, pipeline: str, column: str) -> Rows:
        layout = self._layout()
        if layout is None:
            return []
        query = exp.select(layout.text(column)).from_(layout.table.copy())
        query = query.where(matching(layout, "pipeline_name")).limit(MOST)
        return self.ask(query, {"p_pipeline_name": pipeline})

    def _layout(self) -> Layout | None:
        """None while the table is not there yet: no batch was ever checked."""
        try:
            return self.layouts.of("BATCH_CHECKS")
        except NotEnoughDataError:
            return None
