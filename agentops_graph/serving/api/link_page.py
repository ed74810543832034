"""The pages behind a one-time link: plain HTML, made here, without a script or anything loaded."""

import base64
import hashlib
from html import escape

from fastapi.responses import HTMLResponse

from agentops_graph.chat.talk import shown
from agentops_graph.domain.approval import Approval, shown_lines
from agentops_graph.service import Decided

STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}"
    "th{text-align:left;padding-right:1rem;vertical-align:top}td{overflow-wrap:anywhere}"
    "form{margin:1.5rem 0}button{font:inherit;padding:.5rem 1.5rem}"
    "input{font:inherit;width:100%;box-sizing:border-box;margin:.5rem 0}small{color:#555}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


def page_of(approval: Approval, name: str, view: str) -> HTMLResponse:
    """What is asked, rendered from the bytes that the digest is of, with a form for each answer."""
    rows = "".join(
        f"<tr><th>{escape(label)}</th><td>{escape(shown(text))}</td></tr>"
        for label, text in shown_lines(approval.proposal.canonical())
    )
    notes = "".join(f"<li>{escape(shown(note))}</li>" for note in approval.notes)
    body = (
        f"<p>{escape(approval.approval_id)} of {escape(approval.proposal.incident_id)} is "
        f"<strong>{escape(approval.status)}</strong>. Asked because: "
        f"{escape(shown(approval.policy_reason))}.</p><table>{rows}</table><ul>{notes}</ul>"
        f"<p><small>digest {escape(approval.digest)}</small></p>"
    )
    if approval.status == "pending":
        body += _forms(approval, name, view)
    return _page(f"Approve {approval.proposal.action.action}?", body)


def _forms(approval: Approval, name: str, view: str) -> str:
    hidden = (
        f'<input type="hidden" name="digest" value="{escape(approval.digest)}">'
        f'<input type="hidden" name="view" value="{escape(view)}">'
    )
    return (
        f"<p>You decide as <strong>{escape(shown(name))}</strong>, once; until "
        f"{approval.expires_at:%Y-%m-%d %H:%M} UTC.</p>"
        f'<form method="post">{hidden}'
        '<button name="verdict" value="approve">Approve</button></form>'
        f'<form method="post">{hidden}<label>Reason, for the next person'
        '<input name="reason" required maxlength="2000"></label>'
        '<button name="verdict" value="reject">Reject</button></form>'
    )


def decided_page(decided: Decided) -> HTMLResponse:
    held = decided.approval
    hint = f"<p>{escape(decided.hint)}</p>" if decided.hint else ""
    said = f"<p>{escape(held.approval_id)} is <strong>{escape(held.status)}</strong>.</p>{hint}"
    return _page("Your answer is written down", said)


def past_page(held: Approval, status: int) -> HTMLResponse:
    """Of an approval on which nobody can decide any more."""
    what = f"{escape(held.approval_id)} of {escape(held.proposal.incident_id)}"
    after = f" {escape(held.superseded_by)} took its place." if held.superseded_by else ""
    said = f"<p>{what} was <strong>{escape(held.status)}</strong> already.{after}</p>"
    return _page("There is nothing left to decide", said, status)


def dead_page(status: int) -> HTMLResponse:
    said = "<p>It was used, was taken back, has expired or never was. Ask for another one.</p>"
    return _page("This link leads nowhere", said, status)


def refused_page(status: int, why: str) -> HTMLResponse:
    return _page("Nothing was decided", f"<p>{escape(why)}</p>", status)


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    document = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><h1>{escape(title)}</h1>{body}</body></html>"
    )
    return HTMLResponse(document, status_code=status, headers=HEADERS)
