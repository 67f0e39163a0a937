"""What every test may use: the shared recordings, a small real bundle, the command line.

Switches make a skip a failure, for machines that must be able to run everything:
``WAKEWORD_REQUIRE_BROWSER=1``, and the same with ``MICROPHONE``, ``SHARED`` and ``SYNTHESISER``
(continuous integration sets all). Without them such tests skip with their reason.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
from collections.abc import Generator, Mapping
from pathlib import Path

import pytest
from hypothesis import settings
from processes import RunCli, cli_command, cli_environment
from virtual_microphone import VirtualMicrophone, require_virtual_microphone

# A busy machine is slow, not wrong: no example fails for the time it took.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

# A shell starts background jobs with Ctrl-C ignored, and children inherit that: tests that send
# it would wait for ever. A handler is not inherited, so that they start with the default.
signal.signal(signal.SIGINT, signal.default_int_handler)

REPOSITORY = Path(__file__).resolve().parent.parent
REQUIRED = {
    marker: f"WAKEWORD_REQUIRE_{marker.upper()}"
    for marker in ("browser", "microphone", "shared", "synthesiser")
}


def pytest_runtest_teardown() -> None:
    """A test that starts the service in this process sets up its logs: they are put back."""
    for name in ("wakeword_service", "uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers, logger.filters, logger.propagate = [], [], True
        logger.setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout that the tests belong to."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings (``WAKEWORD_SHARED`` or ``../shared/data``), or a skip."""
    folder = Path(os.environ.get("WAKEWORD_SHARED") or REPOSITORY.parent / "shared" / "data")
    if not (folder / "manifest.csv").is_file():
        pytest.skip(f"no recordings: {folder / 'manifest.csv'} is missing (set WAKEWORD_SHARED)")
    return folder


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small but real bundle directory, for tests that only need some model."""
    from bundles import write_tiny_bundle

    return Path(write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny"))


@pytest.fixture
def own_bundle(tiny_bundle: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(tiny_bundle, tmp_path / "own"))


@pytest.fixture(scope="session")
def listening_page(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Path:
    """A listening page with misses and a false alarm; its manifest is in the same folder."""
    from listening_pages import make_page, make_trials

    from wakeword.runtime import Bundle

    folder, bundle = tmp_path_factory.mktemp("listening"), Bundle.load(tiny_bundle)
    return make_page(folder, bundle, make_trials(folder, bundle))


@pytest.fixture
def sound(tmp_path_factory: pytest.TempPathFactory) -> Generator[VirtualMicrophone]:
    """A running microphone without hardware; what is played into it is what it hears."""
    require_virtual_microphone()
    microphone = VirtualMicrophone(tmp_path_factory.mktemp("pulse"))
    microphone.start()
    yield microphone
    microphone.stop()


@pytest.fixture(autouse=True)
def no_models_from_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's ``WAKEWORD_MODELS`` must not decide what the tests see."""
    monkeypatch.delenv("WAKEWORD_MODELS", raising=False)


@pytest.fixture(scope="session")
def run_cli(tmp_path_factory: pytest.TempPathFactory) -> RunCli:
    """Run ``python -m wakeword`` as its own process and wait for it.

    The process runs in an empty folder unless ``cwd`` says otherwise, because the command must
    work from any folder; text is UTF-8 and 120 columns wide, whatever terminal the tests have.
    """
    empty = tmp_path_factory.mktemp("cwd")

    def run(
        *arguments: str | Path,
        stdin: bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout_s: float = 120.0,
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            cli_command(*arguments),
            input=b"" if stdin is None else stdin,
            capture_output=True,
            env=cli_environment(env),
            cwd=cwd or empty,
            timeout=timeout_s,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    return run


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a skipped test whose marker the environment requires."""
    report = yield
    if not report.skipped or hasattr(report, "wasxfail"):
        return report
    for marker, variable in REQUIRED.items():
        if item.get_closest_marker(marker) and os.environ.get(variable) == "1":
            report.outcome = "failed"
            report.longrepr = f"{variable}=1, but this test was skipped: {report.longrepr}"
    return report
