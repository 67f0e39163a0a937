"""The OpenAPI description is true: schemathesis tries to find where it is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from live_server import live_server
from wakeword_service.store import DetectionRow

from wakeword.runtime import Bundle

CONFIG = """
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", "503"]

[checks.negative_data_rejection]
# Whatever is wrong with a request beside its schema may be said first: no such model (404), too
# large (413), too many at a time (503).
expected-statuses = ["4xx", "503"]

[checks.positive_data_acceptance]
# What a schema cannot say: states (409, 412, 428), audio that is none (422), limits (413, 503).
expected-statuses = ["2xx", "401", "403", "404", "409", "412", "413", "415", "422", "428", "503"]
"""
ID = "0123456789abcdef"
"""The example in the description; rows with it let the paths be found."""


def fill(service: object, bundle: Bundle) -> None:
    """Something to be found: a detection with its clip, live use."""
    row = DetectionRow(
        id=ID, when_s=1.8e9, stream_id="s", stream_name="kitchen", model="tiny",
        model_sha256=bundle.sha256, word="low tone", score=0.7, peak=0.9, threshold=0.6,
        start_s=0.0, end_s=1.0, clip_bytes=364,
    )  # fmt: skip
    service.store.detections.add([row])  # type: ignore[attr-defined]
    service.recorder.clips.write(ID, np.zeros(160, np.int16), 16_000)  # type: ignore[attr-defined]


@pytest.mark.slow
def test_schemathesis_finds_nothing(tmp_path: Path, tiny_bundle: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    settings = {"models": (str(tiny_bundle),), "keep_clips": True}
    with live_server(tmp_path / "state", **settings, login_failures_per_minute=100_000) as running:
        fill(running.service, Bundle.load(tiny_bundle))
        token = running.service.keys.add("schemathesis", ["admin"])[1]
        command = [
            str(Path(sys.executable).with_name("schemathesis")), "run",
            f"{running.http}/openapi.json", "--checks", "all", "--continue-on-failure",
            "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "8",
            "--max-time", "40", "--seed", "1", "--no-color",
            "--header", f"Authorization: Bearer {token}",
        ]  # fmt: skip
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
