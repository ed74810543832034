"""The loading commands of the warehouse's page, run in its order on small files."""

import json
import re
import shlex
from pathlib import Path

from typer.testing import CliRunner

from agentops_graph.cli.__main__ import app

PAGE = (Path(__file__).parent.parent / "docs" / "warehouse.md").read_text(encoding="utf-8")
AT = "2026-03-01T12:00:00Z"
QUALITY = "timestamp,pipeline_name,record_count\n"
FILES = {
    "predictions.csv": "timestamp,prediction_id,model_name,features,prediction\n"
    f"{AT},p1,churn,{{}},1\n",
    "batches.jsonl": json.dumps({"timestamp": AT, "pipeline_name": "feed"}) + "\n",
    "labels.csv": "prediction_id,actual_label\np1,1\n",
    "scores.csv": f"row,ts,id,amount,V1,score\n1,{AT},p2,12.5,3,0\n",
    "metrics.csv": f"timestamp,model_name,mae\n{AT},price,3.5\n",
    "batches-2.csv": f"{QUALITY}{AT},feed,many\n{AT},feed,200\n",
}


def test_commands_of_the_page_work_in_its_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).write_text(text, encoding="utf-8")
    part = PAGE.partition("## Loading rows")[2].partition("## Tables")[0]
    lines = re.findall(r"^\$ agentops (.+)$", part, re.M)
    assert len(lines) == 11
    for line in lines:
        if line == "ingest quality mend.jsonl":
            mended = Path("mend.jsonl").read_text().replace('"many"', "250")
            Path("mend.jsonl").write_text(mended)
        result = CliRunner().invoke(app, ["--home", str(tmp_path / "home"), *shlex.split(line)])
        expected = 1 if "batches-2.csv" in line else 0
        assert result.exit_code == expected, (line, result.output)
    result = CliRunner().invoke(app, ["--home", str(tmp_path / "home"), "ingest", "quarantine"])
    assert result.stdout.startswith("0 rows in quarantine, 7 loads")
