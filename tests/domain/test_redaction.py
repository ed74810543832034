"""Credentials do not leave."""

import time

import pytest

from agentops_graph.domain.redaction import DROPPED, TOO_DEEP, redacted, redacted_within


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


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: token Qzleak12345",
        "Authorization: ApiKey Qzleak12345",
        'Authorization: Digest username="u", response="Qzleak12345", qop=auth',
        '{"log": "Authorization: Digest username=\\"u\\", response=\\"Qzleak12345\\""}',
        "{'Authorization': 'Custom Qzleak12345 more'}",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\nQzleak\n-----END PGP PRIVATE KEY BLOCK-----",
        "password: |\n  Qzleak1\n\n  Qzleak2\nnext: 1",
        "  password: >-\n    Qzleak1",
        "password=b'Qzleak w'",
        "AccountName=x;AccountKey=Qzleak12345==;EndpointSuffix=core",
        "https://x.example/c?sv=2022&sig=Qzleak%2Bdef123456",
        "https://Qzleak1234567890@github.example/x.git",
        "npm_Qzleak012345678901234567890123456789",
        "pypi-AgEIcHlwaQzleak0123456789",
        "SG.Qzleak0123456789abcdef.Qzleak0123456789abcdef",
        "sk_live_Qzleak0123456789",
        "ya29.Qzleak0123456789abcdefghij",
        "AGENTOPS_ENCRYPTION_KEY=Qzleak12345",
        "AGENTOPS_AUDIT_KEY='Qzleak 12345'",
    ],
)
def test_forms_of_other_services_are_known(text):
    assert "Qzleak" not in redacted(text)
    assert DROPPED in redacted(text)


def test_what_comes_after_a_block_or_a_header_stays():
    assert redacted("password: |\n  Qz\nnext: 1").endswith("\nnext: 1")
    assert redacted("Authorization: token Qz\nHost: db").endswith("\nHost: db")
    assert redacted("'Authorization: token Qz' next") == f"'Authorization: {DROPPED}' next"


@pytest.mark.parametrize(
    "document",
    [
        {"password": ["Qzleak"]},
        {"password": ("Qzleak",)},
        {"credentials": {"user": "mia", "value": "Qzleak"}},
        {"db_pwd": "Qzleak"},
        {"in": [{"password": 12345678}]},
    ],
)
def test_whatever_stands_under_a_secrets_name_is_dropped(document):
    shown = str(redacted_within(document))
    assert "Qzleak" not in shown
    assert "12345678" not in shown
    assert DROPPED in shown


def test_counts_and_blanks_under_such_a_name_stay():
    kept = {"token": 512, "tokens": 3, "password": None, "secret": False, "has_token": True}
    assert redacted_within(kept | {"password_age": 2, "passphrase": 0.25}) == kept | {
        "password_age": 2,
        "passphrase": 0.25,
    }


@pytest.mark.parametrize(
    "text",
    [
        "password: |\n" * 5000,
        "password: |\n  " + "\n" * 30000,
        "authorization:" * 5000,
        'authorization: x="' * 5000,
        "http://" + "a" * 60000,
        "http://" * 10000,
        "sig=" * 20000,
        "accountkey=b" * 10000,
        "npm_sg.ya29." * 5000,
    ],
)
def test_no_text_takes_long(text):
    started = time.perf_counter()
    redacted(text)
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize("levels", [300, 900])
@pytest.mark.parametrize("around", [lambda v: {"a": v}, lambda v: [v], lambda v: (v,)])
def test_document_that_nests_without_end_is_cut_where_none_of_ours_goes(levels, around):
    document = "password=hunter22"
    for _ in range(levels):
        document = around(document)
    told = repr(redacted_within(document))
    assert TOO_DEEP in told
    assert "hunter22" not in told
    assert redacted_within({"a": [{"b": "password=hunter22"}]}) == {
        "a": [{"b": f"password={DROPPED}"}]
    }


@pytest.mark.parametrize(
    "text", ["password=hunter2 failed", '{"api_key": "abcdef"}', "(secret: x1y2z3)", "token=abc,b"]
)
def test_text_that_was_redacted_before_stays_as_it_is(text):
    once = redacted(text)
    assert DROPPED in once
    assert redacted(once) == once
