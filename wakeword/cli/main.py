"""Entry point of the command line: runs a command and turns every failure into an exit code.

0: done. 2: the command was refused or failed, ``error: ...`` says why. 130: Ctrl-C.
1: the other side has gone: whoever read the output (``| head``), as click ends it too, or a
service, which is said as an error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from wakeword.errors import ConnectionLostError, MissingExtraError, WakewordError

FAILED, INTERRUPTED, OUTPUT_CLOSED, SERVICE_LOST = 2, 130, 1, 1


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``wakeword`` with ``arguments`` (by default the process's own) and exit."""
    code = FAILED
    try:
        code = run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:
        code = _failed(error)
    _silence_closed_stdout()
    if code == INTERRUPTED:
        _forget_interrupt()
    sys.exit(code)


def _failed(error: Exception) -> int:
    """Say what failed and return the exit code; what was not raised on purpose is raised on."""
    if _is_ctrl_c(error):
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        return OUTPUT_CLOSED
    if not isinstance(error, WakewordError | OSError):
        raise error
    _say(str(error) if isinstance(error, WakewordError) else _os_message(error))
    return SERVICE_LOST if isinstance(error, ConnectionLostError) else FAILED


def _is_ctrl_c(error: BaseException | None) -> bool:
    """Whether a Ctrl-C is behind it: inside native code one becomes another error on its way."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _forget_interrupt() -> None:
    """Clear Python's mark that a Ctrl-C is unhandled, which would end it by a signal, not by 130.

    One that interrupts an ``exec`` of text (``dataclass`` and ``namedtuple`` write their methods
    so) leaves the mark behind even if it is caught; under ``python -m`` nothing but the next such
    ``exec`` takes it away (``run_eval_code_obj`` of CPython's ``pythonrun.c``).
    """
    exec("")


def run(arguments: Sequence[str] | None) -> int:
    """Run a command and return its exit code; usage errors are said here."""
    try:
        import click
        import rich  # noqa: F401 - checked here, so that no command fails half way
    except ImportError as error:
        raise MissingExtraError(str(error.name), "cli", "the command line") from error
    from wakeword.cli.group import cli

    try:
        result = cli.main(arguments, prog_name="wakeword", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message(), file=sys.stderr)
        return error.exit_code
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        if context is not None:
            print(context.get_usage(), file=sys.stderr)
            print(f"Try '{context.command_path} --help' for help.\n", file=sys.stderr)
        _say(error.format_message())
        return FAILED
    except click.Abort:
        raise KeyboardInterrupt from None
    return result if isinstance(result, int) else 0


def _say(message: str) -> None:
    with suppress(OSError):
        print(f"error: {message}", file=sys.stderr)


def _os_message(error: OSError) -> str:
    where = error.filename2 or error.filename
    reason = error.strerror or str(error) or type(error).__name__
    return f"{os.fsdecode(where)}: {reason}" if isinstance(where, str | bytes) else reason


def _silence_closed_stdout() -> None:
    """Point a stdout that cannot be written at nothing, or Python complains when it ends."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
