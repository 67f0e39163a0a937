"""The entry point: every way to end, each with its exit code and one line that says why."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from importlib import import_module

import click
import pytest
from processes import RunCli

import wakeword
from wakeword.cli import main as entry
from wakeword.cli.group import COMMANDS, cli
from wakeword.errors import AudioError


@pytest.fixture
def ends_with(monkeypatch, capfd):
    """Run ``main`` with a command that raises, and return exit code and stderr."""

    def run(error: BaseException) -> tuple[int, str]:
        def fail(_: object) -> int:
            raise error

        monkeypatch.setattr(entry, "run", fail)
        with pytest.raises(SystemExit) as ended:
            entry.main([])
        return int(ended.value.code or 0), capfd.readouterr().err

    return run


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (AudioError("a.wav: is empty"), 2, "error: a.wav: is empty\n"),
        (OSError(errno.ENOSPC, "No space left on device", "out.csv"), 2,
         "error: out.csv: No space left on device\n"),
        (PermissionError(errno.EACCES, "Permission denied"), 2, "error: Permission denied\n"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 1, ""),
    ],
)  # fmt: skip
def test_failures_become_exit_codes(ends_with, error, code, said):
    assert ends_with(error) == (code, said)


def test_ctrl_c_inside_a_native_library_is_still_ctrl_c(ends_with):
    """As pybind11 does it where a Ctrl-C arrives while a module of its kind is imported."""
    error = ImportError("initialization failed")
    error.__cause__ = KeyboardInterrupt()
    assert ends_with(error) == (130, "")


def test_a_bug_is_not_hidden(ends_with):
    with pytest.raises(ZeroDivisionError):
        ends_with(ZeroDivisionError())


def test_version_and_help(run_cli: RunCli):
    assert run_cli("--version").stdout == f"wakeword {wakeword.__version__}\n"
    for arguments in (["--help"], ["-h"]):
        done = run_cli(*arguments)
        assert done.returncode == 0
        for name, (_, line) in COMMANDS.items():
            assert f"  {name} " in done.stdout
            assert line.split()[0] in done.stdout
        assert "Examples:" in done.stdout


def test_no_command_shows_the_help_and_fails(run_cli: RunCli):
    done = run_cli()
    assert (done.returncode, done.stdout) == (2, "")
    assert "Commands:" in done.stderr


def test_an_unknown_command_is_answered_with_those_that_exist(run_cli: RunCli):
    done = run_cli("lisen")
    assert done.returncode == 2
    assert done.stderr.endswith(f"no such command 'lisen'; there are: {', '.join(COMMANDS)}\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_in_the_table_exists_and_shows_examples(name):
    where, line = COMMANDS[name]
    module, _, attribute = where.partition(":")
    command = getattr(import_module(module), attribute)
    assert isinstance(command, click.Command)
    assert command.help
    assert line.endswith(".")
    assert cli.get_command(click.Context(cli), name) is command
    if not isinstance(command, click.Group):
        assert "Examples:" in (command.epilog or command.help)


def test_help_imports_no_command():
    code = (
        "import sys\nfrom wakeword.cli.main import run\nrun(['--help'])\n"
        "loaded = {m for m in sys.modules if m.startswith('wakeword.cli.')}\n"
        "assert loaded == {'wakeword.cli.main', 'wakeword.cli.group'}, loaded\n"
        "assert not {'torch', 'sounddevice', 'soundfile'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize("package", ["click", "rich"])
def test_without_the_cli_extra_the_message_says_what_to_install(package):
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from wakeword.cli.main import main; main(['--help'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: the command line needs the package '{package}': pip install 'wakeword[cli]'\n"
    )


@pytest.mark.skipif(os.name == "nt", reason="pipes break differently on Windows")
def test_a_reader_that_is_gone_ends_it_quietly():
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([sys.executable, "-m", "wakeword", "--version"], stdout=writer,
                          stderr=subprocess.PIPE)  # fmt: skip
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_output_that_does_not_fit_is_an_error():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([sys.executable, "-m", "wakeword", "--version"], stdout=full,
                              stderr=subprocess.PIPE)  # fmt: skip
    assert (done.returncode, done.stderr) == (2, b"error: No space left on device\n")
