"""Calibration on own recordings: real jobs in a real process, over REST."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from bundles import load_tiny_bundle, with_bursts
from live_server import LiveServer, live_server
from wakeword_service.jobs import calibrations as queueing
from wakeword_service.jobs.measure import Recording, Task
from wakeword_service.store import CalibrationRow, StorageFull, Store

from wakeword.evaluation.calibration import calibrate
from wakeword.evaluation.events import Label, Truth
from wakeword.evaluation.scoring import Clip, event_rules, score_clips
from wakeword.runtime import OperatingPoints

URL = "/v1/calibrations"
POINT = "/v1/models/tiny/words/low tone/operating-point"
QUIET = with_bursts(30.0, [(5.0, "low tone"), (15.0, "low tone")], noise=0.01)
WORD = with_bursts(2.0, [(0.7, "low tone")], noise=0.01)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("state"), models=(str(tiny_bundle),)) as running:
        yield running


@pytest.fixture(scope="module")
def rest(server: LiveServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.http, trust_env=False) as opened:
        yield opened


def recording(samples: np.ndarray[Any, Any], kind: str = "FLAC") -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, 16_000, format=kind)
    return out.getvalue()


Part = tuple[str, tuple[str, bytes]]


def negative(name: str = "room.flac", data: bytes | None = None) -> Part:
    return "negatives", (name, recording(QUIET) if data is None else data)


def post(rest: httpx.Client, parts: list[Part], **fields: Any) -> httpx.Response:
    return rest.post(URL, data={"model": "tiny", **fields}, files=parts)


def ended(rest: httpx.Client, posted: httpx.Response) -> Any:
    assert posted.status_code == 202, posted.text
    deadline = time.monotonic() + 60.0
    while True:
        job = rest.get(posted.headers["Location"]).json()
        if job["finished"] is not None:
            return job
        assert job["progress"] is None or 0.0 <= job["progress"] <= 1.0
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_job_measures_what_the_library_measures(
    server: LiveServer, rest: httpx.Client, tmp_path: Path
) -> None:
    positives = [("positives", (f"{i}.wav", recording(WORD, "WAV"))) for i in range(3)]
    fields = {"words": "low tone", "targets": ["0.5", "300"]}
    job = ended(rest, post(rest, [negative(), negative("b.flac"), *positives], **fields))
    assert (job["status"], job["error"], job["progress"]) == ("done", None, 1.0)
    assert job["negative_h"] == pytest.approx(60.0 / 3600.0)
    bundle = load_tiny_bundle(tmp_path / "tiny")
    decoded = [soundfile.read(io.BytesIO(recording(QUIET)), dtype="float32")[0]] * 2
    negatives = [Clip.of(Label(str(i)), samples) for i, samples in enumerate(decoded)]
    label = Label("p", truths=(Truth("low tone", 0.0, 2.0),))
    clip = soundfile.read(io.BytesIO(recording(WORD, "WAV")), dtype="float32")[0]
    tracks = score_clips(bundle, [*negatives, *[Clip.of(label, clip)] * 3])
    wanted = calibrate(
        "low tone", tracks[:2], tracks[2:], event_rules(bundle),
        "clips that were recorded here", (0.5, 300.0),
    )  # fmt: skip
    table = OperatingPoints.from_list(job["operating_points"]["low tone"], "low tone")
    assert table == replace(wanted, curve=None)
    first, second = job["operating_points"]["low tone"]
    assert not first["supported"] and "cannot support 0.5 per hour" in first["statement"]
    assert (first["alarms"], second["alarms"], first["clips"]) == (0, 4, 3)
    assert not any((server.settings.state_dir / "uploads").iterdir())

    wish = {"calibration": job["id"], "false_alarms_per_hour": 300.0}
    chosen = rest.put(POINT, json=wish, headers={"If-None-Match": "*"}).json()
    assert chosen["threshold"] == second["threshold"]
    assert chosen["expected"]["audio"] == f"calibration {job['id']}, recorded here"
    assert chosen["expected"]["false_rejection_rate"]["value"] == second["frr"]
    too_far = {**wish, "false_alarms_per_hour": 0.1}
    refused = rest.put(POINT, json=too_far, headers={"If-Match": "*"}).json()
    assert refused["status"] == 422
    low, high = refused["limit"]
    assert low == 0.5 and high > 300.0  # beyond its targets the curve goes on
    between = {**wish, "false_alarms_per_hour": 200.0}
    found = rest.put(POINT, json=between, headers={"If-Match": "*"}).json()
    assert second["threshold"] <= found["threshold"] < first["threshold"]
    assert found["expected"]["basis"] == "measured"
    assert found["expected"]["false_alarms_per_hour"]["value"] <= 200.0
    back = rest.put(POINT, json={"history": 1}, headers={"If-Match": "*"}).json()
    assert back["expected"] == chosen["expected"]
    assert rest.delete(f"{URL}/{job['id']}").status_code == 204
    assert rest.get(f"{URL}/{job['id']}").status_code == 404
    assert rest.get(POINT).json() == back  # what was chosen stays
    refused = rest.put(POINT, json=wish, headers={"If-Match": "*"})
    assert refused.status_code == 422 and "none of this id" in refused.json()["detail"]
    high = POINT.replace("low", "high")
    assert rest.put(high, json=wish).status_code == 422


@pytest.mark.parametrize(
    ("parts", "fields", "status", "said"),
    [
        ([], {}, 415, "multipart"),
        ([("positives", ("p", b"x"))], {"words": "low tone"}, 422, "negatives"),
        ([negative(), ("positives", ("p", b"x"))], {}, 422, "one word"),
        ([negative()], {"words": "odd tone"}, 404, "odd tone"),
        ([negative()], {"model": "huge"}, 404, "huge"),
        ([negative()], {"model": ["tiny", "tiny"]}, 422, "2 times"),
        ([negative()], {"targets": "0"}, 422, "above 0"),
        ([negative()], {"targets": "nan"}, 422, "above 0"),
        ([negative()], {"targets": ["1"] * 21}, 422, "at most 20"),
        ([negative()], {"odd": "1"}, 422, "unknown field"),
        ([("odd", ("x", b"x"))], {}, 422, "unknown file"),
        ([negative()], {"words": "x" * 2000}, 413, "1024"),
        ([negative(data=b"x")] * 1001, {}, 413, "1000 files"),
    ],
)
def test_what_makes_no_sense_is_refused_and_leaves_nothing(
    server: LiveServer, rest: httpx.Client, parts: list[Part], fields: dict[str, Any], status: int,
    said: str,
) -> None:  # fmt: skip
    before = rest.get(URL).json()
    refused = post(rest, parts, **fields)
    assert refused.status_code == status and said in refused.json()["detail"]
    assert rest.get(URL).json() == before
    assert not any((server.settings.state_dir / "uploads").iterdir())


@pytest.mark.parametrize(
    ("part", "fields", "said"),
    [
        (negative("noise.mp3", b"\xff\xfb" + bytes(5000)), {}, "noise.mp3: "),
        (negative("cut.flac", recording(QUIET)[:9000]), {}, "cut.flac: "),
        (("positives", ("long.wav", recording(QUIET.repeat(2), "WAV"))), {"words": "low tone"},
         "long.wav is 60.0 s long"),
    ],
)  # fmt: skip
def test_a_recording_that_cannot_be_used_fails_the_job_with_its_name(
    rest: httpx.Client, server: LiveServer, part: Part, fields: dict[str, Any], said: str
) -> None:
    job = ended(rest, post(rest, [negative(), part], **fields))
    assert job["status"] == "failed" and said in job["error"]
    assert str(server.settings.state_dir) not in job["error"]
    wish = {"calibration": job["id"], "false_alarms_per_hour": 1.0}
    refused = rest.put(POINT.replace("low", "high"), json=wish)
    assert refused.status_code == 422 and "failed" in refused.json()["detail"]


LONG = negative("long.flac", recording(np.zeros(16_000 * 3600, np.float32)))
"""Takes the tiny bundle some seconds."""


def test_a_job_can_be_cancelled_and_too_many_are_refused(tmp_path: Path, tiny_bundle: Path) -> None:
    with (
        live_server(tmp_path, models=(str(tiny_bundle),)) as running,
        httpx.Client(base_url=running.http, trust_env=False) as rest,
    ):
        jobs = [post(rest, [LONG]).json()["id"] for _ in range(queueing.MAX_QUEUED)]
        refused = post(rest, [negative()])
        assert (refused.status_code, refused.json()["type"][-10:]) == (503, "queue_full")
        page = rest.get(URL, params={"limit": 3}).json()
        assert [job["id"] for job in page["calibrations"]] == jobs[:-4:-1]
        for job in jobs:
            assert rest.delete(f"{URL}/{job}").status_code == 204
        assert ended(rest, post(rest, [negative()]))["status"] == "done"
        assert rest.delete(f"{URL}/{jobs[0]}").status_code == 404
        last = post(rest, [LONG]).json()["id"]
        started = time.monotonic()
    assert time.monotonic() - started < 10.0  # the end does not wait for the job
    store = Store(tmp_path)
    row = store.calibrations.get(last)
    store.close()
    assert row is not None and row.status == "failed" and "stopped" in str(row.error)
    assert not any((tmp_path / "uploads").iterdir())


def test_a_job_that_takes_too_long_is_ended(tmp_path: Path, tiny_bundle: Path) -> None:
    with (
        live_server(tmp_path, models=(str(tiny_bundle),), job_seconds=0.2) as running,
        httpx.Client(base_url=running.http, trust_env=False) as rest,
    ):
        job = ended(rest, post(rest, [LONG]))
        assert job["status"] == "failed" and "longer than 0.2 s" in job["error"]


def test_a_job_that_a_crash_interrupted_has_failed(tmp_path: Path, tiny_bundle: Path) -> None:
    store = Store(tmp_path)
    request = {"words": ["low tone"], "targets": [0.5], "negatives": 1, "positives": 0}
    store.calibrations.add(CalibrationRow("ab", 1.0, "queued", "tiny", "cd", "local", request))
    assert store.calibrations.start("ab") and not store.calibrations.start("ab")
    store.close()
    with (
        live_server(tmp_path, models=(str(tiny_bundle),)) as running,
        httpx.Client(base_url=running.http, trust_env=False) as rest,
    ):
        job = rest.get(f"{URL}/ab").json()
        assert job["status"] == "failed" and "restarted" in job["error"]


def test_a_result_waits_for_a_full_disk(
    server: LiveServer, rest: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queueing, "RETRY_S", 0.01)
    table, tries = server.service.store.calibrations, [0]
    end = table.end

    def full_at_first(*arguments: Any) -> bool:
        tries[0] += 1
        if tries[0] <= 3:
            raise StorageFull("the disk is full")
        return end(*arguments)

    monkeypatch.setattr(table, "end", full_at_first)
    assert ended(rest, post(rest, [negative()]))["status"] == "done" and tries[0] == 4


def test_a_job_that_has_just_ended_is_all_done(
    server: LiveServer, rest: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row says so before the queue has let go of it."""
    table, read = server.service.store.calibrations, threading.Event()
    end = table.end

    def end_and_wait(*arguments: Any) -> bool:
        written = end(*arguments)
        read.wait(60.0)
        return written

    monkeypatch.setattr(table, "end", end_and_wait)
    job = ended(rest, post(rest, [negative()]))
    held = server.service.calibrations.progress(job["id"])
    read.set()
    assert held is not None
    assert (job["status"], job["progress"], job["scored_s"]) == ("done", 1.0, None)
    assert not any((server.settings.state_dir / "uploads").iterdir())


def test_a_model_that_was_replaced_meanwhile_is_not_measured(
    server: LiveServer, tmp_path: Path, tiny_bundle: Path
) -> None:
    store, jobs = server.service.store, server.service.calibrations
    folder = jobs.uploads.make()
    (folder / "0000").write_bytes(recording(QUIET))
    files = (Recording(str(folder / "0000"), "room.flac"),)
    task = Task(str(tiny_bundle), "0" * 64, ("low tone",), (0.5,), files, ())
    row = jobs.submit("tiny", task, folder, {}, "local")
    deadline = time.monotonic() + 30.0
    while (found := store.calibrations.get(row.id)) is None or found.finished_s is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert found.status == "failed" and "was replaced" in str(found.error)
    assert store.calibrations.remove(row.id)
