"""Credentials do not leave."""

import pytest

from agentops_graph.domain.redaction import DROPPED, redacted


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-123456789012-abcdefGHIJKL",
        "ghp_0123456789abcdefABCDEF",
        "github_pat_0123456789abcdefABCD",
        "AKIAABCDEFGHIJKLMNOP",
        "sk-proj-0123456789abcdef",
        "eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_a_credential_is_dropped_and_its_surroundings_stay(secret):
    assert redacted(f"before {secret} after") == f"before {DROPPED} after"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Authorization: Bearer abcdef123456", f"Authorization: Bearer {DROPPED}"),
        ("password=hunter22 next", f"password={DROPPED} next"),
        ('{"db_password": "a b", "x": 1}', f'{{"db_password": {DROPPED}, "x": 1}}'),
        ("AWS_SECRET_ACCESS_KEY=abc/def", f"AWS_SECRET_ACCESS_KEY={DROPPED}"),
        ("postgresql://mia:hunter22@db/x", f"postgresql://{DROPPED}@db/x"),
    ],
)
def test_a_named_credential_loses_its_value(text, left):
    assert redacted(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "V14 PSI 0.81, F1 0.93 -> 0.87 over 3,600 rows",
        "input_token_count 512, tokens_per_request 40",
        "the basic idea of the runbook",
        "inc-2026-0115 model_drift.md#section-3-2",
    ],
)
def test_plain_text_is_left_alone(text):
    assert redacted(text) == text
