"""Keys and TLS of a whole service: made by the command, used by clients, ended while it runs."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from pathlib import Path

import httpx
import numpy as np
import pytest
from inprocess import run
from live_server import RATE, START, client, live_server, pcm
from processes import RunCli
from refusals import refused

SECOND = pcm(np.zeros(RATE, "<i2"))


@pytest.fixture
def make_key(capsys, tmp_path):
    """Make a key with the command, as its owner does beside a running service."""

    def make(name: str, *options: str) -> str:
        done = run(capsys, "keys", "add", name, *options, "--state-dir", tmp_path)
        assert done.code == 0, done.err
        return done.out.strip()

    return make


def test_keys_work_at_once_and_end_their_streams_when_removed(
    tmp_path, tiny_bundle, make_key, capsys
):
    """One stream was opened while no key existed, one with each of two keys; one key goes."""

    async def scenario(url: str) -> None:
        async with client(url) as local:
            await local.wait_for("ready")
            gone = make_key("gone", "--scope", "stream")
            kept = make_key("kept", "--scope", "stream")
            bearer = {"Authorization": f"Bearer {kept}"}
            async with (
                client(url, {**START, "key": gone}) as first,
                client(url, START, additional_headers=bearer) as second,
            ):
                for one in (first, second):
                    await one.wait_for("ready")
                    await one.send(SECOND)
                assert run(capsys, "keys", "remove", "gone", "--state-dir", tmp_path).code == 0
                ended = await first.closed(timeout_s=20)
                assert ended.close_code == 4401 and "removed" in ended.error["message"]
                assert (await second.end()).close_code == 1000
            assert (await local.end()).close_code == 1000
            async with client(url, {**START, "key": gone}) as again:
                assert (await again.closed()).close_code == 4401
            async with client(url) as none:
                assert (await none.closed()).close_code == 4401

    with live_server(tmp_path, models=(str(tiny_bundle),)) as server:
        asyncio.run(scenario(server.stream))


def test_scopes_of_the_routes(tmp_path, tiny_bundle, make_key):
    with live_server(tmp_path, models=(str(tiny_bundle),)) as server:
        stream = make_key("one", "--scope", "stream")
        read = make_key("read", "--scope", "read")
        with httpx.Client(base_url=server.http, trust_env=False) as http:
            for path in ("/healthz", "/readyz"):
                assert http.get(path).status_code == 200
            for path in ("/metrics", "/v1/streams"):
                asked = [http.get(path, headers=headers).status_code for headers in (
                    {}, {"X-API-Key": stream}, {"X-API-Key": read}, {"X-API-Key": read[:-1]},
                )]  # fmt: skip
                assert asked == [401, 403, 200, 401], path
            text = http.get("/metrics", headers={"X-API-Key": read}).text
            assert "wakeword_login_failures_total 2.0" in text


def test_it_does_not_start_beyond_this_machine_without_a_key(run_cli: RunCli, tmp_path):
    done = run_cli("serve", "--host", "0.0.0.0", "--port", "0", "--state-dir", tmp_path)
    refused(done, "0.0.0.0", "wakeword keys add NAME", str(tmp_path))


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl to make a certificate")
def test_tls(tmp_path: Path, tiny_bundle):
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
               "-nodes", "-keyout", key, "-out", certificate, "-days", "1",
               "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
               ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    trusted = ssl.create_default_context(cafile=certificate)

    async def scenario(url: str) -> None:
        async with client(url, START, ssl=trusted) as one:
            await one.wait_for("ready")
            assert (await one.end()).close_code == 1000

    files = {"ssl_certfile": certificate, "ssl_keyfile": key}
    with live_server(tmp_path / "state", models=(str(tiny_bundle),), **files) as server:
        secure = server.http.replace("http", "https")
        assert httpx.get(secure + "/healthz", verify=trusted, trust_env=False).status_code == 200
        asyncio.run(scenario(server.stream.replace("ws", "wss")))
