"""``--exec``: run a program on each detection, without a shell and without waiting for it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping

import click

from wakeword.cli.options import note, say_error
from wakeword.runtime import Detection

MAX_RUNNING = 4
"""Programs at a time; a detection that would start one more is reported and starts none."""


class Action:
    """A command line that is run for each detection.

    It is split into arguments once. In each of them ``{keyword}``, ``{score}``, ``{threshold}``,
    ``{start_s}``, ``{end_s}`` and ``{model}`` are replaced; since no shell sees them, they stay
    one argument whatever they hold. The same values are in the environment as
    ``WAKEWORD_KEYWORD``, ``WAKEWORD_SCORE`` and so on. The program's output goes to stderr.

    Raises
    ------
    click.BadParameter
        The command is empty, has an open quote, or its program does not exist.
    """

    def __init__(self, command: str) -> None:
        try:
            self._arguments = _split(command)
        except ValueError as error:
            raise click.BadParameter(f"--exec: {error}: {command}") from error
        if not self._arguments:
            raise click.BadParameter("--exec: the command is empty")
        if "{" not in self._arguments[0] and shutil.which(self._arguments[0]) is None:
            raise click.BadParameter(f"--exec: there is no program '{self._arguments[0]}'")
        self._running: list[tuple[subprocess.Popen[bytes], str]] = []

    def start(self, detection: Detection) -> None:
        """Start the program for ``detection``; what goes wrong is said on stderr."""
        self.reap()
        if len(self._running) >= MAX_RUNNING:
            say_error(f"--exec: not run for '{detection.keyword}', {MAX_RUNNING} still run")
            return
        values = _values(detection)
        try:
            program = subprocess.Popen(
                [_fill(argument, values) for argument in self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=_stderr_descriptor(),
                env={**os.environ, **{f"WAKEWORD_{k.upper()}": v for k, v in values.items()}},
                # Ctrl-C ends the listening, not what was started.
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            say_error(f"--exec: cannot run '{self._arguments[0]}': {error}")
            return
        self._running.append((program, detection.keyword))

    def reap(self) -> None:
        """Report programs that ended badly."""
        for program, keyword in list(self._running):
            code = program.poll()
            if code is None:
                continue
            self._running.remove((program, keyword))
            if code:
                how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
                say_error(f"--exec: '{self._arguments[0]}' for '{keyword}' {how}")

    def finish(self, wait_s: float = 1.0) -> None:
        """Give running programs a moment to end, and say how many are left to themselves."""
        for program, _ in self._running:
            try:
                program.wait(wait_s / len(self._running))
            except subprocess.TimeoutExpired:
                continue
        self.reap()
        if self._running:
            note(f"--exec: {len(self._running)} still running")


def _split(command: str) -> list[str]:
    if os.name != "nt":
        return shlex.split(command)
    return [argument.strip('"') for argument in shlex.split(command, posix=False)]


def _values(detection: Detection) -> Mapping[str, str]:
    return {
        "keyword": detection.keyword,
        "score": f"{detection.score:.4f}",
        "threshold": f"{detection.threshold:.4f}",
        "start_s": f"{detection.start_s:.2f}",
        "end_s": f"{detection.end_s:.2f}",
        "model": detection.model,
    }


def _fill(argument: str, values: Mapping[str, str]) -> str:
    # One pass, so that a value is never searched for placeholders; other braces stay.
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), argument)


def _stderr_descriptor() -> int | None:
    """The real stderr, also while a live display stands in for it."""
    try:
        return sys.__stderr__.fileno() if sys.__stderr__ else subprocess.DEVNULL
    except (OSError, ValueError):
        return subprocess.DEVNULL
