"""Servers as processes of their own: started on a free port, measured from outside, ended."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from wakeword.errors import WakewordError

HOST = "127.0.0.1"
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0
FILES = 65_536
"""Sockets that this process and the servers would like to open, where the system lets them."""

_TICKS = os.sysconf("SC_CLK_TCK")


class ServerError(WakewordError):
    """A server did not start."""


class Usage(NamedTuple):
    """What a process has used: seconds of CPU so far, resident memory now and at most, files."""

    cpu_s: float
    rss_bytes: int
    peak_rss_bytes: int
    open_files: int


class Running(NamedTuple):
    """A server that accepts connections; pid None where it is not ours."""

    address: tuple[str, int]
    pid: int | None
    log: Path | None


@contextmanager
def running(command: Sequence[str], environment: Mapping[str, str], port: int) -> Iterator[Running]:
    """Run a server until the block ends; its output goes to a log that is shown if it fails.

    Raises
    ------
    ServerError
        It ended, or does not accept connections within a minute.
    """
    allow_many_files()
    with tempfile.TemporaryDirectory(prefix="wakeword-bench-") as folder:
        log = Path(folder) / "log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                command, env={**os.environ, **environment}, cwd=folder,
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            _wait_for_port(process, port, log)
            yield Running((HOST, port), process.pid, log)
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, and make it where it does not."""
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def wakeword_server(
    port: int, state: Path, streams: int, settings: Mapping[str, str] | None = None
) -> tuple[list[str], dict[str, str]]:
    """Command and environment of ``wakeword serve`` with its defaults, for so many streams."""
    chosen = {
        "HOST": HOST, "PORT": str(port), "STATE_DIR": str(state), "MAX_STREAMS": str(streams),
        "MAX_STREAMS_PER_KEY": str(streams), **(settings or {}),
    }  # fmt: skip
    environment = {f"WAKEWORD_SERVICE_{name}": value for name, value in chosen.items()}
    return [sys.executable, "-m", "wakeword", "serve"], environment


def microwakeword_server(port: int) -> tuple[list[str], dict[str, str]]:
    """The server around pymicro-wakeword."""
    folder = Path(__file__).resolve().parent
    return [sys.executable, str(folder / "microserver.py"), "--port", str(port)], {}


def wyoming_server(port: int, python: Path, word: str) -> tuple[list[str], dict[str, str]]:
    """wyoming-openwakeword as its own page says to start it."""
    command = [str(python), "-W", "ignore", "-m", "wyoming_openwakeword"]
    return [*command, "--uri", f"tcp://{HOST}:{port}", "--preload-model", word], {}


def usage(pid: int) -> Usage:
    """What process ``pid`` and those that it started use, with their threads, all together."""
    parts = [_usage(each) for each in (pid, *_children(pid))]
    return Usage(*(sum(values) for values in zip(*parts, strict=True)))


def _children(pid: int) -> list[int]:
    """Processes that ``pid`` has started, or that those have, and that still run."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(entry.parent.name)] = int(_fields(entry)[1])
    direct = [child for child, parent in parents.items() if parent == pid]
    return [each for child in direct for each in (child, *_children(child))]


def _fields(stat: Path) -> list[str]:
    """What follows the name of the process, which may hold anything."""
    return stat.read_text("utf-8").rpartition(")")[2].split()


def _usage(pid: int) -> tuple[float, int, int, int]:
    fields = _fields(Path(f"/proc/{pid}/stat"))
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    files = len(os.listdir(f"/proc/{pid}/fd"))
    kib = {name: int(lines[name].split()[0]) for name in ("VmRSS", "VmHWM")}
    cpu_s = (int(fields[11]) + int(fields[12])) / _TICKS
    return cpu_s, 1024 * kib["VmRSS"], 1024 * kib["VmHWM"], files


def machine_busy_s() -> float:
    """Seconds of CPU that everything on this machine has used so far."""
    first = Path("/proc/stat").read_text("utf-8").splitlines()[0].split()[1:]
    user, nice, system, _idle, _wait, irq, softirq = map(int, first[:7])
    return (user + nice + system + irq + softirq) / _TICKS


def allow_many_files() -> None:
    """Raise the soft limit of open files; children inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _wait_for_port(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection((HOST, port), timeout=1.0):
            return
        time.sleep(0.1)
    why = f"ended with {process.returncode}" if process.poll() is not None else "does not answer"
    raise ServerError(f"the server {why}:\n{log.read_text('utf-8', 'replace')[-2_000:]}")
