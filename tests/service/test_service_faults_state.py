"""The state survives what happens to real servers: kill -9, full disks, two owners at once."""

from __future__ import annotations

import itertools
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from server_process import ServerProcess, server_process
from streaming import bursts, offline

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc, mounts and limits")

POINT = "/v1/models/tiny/words/low%20tone/operating-point"


def put(server: ServerProcess, threshold: float, **headers: str) -> httpx.Response:
    """Choose a threshold, whatever there was before."""
    if not headers:
        before = server.http.get(POINT)
        if before.json()["source"] == "site":
            headers = {"If-Match": before.headers["ETag"]}
    return server.http.put(POINT, json={"threshold": threshold}, headers=headers)


def threshold(server: ServerProcess) -> float:
    return float(server.http.get(POINT).json()["threshold"])


def test_kill_9_in_mid_write_never_loses_an_acknowledged_threshold(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    samples = bursts(6.0)
    with server_process(tmp_path / "state", {"MODELS": tiny_bundle}) as server:
        kept, number = 0.6, itertools.count()
        for after_s in (0.3, 0.05, 0.15):
            acknowledged = [kept]
            threading.Timer(after_s, server.kill).start()
            with suppress(httpx.TransportError):
                while True:
                    asked = 0.3 + 0.0001 * next(number)
                    assert put(server, asked).status_code == 200
                    acknowledged.append(asked)
            server.wait_until_gone()
            server.start()
            kept = threshold(server)
            assert kept in (acknowledged[-1], asked), "only what was on its way may be there, too"
            changes = server.http.get(f"{POINT}/history", params={"limit": 100}).json()["changes"]
            assert {c["threshold"] for c in changes} >= set(acknowledged[1:][-99:])
            assert len(server.hear(samples)) >= len(offline(tiny_bundle, samples)) > 0
        assert next(number) > 6, "hardly anything was written before the kills"
        assert server.stop() in (0, -signal.SIGTERM) and "stopped" in server.log


@pytest.fixture(params=["disk", "limit"])
def full(
    request: pytest.FixtureRequest, tmp_path: Path, tiny_bundle: Path
) -> Iterator[tuple[ServerProcess, Callable[[], None], Callable[[], None]]]:
    """A server, how to take its disk away, and how to give it back.

    ``disk``: a file system of 2 MiB that is filled up. ``limit``: the process may not make any
    file longer, which any machine can do to it.
    """
    state = tmp_path / "state"
    state.mkdir()
    settings = {"MODELS": tiny_bundle}
    if request.param == "disk":
        wrapper = [*small_disk(state), "--"]
        with server_process(state, settings, wrapper=wrapper) as server:
            inside = Path(f"/proc/{server.pid}/root{state}/filler")
            yield server, lambda: fill(inside), inside.unlink
        return
    with server_process(state, settings) as server:
        whole = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)

        def limit(soft: int) -> None:
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (soft, whole[1]))

        yield server, lambda: limit(0), lambda: limit(whole[0])


def small_disk(folder: Path) -> list[str]:
    """A command that starts another with a tiny file system at ``folder``; a skip if impossible."""
    script = f'mount -t tmpfs -o size=2m tmpfs "{folder}" && shift && exec "$@"'
    wrapper = ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh"]
    try:
        tried = subprocess.run([*wrapper, "--", "true"], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no unshare here")
    if tried.returncode:
        pytest.skip(f"no file system can be mounted here: {tried.stderr.strip()}")
    return wrapper


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for size in (65_536, 4_096, 512, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


def test_on_a_full_disk_the_service_goes_on_and_keeps_the_old_threshold(
    full: tuple[ServerProcess, Callable[[], None], Callable[[], None]], tiny_bundle: Path
) -> None:
    server, take_away, give_back = full
    samples = bursts(6.0)
    assert put(server, 0.55).status_code == 200
    heard = server.hear(samples)
    take_away()
    for _ in range(3):
        refused = put(server, 0.45)
        assert refused.status_code == 507, refused.text
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["type"].endswith(":storage_full")
        assert threshold(server) == 0.55
        assert server.hear(samples) == heard
    assert server.http.get("/healthz").status_code == 200
    give_back()
    deadline = time.monotonic() + 10.0
    while (answer := put(server, 0.45)).status_code != 200:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.1)
    assert threshold(server) == 0.45


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Iterator[ServerProcess]:
    with server_process(tmp_path_factory.mktemp("two") / "state", {"MODELS": tiny_bundle}) as one:
        yield one


def test_two_writers_never_overwrite_each_other(server: ServerProcess) -> None:
    assert put(server, 0.5).status_code == 200
    begin = threading.Barrier(2)
    results: list[tuple[int, float]] = []

    def write(base: float) -> None:
        with httpx.Client(base_url=server.http.base_url, timeout=20.0) as http:
            for number in range(15):
                begin.wait(20.0)
                tag = http.get(POINT).headers["ETag"]
                begin.wait(20.0)  # both have read the same state
                value = base + 0.001 * number
                answer = http.put(POINT, json={"threshold": value}, headers={"If-Match": tag})
                results.append((answer.status_code, value))

    writers = [threading.Thread(target=write, args=(base,)) for base in (0.6, 0.7)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    won = {value for status, value in results if status == 200}
    assert sorted(status for status, _ in results) == [200] * 15 + [412] * 15
    changes: list[dict[str, Any]] = server.http.get(f"{POINT}/history").json()["changes"]
    newest = changes[:15]
    assert {c["threshold"] for c in newest} == won
    for later, earlier in itertools.pairwise(changes[:16]):
        assert later["from_threshold"] == earlier["threshold"]
    assert threshold(server) == newest[0]["threshold"]


def test_a_writer_that_has_seen_nothing_is_refused(server: ServerProcess) -> None:
    assert put(server, 0.5).status_code == 200
    blind = server.http.put(POINT, json={"threshold": 0.9})
    assert blind.status_code == 428 and threshold(server) == 0.5
    stale = put(server, 0.9, **{"If-Match": '"0"'})
    assert stale.status_code == 412 and threshold(server) == 0.5
    assert os.path.isdir(f"/proc/{server.pid}")
