"""Models, detections, files and refusals over REST, on real sockets."""

from __future__ import annotations

import asyncio
import io
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from bundles import operating_points, with_bursts, write_tiny_bundle
from live_server import LiveServer, client, live_server, pcm

from wakeword.runtime import Bundle

SOUND = with_bursts(6.0, [(1.0, "low tone"), (3.0, "high tone")])


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[LiveServer]:
    state = tmp_path_factory.mktemp("state")
    settings = {"models": (str(bundle),), "keep_clips": True, "max_upload_bytes": 1_000_000}
    with live_server(state, **settings) as running:
        yield running


@pytest.fixture(scope="module")
def rest(server: LiveServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.http, trust_env=False) as opened:
        yield opened


def encoded(samples: np.ndarray[Any, Any], kind: str = "WAV", rate: int = 16_000) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format=kind)
    return out.getvalue()


def streamed(server: LiveServer, **start: Any) -> list[str]:
    """Let a stream with two words run; returns the ids of its detections."""

    async def run() -> list[str]:
        first = {"type": "start", "protocol": 1, "sample_rate": 16_000, "encoding": "s16le"}
        async with client(server.stream, {**first, **start}) as one:
            await one.send(pcm(SOUND))
            return [d["id"] for d in (await one.end()).of("detection")]

    return asyncio.run(run())


def test_models_say_what_they_are_and_were_measured_to_do(rest: httpx.Client, bundle: Path) -> None:
    (summary,) = rest.get("/v1/models").json()["models"]
    model = rest.get("/v1/models/tiny").json()
    assert model["card"] == (bundle / "MODEL_CARD.md").read_text()
    assert summary["sha256"] == model["sha256"] == Bundle.load(bundle).sha256
    word = model["words"][0]
    assert word["operating_points"] == operating_points("low tone").to_list()
    assert [p["threshold"] for p in word["curve"]["points"]] == [0.5, 0.6, 0.8]
    assert word["curve"]["points"][0]["false_rejection_rate"]["high"] == 0.09
    assert "no figures of thresholds between" in word["curve"]["source"]
    assert model["training_data"][0]["licence"] == "CC0-1.0"


def test_a_reload_takes_what_is_good_and_refuses_garbage(rest: httpx.Client, bundle: Path) -> None:
    good = (bundle / "model.onnx").read_bytes()
    (bundle / "model.onnx").write_bytes(b"garbage")
    refused = rest.post("/v1/models/tiny/reload")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:wakeword:problem:bad_model")
    assert "sha256" in refused.json()["detail"]
    assert rest.post("/v1/detect", content=encoded(SOUND), headers=AUDIO).status_code == 200
    (bundle / "model.onnx").write_bytes(good)
    assert rest.post("/v1/models/tiny/reload").status_code == 200
    assert rest.post("/v1/models/other/reload").status_code == 404


AUDIO = {"Content-Type": "audio/wav"}


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG"])
@pytest.mark.parametrize("as_form", [False, True])
def test_a_file_in_detections_out(rest: httpx.Client, kind: str, as_form: bool) -> None:
    data = encoded(SOUND, kind)
    sent: dict[str, Any] = {"content": data, "headers": AUDIO}
    if as_form:
        sent = {"files": {"file": (f"x.{kind}", data)}}
    found = rest.post("/v1/detect", **sent).json()
    assert found["seconds"] == pytest.approx(6.0)
    assert [d["keyword"] for d in found["detections"]] == ["low tone", "high tone"]
    assert [d["threshold"] for d in found["detections"]] == [0.6, 0.6]
    at = [d["end_s"] for d in found["detections"]]
    assert 1.0 < at[0] < 1.8 and 3.0 < at[1] < 3.8


def test_words_and_thresholds_of_a_file_can_be_chosen(rest: httpx.Client) -> None:
    def detect(**query: Any) -> Any:
        return rest.post("/v1/detect", content=encoded(SOUND), headers=AUDIO, params=query).json()

    assert [d["keyword"] for d in detect(models="high tone")["detections"]] == ["high tone"]
    assert {d["threshold"] for d in detect(threshold=0.3)["detections"]} == {0.3}
    assert {d["threshold"] for d in detect(false_alarms_per_hour=2)["detections"]} == {0.5}
    assert detect(models="odd tone")["status"] == 404
    assert detect(threshold=0.3, false_alarms_per_hour=2)["status"] == 422
    assert detect(threshold=1)["status"] == 422


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({"content": b"", "headers": AUDIO}, 422, "empty"),
        ({"content": b"RIFF" + bytes(100), "headers": AUDIO}, 422, "the recording"),
        ({"content": encoded(SOUND)[:5000], "headers": AUDIO}, 422, "cut short"),
        ({"content": encoded(SOUND)}, 415, "must be audio"),
        ({"json": {}}, 415, "must be audio"),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 415, "boundary"),
        ({"files": {"a": b"x", "b": b"x"}}, 422, "one file only"),
        ({"files": {"file": ("../../etc/passwd", b"x")}}, 422, "passwd: "),
        ({"content": bytes(1_000_001), "headers": AUDIO}, 413, "1000000"),
        ({"content": (bytes(65536) for _ in range(20)), "headers": AUDIO}, 413, "1000000"),
        (
            {"content": encoded(np.zeros(370_000, np.float32), "OGG", 100), "headers": AUDIO},
            422,
            "",
        ),
    ],
)
def test_what_is_no_audio_is_refused(
    rest: httpx.Client, server: LiveServer, sent: dict[str, Any], status: int, said: str
) -> None:
    refused = rest.post("/v1/detect", **sent)
    assert refused.status_code == status and said in refused.json()["detail"]
    assert str(server.settings.state_dir) not in refused.text
    assert not any((server.settings.state_dir / "uploads").iterdir())


def test_an_hour_is_the_limit(rest: httpx.Client) -> None:
    long = encoded(np.zeros(3601 * 8000, np.int16), "FLAC", 8000)
    refused = rest.post("/v1/detect", content=long, headers=AUDIO).json()
    assert (refused["status"], refused["value"], refused["limit"]) == (422, 3601.0, 3600.0)


@pytest.mark.parametrize("form", [b"", b"--b\r\n", b"--b\r\n\r\n\r\n--b--", b"no boundary at all"])
def test_a_damaged_form_is_refused(rest: httpx.Client, form: bytes) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    refused = rest.post("/v1/detect", content=form, headers=headers)
    assert refused.status_code == 422 and "damaged" in refused.json()["detail"]


def test_small_requests_may_not_be_large(rest: httpx.Client) -> None:
    path = "/v1/models/tiny/words/low tone/operating-point"
    for body in (bytes(70_000), (bytes(1000) for _ in range(70))):
        refused = rest.put(path, content=body, headers={"Content-Type": "application/json"})
        assert refused.status_code == 413 and refused.json()["limit"] == 65_536


def test_a_body_that_is_announced_and_never_sent_is_not_waited_for(server: LiveServer) -> None:
    host, port = server.address.split(":")
    with socket.create_connection((host, int(port))) as one:
        one.sendall(
            b"POST /v1/detect HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: audio/wav\r\n"
            b"Content-Length: 1000000000\r\n\r\n"
        )
        answer = one.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 413") and b"application/problem+json" in answer


def test_every_refusal_is_a_problem_with_all_methods_of_the_path(rest: httpx.Client) -> None:
    for method, path, status in (("GET", "/v1/nothing", 404), ("PATCH", "/v1/models", 405)):
        refused = rest.request(method, path)
        assert refused.status_code == refused.json()["status"] == status
        assert refused.headers["content-type"] == "application/problem+json"
    both = rest.request("PATCH", "/v1/models/tiny/words/low tone/operating-point")
    assert both.headers["Allow"] == "DELETE, GET, PUT"


def test_detections_can_be_found_judged_and_forgotten(
    server: LiveServer, rest: httpx.Client
) -> None:
    low, high = streamed(server, name="kitchen")
    streamed(server, name="bath")

    def ids(**query: Any) -> list[str]:
        found = rest.get("/v1/detections", params=query)
        assert found.status_code == 200, found.text
        return [d["id"] for d in found.json()["detections"]]

    assert ids(stream="kitchen") == [high, low] and len(ids()) == 4
    assert ids(stream="kitchen", word="low tone", model="tiny") == [low]
    assert not ids(min_score=1.0) and not ids(model="other")
    assert (
        not ids(until="2020-01-01T00:00:00Z") and len(ids(since="2020-01-01T00:00:00+01:00")) == 4
    )
    page = rest.get("/v1/detections", params={"limit": 3}).json()
    assert len(ids(before=page["next"])) == 1
    verdict = f"/v1/detections/{low}/verdict"
    assert rest.post(verdict, json={"verdict": "maybe"}).status_code == 422
    assert rest.post(verdict, json={"verdict": "rejected"}).json()["verdict_by"] == "local"
    assert ids(verdict="rejected") == [low] and len(ids(verdict="none")) == 3
    live = rest.get("/v1/models/tiny/live").json()["words"][0]
    assert live["thresholds"][0]["rejected"] == 1 and live["heard_h"]["hour"] > 0.0
    assert live["advice"]["threshold"] is None  # tones score higher than any threshold
    assert rest.post(verdict, json={"verdict": None}).json()["verdict"] is None
    assert rest.get(f"/v1/detections/{low}").json()["stream_name"] == "kitchen"
    sound = rest.get(f"/v1/detections/{low}/clip")
    assert sound.headers["content-type"] == "audio/wav"
    samples, rate = soundfile.read(io.BytesIO(sound.content))
    assert rate == 16_000 and 0.5 < len(samples) / rate < 3.0 and np.abs(samples).max() > 0.1
    assert rest.delete(f"/v1/detections/{low}").status_code == 204
    for path in ("", "/clip"):
        assert rest.get(f"/v1/detections/{low}{path}").status_code == 404
    assert rest.delete(f"/v1/detections/{low}").status_code == 404
    assert rest.post(verdict, json={"verdict": "confirmed"}).status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        {"since": "yesterday"}, {"since": "12.5"}, {"since": "2020-01-01T00:00:00"},
        {"limit": 0}, {"limit": 501}, {"before": -1}, {"before": 10**30}, {"verdict": "x"},
        {"min_score": "nan"}, {"odd": 1}, {"word": "x" * 65},
    ],
)  # fmt: skip
def test_a_filter_that_makes_no_sense_is_refused(rest: httpx.Client, query: dict[str, Any]) -> None:
    refused = rest.get("/v1/detections", params=query)
    assert refused.status_code == 422 and next(iter(query)) in refused.json()["detail"]


def test_clips_are_off_by_default(tmp_path: Path, tiny_bundle: Path) -> None:
    with live_server(tmp_path, models=(str(tiny_bundle),)) as running:
        (low, _) = streamed(running)
        with httpx.Client(base_url=running.http, trust_env=False) as rest:
            refused = rest.get(f"/v1/detections/{low}/clip")
            assert refused.json()["type"] == "urn:wakeword:problem:clips_off"
            assert rest.get(f"/v1/detections/{low}").json()["clip"] is False
    assert not (tmp_path / "clips").exists()


def test_the_scope_of_a_key_is_what_it_may_do(tmp_path: Path, tiny_bundle: Path) -> None:
    with live_server(tmp_path, models=(str(tiny_bundle),)) as running:
        point = "/v1/models/tiny/words/low tone/operating-point"
        needs = {
            ("GET", "/v1/models"): "read", ("GET", "/v1/models/tiny"): "read",
            ("GET", "/v1/models/tiny/live"): "read", ("GET", point): "read",
            ("GET", f"{point}/history"): "read", ("PUT", point): "tune", ("DELETE", point): "tune",
            ("GET", "/v1/calibrations"): "read", ("GET", "/v1/calibrations/x"): "read",
            ("POST", "/v1/calibrations"): "tune", ("DELETE", "/v1/calibrations/x"): "tune",
            ("GET", "/v1/detections"): "read", ("GET", "/v1/detections/x"): "read",
            ("GET", "/v1/detections/x/clip"): "read", ("DELETE", "/v1/detections/x"): "tune",
            ("POST", "/v1/detections/x/verdict"): "tune", ("POST", "/v1/detect"): "stream",
            ("POST", "/v1/models/tiny/reload"): "admin",
        }  # fmt: skip
        tokens = {
            s: running.service.keys.add(s, [s])[1] for s in ("stream", "read", "tune", "admin")
        }
        with httpx.Client(base_url=running.http, trust_env=False) as rest:
            for (method, path), scope in needs.items():
                assert rest.request(method, path).status_code == 401, path
                for held, token in tokens.items():
                    answer = rest.request(
                        method, path, headers={"Authorization": f"Bearer {token}"}
                    )
                    may = held in (scope, "admin")
                    assert (answer.status_code == 403) != may, (method, path, held, answer.text)


def test_the_folder_of_uploads_is_emptied_at_start(tmp_path: Path, tiny_bundle: Path) -> None:
    left = tmp_path / "uploads" / "ab"
    left.mkdir(parents=True)
    shutil.copy(tiny_bundle / "model.onnx", left / "0000")
    with live_server(tmp_path, models=(str(tiny_bundle),)):
        assert not left.exists()
