"""Thresholds over REST: expectations, history, preconditions, running streams, restarts."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from bundles import tiny_metadata, with_bursts, write_tiny_bundle
from live_server import START, LiveServer, client, live_server, pcm

WORD = "/v1/models/tiny/words/low tone/operating-point"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("state"), models=(str(tiny_bundle),)) as running:
        yield running


@pytest.fixture
def rest(server: LiveServer) -> Iterator[httpx.Client]:
    with server.service.store._database.write() as connection:  # as if it were new
        connection.execute("DELETE FROM threshold_changes")
        connection.execute("DELETE FROM sqlite_sequence")
    with httpx.Client(base_url=server.http, trust_env=False) as opened:
        yield opened


def put(rest: httpx.Client, wish: dict[str, Any], **headers: str) -> httpx.Response:
    """Choose a threshold, whatever is there now."""
    tag = headers or {"If-Match": rest.get(WORD).headers["ETag"]}
    return rest.put(WORD, json=wish, headers=tag)


def test_the_models_own_threshold_comes_with_its_measurement(rest: httpx.Client) -> None:
    found = rest.get(WORD).json()
    assert (found["threshold"], found["source"], found["last_change"]) == (0.6, "model", None)
    assert found["expected"] == {
        "basis": "measured",
        "audio": "the measurements that model tiny 1.0.0 brings",
        "false_alarms_per_hour": {"value": 0.0, "low": 0.0, "high": 0.3},
        "false_rejection_rate": {"value": 0.0, "low": 0.0, "high": 0.09},
        "confidence": 0.95, "hours": 10.0, "clips": 40, "condition": "tone bursts",
        "supported": True, "statement": "0 alarms in 10 h: at most 0.30 per hour at 95 %",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wish", "threshold", "basis"),
    [
        ({"threshold": 0.8}, 0.8, "measured"),
        ({"threshold": 0.7}, 0.7, "interpolated"),
        ({"threshold": 0.3}, 0.3, "outside"),
        ({"threshold": 0.95}, 0.95, "outside"),
        ({"false_alarms_per_hour": 2}, 0.5, "measured"),
        ({"false_alarms_per_hour": 1.0}, 0.55, "interpolated"),
    ],
)
def test_a_threshold_says_what_is_known_of_it(
    rest: httpx.Client, wish: dict[str, Any], threshold: float, basis: str
) -> None:
    found = put(rest, wish).json()
    assert found["threshold"] == pytest.approx(threshold) and found["source"] == "site"
    assert found["expected"]["basis"] == basis
    values = [
        found["expected"][n]["value"] for n in ("false_alarms_per_hour", "false_rejection_rate")
    ]
    assert (values == [None, None]) == (basis == "outside")
    assert rest.get(WORD).json() == found


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({}, "exactly one of"),
        ({"threshold": 0.0}, "body.threshold: Input should be greater than 0"),
        ({"threshold": 1.0}, "less than 1"),
        ({"threshold": "0.5"}, "valid number"),
        ({"threshold": True}, "valid number"),
        ({"threshold": 0.5, "false_alarms_per_hour": 1}, "not permitted"),
        ({"false_alarms_per_hour": 7}, "0.1 to 2"),
        ({"false_alarms_per_hour": -1}, "greater than 0"),
        ({"calibration": "0" * 16, "false_alarms_per_hour": 1}, "none of this id"),
        ({"calibration": "../etc", "false_alarms_per_hour": 1}, "pattern"),
        ({"calibration": "0" * 16}, "Field required"),
        ({"history": 99}, "no such change"),
        ({"history": 10**30}, "less than or equal"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused_and_changes_nothing(
    rest: httpx.Client, wish: dict[str, Any], said: str
) -> None:
    refused = put(rest, wish)
    assert refused.status_code == 422 and said in refused.json()["detail"]
    assert refused.headers["content-type"] == "application/problem+json"
    assert rest.get(WORD).json()["source"] == "model"


def test_not_a_number_is_no_threshold(rest: httpx.Client) -> None:
    for text in ("NaN", "Infinity", "1e999", '"\\ud800"', "[" * 5000):
        body = '{"threshold": %s}' % text  # noqa: UP031 - braces
        refused = rest.put(WORD, content=body, headers={"Content-Type": "application/json"})
        assert refused.status_code in (400, 422), text
        assert refused.json()["status"] == refused.status_code


def test_unknown_models_and_words_are_404(rest: httpx.Client) -> None:
    for path in ("/v1/models/huge", "/v1/models/huge/live", WORD.replace("low", "odd")):
        missing = rest.get(path)
        assert missing.status_code == 404 and "tiny" in missing.json()["detail"]


def test_preconditions_are_those_of_the_rfc(rest: httpx.Client) -> None:
    empty = rest.get(WORD).headers["ETag"]
    assert put(rest, {"threshold": 0.7}, **{"If-Match": "*"}).status_code == 412
    first = put(rest, {"threshold": 0.7}, **{"If-None-Match": "*"})
    assert first.status_code == 200 and first.headers["ETag"] != empty
    assert put(rest, {"threshold": 0.8}, **{"If-None-Match": "*"}).status_code == 412
    blind = rest.put(WORD, json={"threshold": 0.8})
    assert (blind.status_code, blind.json()["limit"]) == (428, first.headers["ETag"])
    assert rest.delete(WORD).status_code == 428
    stale = put(rest, {"threshold": 0.8}, **{"If-Match": empty})
    assert (stale.status_code, stale.json()["value"]) == (412, empty)
    either = put(rest, {"threshold": 0.8}, **{"If-Match": f"{empty}, {first.headers['ETag']}"})
    assert either.status_code == 200
    assert put(rest, {"threshold": 0.81}, **{"If-Match": "*"}).status_code == 200
    gone = rest.delete(WORD, headers={"If-Match": "*"})
    assert (gone.json()["source"], gone.json()["threshold"]) == ("model", 0.6)
    assert rest.put(WORD, json={"threshold": 0.9}).status_code == 200


def test_history_says_who_and_from_what_and_can_be_rolled_back(rest: httpx.Client) -> None:
    for wish in ({"threshold": 0.7}, {"false_alarms_per_hour": 2.0}):
        assert put(rest, wish).status_code == 200
    rest.delete(WORD, headers={"If-Match": "*"})
    back = put(rest, {"history": 1}).json()
    assert back["threshold"] == 0.7 and back["expected"]["basis"] == "interpolated"
    changes = rest.get(f"{WORD}/history").json()["changes"]
    assert [(c["from_threshold"], c["threshold"], c["source"]) for c in changes] == [
        (0.6, 0.7, "site"), (0.5, 0.6, "model"), (0.7, 0.5, "site"), (0.6, 0.7, "site"),
    ]  # fmt: skip
    assert [c["request"] for c in changes] == [
        {"history": 1}, {}, {"false_alarms_per_hour": 2.0}, {"threshold": 0.7},
    ]  # fmt: skip
    assert {c["by"] for c in changes} == {"local"} and changes[0]["when"].endswith("Z")
    assert put(rest, {"history": 3}).json()["source"] == "model"
    page = rest.get(f"{WORD}/history", params={"limit": 2}).json()
    rest_of_it = rest.get(f"{WORD}/history", params={"limit": 9, "before": page["next"]}).json()
    assert [c["id"] for c in page["changes"] + rest_of_it["changes"]] == [5, 4, 3, 2, 1]


def test_two_writers_never_overwrite_each_other(server: LiveServer, rest: httpx.Client) -> None:
    """Each adds to what it has read, so that a lost write would be seen in the sum."""
    put(rest, {"threshold": 0.1})
    writers, each = 4, 5

    def count_up() -> None:
        with httpx.Client(base_url=server.http, trust_env=False) as own:
            done = 0
            while done < each:
                now = own.get(WORD)
                wish = {"threshold": round(now.json()["threshold"] + 0.01, 2)}
                put_ = own.put(WORD, json=wish, headers={"If-Match": now.headers["ETag"]})
                assert put_.status_code in (200, 412)
                done += put_.status_code == 200

    threads = [threading.Thread(target=count_up) for _ in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rest.get(WORD).json()["threshold"] == pytest.approx(0.1 + 0.01 * writers * each)


def test_running_streams_get_it_at_once_unless_they_chose_themselves(
    server: LiveServer, rest: httpx.Client
) -> None:
    sound = pcm(with_bursts(3.0, [(1.0, "low tone")]))

    async def listen() -> list[tuple[list[float], bool]]:
        async with (
            client(server.stream) as plain,
            client(server.stream, {**START, "threshold": 0.4}) as own,
            httpx.AsyncClient(base_url=server.http, trust_env=False) as rest,
        ):
            for one in (plain, own):
                await one.send(sound)
                await one.wait_for("detection")
            assert (await rest.put(WORD, json={"threshold": 0.93})).status_code == 200
            found = []
            for one in (plain, own):
                await one.send(sound)
                heard = await one.end()
                told = "threshold_changed" in [w["code"] for w in heard.of("warning")]
                found.append(([d["threshold"] for d in heard.of("detection")], told))
            return found

    assert asyncio.run(listen()) == [([0.6, 0.93], True), ([0.4, 0.4], False)]


def test_it_survives_a_restart_and_a_new_version_of_the_model(tmp_path: Path) -> None:
    folder = write_tiny_bundle(tmp_path / "tiny")
    for restart in range(2):
        with (
            live_server(tmp_path / "state", models=(str(folder),)) as running,
            httpx.Client(base_url=running.http, trust_env=False) as rest,
        ):
            if restart:
                assert rest.get(WORD).json()["threshold"] == 0.77
                before = rest.get(WORD).headers["ETag"]
                write_tiny_bundle(folder, tiny_metadata(words=("low tone", "other")))
                assert rest.post("/v1/models/tiny/reload").status_code == 200
                found = rest.get(WORD)
                assert found.json()["threshold"] == 0.77 and found.json()["other_model"]
                assert found.json()["expected"]["basis"] == "interpolated"
                assert found.headers["ETag"] != before
            else:
                put(rest, {"threshold": 0.77})


def test_a_full_disk_is_507_and_the_old_threshold_stays(tmp_path: Path, tiny_bundle: Path) -> None:
    with (
        live_server(tmp_path, models=(str(tiny_bundle),)) as running,
        httpx.Client(base_url=running.http, trust_env=False) as rest,
    ):
        put(rest, {"threshold": 0.7})
        with running.service.store._database.write() as connection:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages}")
        last = 0.7
        for number in range(1000):
            answer = put(rest, {"threshold": 0.5 + number / 10_000})
            if answer.status_code != 200:
                break
            last = answer.json()["threshold"]
        assert answer.status_code == 507 and "full" in answer.json()["detail"]
        assert answer.json()["type"] == "urn:wakeword:problem:storage_full"
        assert rest.get(WORD).json()["threshold"] == last
        assert rest.get("/healthz").status_code == 200
