"""Small runbooks and reports, written into a folder."""

DRIFT = """---
title: Model drift
serves: [model_drift, accuracy_drop]
causes:
  - cause: upstream_schema_change
    title: The feed changed
    section: "3.2"
    prior: 0.3
    signals:
      - {signal: few_features_drifted, seen: 1.5, absent: 0.8}
    actions:
      - {action: send_slack_alert, priority: 1}
---
# Model drift

## 3. Causes

### 3.2 Usual causes

A schema change in the vendor feed scales a feature.

## 4. Remediation

Retrain on rows after the onset.
"""
LATENCY = """---
title: Latency spike
serves: [latency]
---
# Latency spike

## 1. First look

Compare p99 latency with the schema of the batch size.
"""


def report(
    incident_id, alert_type="model_drift", confirmed="true", text="The vendor feed drifted."
):
    return (
        f"---\nincident_id: {incident_id}\ntitle: {incident_id} happened\n"
        f"alert_type: {alert_type}\nroot_cause: upstream_schema_change\n"
        f"confirmed: {confirmed}\n---\n"
        f"# {incident_id}\n\n## 1. Summary\n\n{text}\n\n## 2. Vendor feed\n\n{text}\n"
    )


def write_documents(runbooks):
    """Two runbooks and two reports; returns the folder."""
    (runbooks / "incidents").mkdir(parents=True)
    (runbooks / "model_drift.md").write_text(DRIFT)
    (runbooks / "latency_spike.md").write_text(LATENCY)
    for number in (1, 2):
        name = f"INC-2026-000{number}"
        (runbooks / "incidents" / f"{name}.md").write_text(report(name))
    return runbooks
