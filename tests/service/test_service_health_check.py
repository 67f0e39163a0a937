"""The health check of the image: it asks the service on this machine, and says yes or no."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from live_server import live_server
from wakeword_service.health import is_healthy, url_of
from wakeword_service.settings import Settings


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8765/healthz"),
        ("::", "http://[::1]:8765/healthz"),
        ("127.0.0.1", "http://127.0.0.1:8765/healthz"),
        ("::1", "http://[::1]:8765/healthz"),
        ("wake.example", "http://wake.example:8765/healthz"),
    ],
)
def test_where_it_asks(host, url):
    assert url_of(Settings(host=host)) == url


def test_a_service_is_healthy_while_it_runs(tmp_path, tiny_bundle, monkeypatch, capsys):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # never asked
    with live_server(tmp_path, models=(str(tiny_bundle),)) as server:
        port = int(server.http.rsplit(":", 1)[1])
        assert is_healthy(Settings(port=port))
        done = subprocess.run(
            [sys.executable, "-m", "wakeword_service.health"], capture_output=True, text=True,
            env=os.environ | {"WAKEWORD_SERVICE_PORT": str(port)},
        )  # fmt: skip
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not is_healthy(Settings(port=port))
    assert "refused" in capsys.readouterr().err


def test_tls_is_asked_by_tls(tmp_path):
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).touch()
    settings = Settings(ssl_certfile=tmp_path / "cert.pem", ssl_keyfile=tmp_path / "key.pem")
    assert url_of(settings) == "https://127.0.0.1:8765/healthz"


def test_a_bad_setting_is_unhealthy():
    done = subprocess.run(
        [sys.executable, "-m", "wakeword_service.health"], capture_output=True, text=True,
        env=os.environ | {"WAKEWORD_SERVICE_PORT": "many"},
    )  # fmt: skip
    assert done.returncode == 1 and "port" in done.stderr and "Traceback" not in done.stderr
