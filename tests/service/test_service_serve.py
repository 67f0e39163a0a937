"""``wakeword serve`` as its own process: how it starts, refuses to start, and goes."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from bundles import with_bursts
from inprocess import run
from live_server import START, Heard, client, offline, pcm
from processes import cli_command, cli_environment

SERVE = ("serve", "--port", "0")
UVICORN = "import sys, uvicorn; sys.argv[0] = 'uvicorn'; uvicorn.main()"


@contextmanager
def serving(*command: str, log: Path, **env: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A running server and its address, from the log line that tells it."""
    with open(log, "wb") as out:
        process = subprocess.Popen(command, stderr=out, stdout=out, env=cli_environment(env))
    try:
        yield process, wait_for_address(process, log)
    finally:
        process.kill()
        process.wait()


def wait_for_address(process: subprocess.Popen[bytes], log: Path) -> str:
    while True:
        for line in log.read_text().splitlines():
            if '"listening"' in line:
                return str(json.loads(line)["url"]).removeprefix("http://")
            if "Uvicorn running on" in line:
                return line.split("http://")[1].split(" ")[0]
        assert process.poll() is None, log.read_text()


async def cut_short(address: str, process: subprocess.Popen[bytes], number: int) -> list[Heard]:
    """Two streams are told to go by a signal; one has heard a word, one has sent nothing."""
    url = f"ws://{address}/v1/stream"
    async with (
        client(url, {**START, "acks": True}) as one,
        client(url) as two,
        client(url, {}) as silent,
    ):
        await one.wait_for("ready")
        await two.wait_for("ready")
        await one.send(pcm(with_bursts(3.0, [(0.5, "low tone"), (2.55, "low tone")])))
        await one.wait_for("ack")
        process.send_signal(number)
        return [await one.closed(), await two.closed(), await silent.closed()]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("how", ["wakeword serve", "uvicorn"])
def test_a_signal_ends_every_stream_with_a_summary(
    tmp_path: Path, tiny_bundle: Path, how: str, number: int
) -> None:
    state, log = tmp_path / "state", tmp_path / "log"
    if how == "uvicorn":
        command = (sys.executable, "-c", UVICORN, "--factory", "wakeword_service.app:create_app",
                   "--port", "0", "--log-level", "info")  # fmt: skip
    else:
        command = tuple(cli_command(*SERVE, "--log-level", "info"))
    env = {"WAKEWORD_SERVICE_MODELS": str(tiny_bundle), "WAKEWORD_SERVICE_STATE_DIR": str(state)}
    with serving(*command, log=log, **env) as (process, address):
        one, two, silent = asyncio.run(cut_short(address, process, number))
        process.wait(20)
    for heard in (one, two):
        assert heard.summary["reason"] == "shutdown" and heard.close_code == 1012
        assert not heard.of("error")
    assert one.summary["detections"] == {"low tone": len(one.detections)}
    assert one.of("ack")[-1]["samples"] <= one.summary["samples"] == 48_000
    assert two.summary["samples"] == 0
    assert (silent.error["code"], silent.close_code) == ("restarting", 1012)
    assert "Traceback" not in log.read_text()
    assert process.returncode in (-number, 130, 0)  # uvicorn itself calls Ctrl-C a success


def test_it_serves_until_told_to_go(tmp_path: Path, tiny_bundle: Path) -> None:
    command = cli_command(*SERVE, "--state-dir", tmp_path / "state", "--model", tiny_bundle)
    with serving(*command, log=tmp_path / "log") as (_, address):
        assert httpx.get(f"http://{address}/healthz").json() == {"status": "ok"}
        assert httpx.get(f"http://{address}/readyz").json() == {"status": "ok"}
        sound = with_bursts(1.0, [(0.2, "low tone")])

        async def run() -> Heard:
            async with client(f"ws://{address}/v1/stream") as one:
                await one.send(pcm(sound))
                return await one.end()

        assert asyncio.run(run()).detections == offline(tiny_bundle, sound) != []
    for line in (tmp_path / "log").read_text().splitlines():
        assert {"event", "level", "timestamp"} <= json.loads(line).keys()


def test_a_port_in_use_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny_bundle: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(capsys, "serve", "--port", str(port), "--model", tiny_bundle, "--state-dir",
                   tmp_path)  # fmt: skip
    assert done.code == 2
    assert done.err == f"error: cannot listen on 127.0.0.1:{port}: Address already in use\n"


REFUSED: dict[str, tuple[list[str], dict[str, str], str]] = {
    "unknown model": (["--model", "alexia"], {}, "unknown model 'alexia'"),
    "port": (["--port", "99999"], {}, "port = 99999: input should be less than or equal to 65535"),
    "address": (["--host", "300.1.2.3"], {}, "cannot listen on 300.1.2.3:"),
    "environment": ([], {"WAKEWORD_SERVICE_BUFFER_S": "abc"}, "buffer_s = 'abc': input should be"),
    "typing error": ([], {"WAKEWORD_SERVICE_PROT": "1"}, "no setting WAKEWORD_SERVICE_PROT"),
    "half of TLS": (["--ssl-certfile", "x"], {}, "belong together"),
    "no certificate": (["--ssl-certfile", "x", "--ssl-keyfile", "y"], {}, "there is no such file"),
    "no key": (["--host", "0.0.0.0"], {}, "wakeword keys add"),
    "workers": (["--workers", "0"], {}, "workers = 0: input should be greater than or equal to 1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_setting_is_one_line(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    case: str,
) -> None:
    options, env, text = REFUSED[case]
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    done = run(capsys, *SERVE, "--state-dir", tmp_path / "state", *options)
    assert done.code == 2, done.err
    assert done.err.startswith("error: ") and text in done.err
    assert done.err.count("\n") == 1 and not done.out
