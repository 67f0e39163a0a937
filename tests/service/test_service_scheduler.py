"""Who is scored when: live streams first, nobody starved, and no fault of one is another's."""

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from wakeword_service import scheduler as scheduler_module
from wakeword_service.answers import Answers
from wakeword_service.auth import LOCAL
from wakeword_service.lane import BULK_STEPS_BESIDE_LIVE, SHARE
from wakeword_service.live import LiveStream, StreamOptions
from wakeword_service.metrics import Metrics
from wakeword_service.models import ModelHost
from wakeword_service.opening import open_live
from wakeword_service.scheduler import Scheduler
from wakeword_service.scoring import Scoring

from wakeword.protocol import StartMessage

SECOND = b"\0" * 32_000


class NoTuning:
    """Thresholds as the model has them."""

    def __init__(self, models: ModelHost) -> None:
        self._models = models

    def threshold(self, model: str, word: str) -> tuple[float, Any]:
        return self._models.engine(model).bundle.threshold(word), "model"


class NoRecorder:
    """Remembers nothing."""

    def steps(self, live: object, results: object) -> None: ...

    def detection(self, live: object, detection: object, clip: object) -> str:
        return "d"


class Watched(Scoring):
    """Scoring that notes each share, and waits until it may go on."""

    def __init__(self) -> None:
        metrics = Metrics()
        super().__init__(Answers(NoRecorder(), metrics, 1.0), metrics)
        self.shares: list[tuple[list[LiveStream], int]] = []
        self.go = threading.Event()
        self.go.set()

    def run(self, lives: Sequence[LiveStream], max_steps: int) -> float:
        self.go.wait(10.0)
        self.shares.append((list(lives), max_steps))
        return super().run(lives, max_steps)


@pytest.fixture(scope="module")
def models(tiny_bundle: Path) -> ModelHost:
    return ModelHost.load([str(tiny_bundle)])


def new_live(models: ModelHost, **start: Any) -> LiveStream:
    message = StartMessage(protocol=1, sample_rate=16_000, encoding="s16le", **start)
    return open_live(
        message, LOCAL, models, NoTuning(models), StreamOptions(), place=lambda engine: engine
    )


@contextmanager
def running(
    models: ModelHost, workers: int = 1, gather_s: float = 0.0
) -> Iterator[tuple[Scheduler, Watched]]:
    scoring = Watched()
    scheduler = Scheduler(
        scoring, NoTuning(models), Metrics(),
        workers=workers, processes=0, streams_here=0, gather_s=gather_s,
    )  # fmt: skip
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    scheduler.start(loop)
    try:
        yield scheduler, scoring
    finally:
        scoring.go.set()
        scheduler.stop()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def put(scheduler: Scheduler, live: LiveStream, data: bytes) -> None:
    if live.id not in scheduler.streams:
        scheduler.add(live, scheduler.enter())
    if live.inbox.put(data):
        live.lane.schedule(live)


def wait_until(condition: Any, timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_streams_that_are_due_share_a_call(models: ModelHost) -> None:
    lives = [new_live(models) for _ in range(2 * SHARE)]
    with running(models) as (scheduler, scoring):
        scoring.go.clear()
        for live in lives:
            put(scheduler, live, SECOND[:3200])
        scoring.go.set()
        wait_until(lambda: all(live.scored_s >= 0.1 for live in lives))
    sizes = [len(share) for share, _ in scoring.shares]
    assert sum(sizes) == 2 * SHARE and max(sizes) == SHARE and len(sizes) <= 4


def test_a_stream_waits_for_others_only_where_there_are_others(models: ModelHost) -> None:
    """Gathering takes a minute here: whatever is scored was not waited for."""
    alone, other = new_live(models), new_live(models)
    with running(models, gather_s=60.0) as (scheduler, scoring):
        put(scheduler, alone, SECOND[:3200])
        wait_until(lambda: alone.scored_s > 0.0)
        put(scheduler, other, SECOND[:1600])
        put(scheduler, alone, SECOND[:3200])
        time.sleep(0.2)
        assert len(scoring.shares) == 1, "the other may still come in"
        put(scheduler, other, SECOND[:1600])
        wait_until(lambda: other.scored_s > 0.0)
        assert [len(share) for share, _ in scoring.shares] == [1, 2]
        scheduler.remove(other)
        put(scheduler, alone, SECOND[:3200])
        wait_until(lambda: alone.scored_s > 0.25)


def test_a_process_has_company_before_the_next_one_is_asked(
    models: ModelHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler_module, "FULL", 4)
    scheduler = Scheduler(
        Watched(), NoTuning(models), Metrics(),
        workers=1, processes=2, streams_here=2, gather_s=0.0,
    )  # fmt: skip
    lanes = [scheduler.enter() for _ in range(14)]
    here, first, second = dict.fromkeys(lanes)
    assert lanes == [here] * 2 + [first] * 4 + [second] * 4 + [first, second] * 2
    scheduler.leave(here)
    for _ in range(3):
        scheduler.leave(first)
    again = [scheduler.enter() for _ in range(3)]
    assert again == [here, first, first]


def test_a_crowd_is_gathered_for_longer(models: ModelHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler_module, "UNHURRIED", 4)
    scheduler = Scheduler(
        Watched(), NoTuning(models), Metrics(),
        workers=1, processes=1, streams_here=2, gather_s=1.0,
    )  # fmt: skip
    lanes, gathered = [], []
    for _ in range(16):
        lanes.append(scheduler.enter())
        assert lanes[0].gather_s == lanes[-1].gather_s
        gathered.append(lanes[0].gather_s)
    assert gathered == [1.0] * 4 + [streams / 4 for streams in range(5, 13)] + [3.0] * 4
    for lane in lanes:
        scheduler.leave(lane)
    assert lanes[0].gather_s == lanes[-1].gather_s == 1.0


def test_a_file_gets_what_is_left_and_live_streams_go_first(models: ModelHost) -> None:
    file, lives = new_live(models), [new_live(models) for _ in range(4)]
    with running(models) as (scheduler, scoring):
        scoring.go.clear()
        put(scheduler, file, 60 * SECOND)
        for _ in range(5):
            for live in lives:
                put(scheduler, live, SECOND[:3200])
        scoring.go.set()
        wait_until(lambda: all(live.scored_s >= 0.5 for live in lives))
        assert file.scored_s < 20.0, "the file must not be scored before the live streams"
        wait_until(lambda: file.scored_s >= 60.0)
    beside = [steps for share, steps in scoring.shares if len(share) > 1 and file in share]
    assert all(steps <= BULK_STEPS_BESIDE_LIVE for steps in beside)


def test_two_workers_never_hold_one_stream_at_once(models: ModelHost) -> None:
    lives = [new_live(models) for _ in range(6)]
    held: set[LiveStream] = set()
    lock = threading.Lock()
    with running(models, workers=3) as (scheduler, scoring):
        score = scoring._step

        def checked(share: Sequence[LiveStream], max_steps: int) -> Any:
            with lock:
                assert not held & set(share)
                held.update(share)
            found = score(share, max_steps)
            with lock:
                held.difference_update(share)
            return found

        scoring._step = checked
        for _ in range(200):
            for live in lives:
                put(scheduler, live, SECOND[:3200])
        wait_until(lambda: all(live.scored_s >= 19.9 for live in lives))
        assert scheduler.alive and not any(live.broken for live in lives)


def test_a_worker_survives_a_fault_of_ours_and_says_it(models: ModelHost) -> None:
    live, other = new_live(models), new_live(models)
    with running(models) as (scheduler, scoring):
        run = scoring._step
        scoring._step = lambda *_: 1 / 0  # type: ignore[method-assign, assignment]
        put(scheduler, live, SECOND)
        wait_until(lambda: live.done)
        scoring._step = run
        put(scheduler, other, SECOND)
        wait_until(lambda: other.scored_s >= 1.0)
        assert scheduler.alive
    said = [str(live.outbox.take()) for _ in range(2)]
    assert '"reason":"error"' in said[0]
    assert '"internal"' in said[1] and "ZeroDivisionError" not in said[1]


def test_what_waits_is_kept_as_it_came(models: ModelHost) -> None:
    """Of a backlog only what is scored next is decoded: floats take twice the room."""
    live = new_live(models)
    with running(models) as (scheduler, scoring):
        scoring.go.clear()
        for _ in range(60):
            put(scheduler, live, SECOND)
        scoring.go.set()
        wait_until(lambda: live.scored_s > 0.0)
        assert max(len(s.pending) for s in live.streams) <= 5 * 16_000
        wait_until(lambda: live.scored_s >= 60.0)
