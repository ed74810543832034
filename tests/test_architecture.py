"""The shape of the package: layers, sizes, and what may not stand in the code."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "agentops_graph").rglob("*.py"))
HEAVY = ("mlflow", "chromadb", "langgraph", "sklearn", "pandas", "sqlalchemy", "fastapi")
LINES_PER_FILE = 300


def run(code):
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300
    )


def test_imports_point_one_way():
    code = (
        "from importlinter.cli import lint_imports\n"
        "raise SystemExit(lint_imports(no_cache=True, no_logo=True))"
    )
    outcome = run(code)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


# They run other people's code or nodes, write down what went wrong, and hand it to a person.
OUTERMOST_LOOPS = (
    "agentops_graph/runner.py",
    "agentops_graph/patrol.py",
    "agentops_graph/jobs/__main__.py",
    "agentops_graph/gathering/gather.py",  # one faulty gatherer is one failed piece of evidence
)


@pytest.mark.parametrize("module", ["agentops_graph", "agentops_graph.cli.__main__"])
def test_starting_up_loads_no_heavy_library(module):
    code = (
        f"import sys, {module}\nprint(' '.join(name for name in {HEAVY!r} if name in sys.modules))"
    )
    outcome = run(code)
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.split() == []


def test_files_are_small_enough_to_hold():
    lengths = {f.relative_to(ROOT): len(f.read_text("utf-8").splitlines()) for f in FILES}
    assert {f: n for f, n in lengths.items() if n > LINES_PER_FILE} == {}


def test_every_file_says_what_it_is_for():
    silent = [f for f in FILES if f.read_text("utf-8").strip() and not ast.get_docstring(parsed(f))]
    assert [str(f.relative_to(ROOT)) for f in silent] == []


def test_only_outermost_loops_catch_everything():
    found = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in FILES
        if file.relative_to(ROOT).as_posix() not in OUTERMOST_LOOPS
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.ExceptHandler) and swallows_everything(node)
    ]
    assert found == []


def test_no_interrupt_stands_inside_a_try():
    # LangGraph pauses by raising: a try around it could swallow the pause.
    found = [
        f"{file.relative_to(ROOT)}:{call.lineno}"
        for file in FILES
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.Try | ast.TryStar)
        for statement in node.body
        for call in ast.walk(statement)
        if isinstance(call, ast.Call) and name_of(call.func) == "interrupt"
    ]
    assert found == []


@pytest.mark.parametrize(
    ("code", "is_broad"),
    [
        ("except Exception: pass", True),
        ("except (ValueError, BaseException): pass", True),
        ("except builtins.Exception: pass", True),
        ("except: pass", True),
        ("except BaseException: rollback(); raise", False),
        ("except Exception as error: raise ValueError from error", True),
        ("except (ValueError, OSError): pass", False),
    ],
)
def test_broad_excepts_are_recognised(code, is_broad):
    statement = ast.parse(f"try: work()\n{code}").body[0]
    assert swallows_everything(statement.handlers[0]) is is_broad


def parsed(file):
    return ast.parse(file.read_text("utf-8"), str(file))


def swallows_everything(handler):
    """Catches any exception and does not raise that same one again."""
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    last = handler.body[-1]
    passes_on = isinstance(last, ast.Raise) and last.exc is None
    return not passes_on and any(
        kind is None or name_of(kind) in ("Exception", "BaseException") for kind in caught
    )


def name_of(node):
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)
