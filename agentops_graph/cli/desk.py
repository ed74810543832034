"""What every command starts with: the data folder, the person, the options, and how it fails."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

from agentops_graph.errors import AgentOpsError, InputError

if TYPE_CHECKING:
    from agentops_graph.cli.counter import Counter
    from agentops_graph.settings import Settings

# Typer exports this one's children only.
UsageError: Any = typer.BadParameter.__base__
STOPPED = 130  # as a shell says of a process ended by Ctrl-C
LONGEST_NAME = 200
LONGEST_TEXT = 2000

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON to standard output, only that.")]
NoRun = Annotated[
    bool, typer.Option("--no-run", help="Only write it down; a runner carries it out later.")
]
As = Annotated[
    str | None,
    typer.Option("--as", metavar="NAME", help="Whose word it is, where no token says so."),
]


class Commands(typer.core.TyperGroup):
    """A group of commands whose failures are one line on standard error and an exit code."""

    def main(
        self,
        args: Any = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """A command line that can't be understood is one line, too, not a box of them."""

        def run() -> Any:
            return super(Commands, self).main(
                args, prog_name, complete_var, False, windows_expand_args, **extra
            )

        if not standalone_mode:
            return run()
        try:
            code = run()
        except UsageError as error:
            _say_usage(error)
            code = error.exit_code
        except typer.Abort:
            code = STOPPED
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: Any) -> Any:
        from pydantic import ValidationError

        from agentops_graph.cli.screen import complain

        try:
            return super().invoke(ctx)
        except AgentOpsError as error:
            complain(error)
            raise typer.Exit(error.exit_code) from None
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(str(part) for part in problem["loc"])
            complain(f"{where}: {problem['msg']}")
            raise typer.Exit(InputError.exit_code) from None


def _say_usage(error: Any) -> None:
    from agentops_graph.cli.screen import complain

    message = error.format_message()
    if message:  # without arguments the help was shown instead
        command = error.ctx.command_path if error.ctx else "agentops"
        complain(f"{message.rstrip('.')}; see `{command} --help`")


def settings(ctx: typer.Context) -> "Settings":
    """The environment, with `--home` and `--token-file` on top."""
    from agentops_graph.settings import read_settings

    given: dict[str, Any] = {"home": home_of(ctx), "token": _token_in_file(ctx)}
    return read_settings(**{name: value for name, value in given.items() if value is not None})


def _token_in_file(ctx: typer.Context) -> str | None:
    path: Path | None = (ctx.find_root().params or {}).get("token_file")
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} can't be read: {error}", field="--token-file") from None


def home_of(ctx: typer.Context) -> Path | None:
    """The folder given with `--home`, or None."""
    return (ctx.find_root().params or {}).get("home")


def workshop(ctx: typer.Context) -> "Counter":
    """The data folder this command works on; its service asks for a token once there is one."""
    from agentops_graph.cli.counter import Counter

    return Counter(settings(ctx))


def acting(ctx: typer.Context) -> "Counter":
    """The same for a command that has incidents diagnosed; InputError when a prompt is not the
    pinned one, before anything is measured or opened."""
    from agentops_graph.bootstrap.reasoners import hold_pins

    found = workshop(ctx)
    hold_pins(found.settings)
    return found


def person(name: str | None) -> str:
    """Who says that they speak: `--as`, or the login name; with a token it is the token's name."""
    if name is None:
        from agentops_graph.access.authentication import login_name

        return login_name()
    if not name.strip() or len(name) > LONGEST_NAME:
        raise InputError(f"a name has 1 to {LONGEST_NAME} characters", field="--as")
    return name.strip()


def sentence(text: str | None, option: str, why: str) -> str:
    """A text a person has to give; InputError says what it is for."""
    if not (text or "").strip():
        raise InputError(why, field=option)
    if len(text or "") > LONGEST_TEXT:
        raise InputError(f"at most {LONGEST_TEXT} characters", field=option)
    return (text or "").strip()
