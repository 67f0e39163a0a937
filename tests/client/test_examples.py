"""The examples run: the minimal client as a process, the page in a real browser."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import browser, require_chromium, web_server
from cutting_proxy import CuttingProxy
from live_server import LiveServer, live_server
from processes import cli_environment

from wakeword.audio.files import read_audio
from wakeword.audio.wav import write_wav
from wakeword.runtime import Spotter


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("state"), models=("seven",)) as server:
        yield server


@pytest.fixture(scope="module")
def spoken(tmp_path_factory, repository: Path) -> Path:
    """The shipped sample as wav at 48 kHz, the rate of most microphones."""
    path = tmp_path_factory.mktemp("sounds") / "words.wav"
    write_wav(path, read_audio(repository / "samples" / "words.flac", 48_000), 48_000)
    return path


@pytest.fixture(scope="module")
def words(repository: Path) -> list[str]:
    samples = read_audio(repository / "samples" / "words.flac")
    return [d.keyword for d in Spotter("seven").feed(samples, last=True)]


def run_minimal(repository: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the example without this library in reach."""
    return subprocess.run(
        [sys.executable, repository / "examples" / "minimal_client.py", *arguments],
        capture_output=True, text=True, timeout=60, env=cli_environment(),
    )  # fmt: skip


def test_the_minimal_client_hears_the_words(repository, server, spoken, words):
    done = run_minimal(repository, spoken, server.stream)
    assert done.returncode == 0, done.stderr
    assert [" ".join(line.split()[1:-1]) for line in done.stdout.splitlines()] == words


def test_the_minimal_client_says_why_it_is_refused(repository, tiny_bundle, spoken, tmp_path):
    from inprocess import main

    with pytest.raises(SystemExit):
        main(["keys", "add", "k", "--scope", "stream", "--state-dir", str(tmp_path)])
    with live_server(tmp_path, models=(str(tiny_bundle),)) as server:
        done = run_minimal(repository, spoken, server.stream)
    assert done.returncode == 1
    assert "key" in done.stderr and done.stderr.startswith("error: ")


def test_the_minimal_client_needs_nothing_of_this_project(repository):
    text = (repository / "examples" / "minimal_client.py").read_text("utf-8")
    assert "import wakeword" not in text and "from wakeword" not in text
    assert len(text.splitlines()) < 60


def test_the_python_of_the_page_runs(repository, server, spoken):
    page = (repository / "docs" / "client.md").read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    assert len(blocks) == 2
    for block in blocks:
        code = re.sub(r"wss?://[^\"]+", server.stream, block).replace("recording.wav", str(spoken))
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        assert re.match(r"computer 1\.\d", done.stdout)


@pytest.mark.browser
@pytest.mark.slow
def test_the_page_hears_the_words_through_a_connection_that_breaks(
    repository, spoken, words, tmp_path
):
    """Chromium, its microphone at its own rate, an AudioWorklet, and a cut in the middle."""
    require_chromium()
    cuts = {0: (650_000, 10**7), 1: (2_000, 10**7)}
    with (
        web_server(repository / "examples" / "browser") as origin,
        live_server(tmp_path / "state", models=("seven",), allowed_origins=(origin,)) as server,
        CuttingProxy(int(server.address.rpartition(":")[2]), cuts.get) as proxy,
        browser(tmp_path / "profile", spoken) as page,
    ):
        page.open(f"{origin}/index.html?url={proxy.url}/v1/stream")
        page.evaluate("document.getElementById('start').click()")
        page.wait_for("document.getElementById('state').textContent.startsWith('Listening for')")
        page.wait_for(f"document.querySelectorAll('#detections li').length >= {len(words)}", 60)
        page.evaluate("document.getElementById('stop').click()")
        page.wait_for("document.getElementById('state').textContent === 'Stopped.'")
        lines = "[...document.querySelectorAll('#detections li')].map((li) => li.dataset.keyword)"
        heard = page.evaluate(lines)
        assert heard[::-1] == words, "each once, in order"
        assert proxy.connections == 3


@pytest.mark.browser
def test_the_page_says_why_it_is_refused(repository, spoken, tmp_path):
    """A page of another origin than those that the owner lists."""
    require_chromium()
    with (
        web_server(repository / "examples" / "browser") as origin,
        live_server(tmp_path / "state", models=("seven",)) as server,
        browser(tmp_path / "profile", spoken) as page,
    ):
        page.open(f"{origin}/index.html?url={server.stream}")
        page.evaluate("document.getElementById('start').click()")
        page.wait_for("document.getElementById('state').textContent.includes('origin')")
        assert page.evaluate("document.getElementById('start').disabled") is False
