"""The queue of calibrations: one runs at a time, a bounded number waits."""

from __future__ import annotations

import json
import logging
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wakeword_service.jobs.measure import Task
from wakeword_service.settings import Settings
from wakeword_service.store import CalibrationRow, Store, StoreError
from wakeword_service.store.calibrations import CalibrationStatus
from wakeword_service.uploads import UploadFolder

logger = logging.getLogger(__name__)

MAX_QUEUED = 8
RETRY_S = 2.0
RESTARTED = "the server was restarted before the calibration was done: send it again"


class QueueFull(StoreError):
    """So many calibrations wait that no more are taken."""

    code = "queue_full"
    retry_after_s = 60


@dataclass(frozen=True)
class Progress:
    """Seconds of audio that were scored, and that there are where that is known."""

    done_s: float
    total_s: float | None


@dataclass
class _Job:
    """A job that has not ended; ``process`` is there while it runs, ``stopped`` says why not."""

    id: str
    task: Task
    folder: Path
    progress: Progress = Progress(0.0, None)
    process: subprocess.Popen[str] | None = None
    begun: bool = False
    stopped: str | None = None


class Calibrations:
    """Takes jobs, runs them in the order they came, and remembers what became of them.

    Parameters
    ----------
    clock
        The wall clock in seconds, for dates only.
    """

    def __init__(
        self, settings: Settings, store: Store, clock: Callable[[], float] = time.time
    ) -> None:
        self.uploads = UploadFolder(settings.state_dir)
        self._store = store
        self._limit_s = settings.job_seconds
        self._clock = clock
        self._jobs: dict[str, _Job] = {}
        """Those that wait, and the one that runs, in the order they came."""
        self._lock = threading.Condition()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="calibrations", daemon=True)

    def start(self) -> None:
        """Say of jobs that were interrupted that they failed, and begin."""
        self.uploads.clear()
        for row in self._store.calibrations.unfinished():
            self._store.calibrations.end(row.id, "failed", self._clock(), error=RESTARTED)
        self._thread.start()

    def stop(self) -> None:
        """End the job that runs, and take no more; may be called twice."""
        self._stopping.set()
        with self._lock:
            jobs = list(self._jobs.values())
            self._lock.notify()
        for job in jobs:
            self._halt(job, "the server was stopped before the calibration was done")
        if self._thread.ident is not None:
            self._thread.join()

    def submit(
        self, model: str, task: Task, folder: Path, request: Mapping[str, Any], key_name: str
    ) -> CalibrationRow:
        """Queue a job; ``folder`` with its files belongs to it from now on.

        Raises
        ------
        QueueFull
            Too many wait.
        StorageFull, StoreError
            It could not be noted down.
        """
        row = CalibrationRow(
            id=secrets.token_hex(8), created_s=self._clock(), status="queued", model=model,
            model_sha256=task.sha256, key_name=key_name, request=request,
        )  # fmt: skip
        job = _Job(row.id, task, folder)
        with self._lock:
            if len(self._jobs) >= MAX_QUEUED or self._stopping.is_set():
                raise QueueFull(f"{MAX_QUEUED} calibrations wait already: try again later")
            self._store.calibrations.add(row)
            self._jobs[row.id] = job
            self._lock.notify()
        return row

    def remove(self, job: str) -> bool:
        """Forget a job, and end it where it waits or runs; False where there is none.

        Raises
        ------
        StorageFull, StoreError
            It could not be forgotten; if it ran, it goes on.
        """
        if not self._store.calibrations.remove(job):
            return False
        with self._lock:
            found = self._jobs.pop(job, None)
        if found is not None and not self._halt(found, "it was removed"):
            self.uploads.remove(found.folder)
        return True

    def progress(self, job: str) -> Progress | None:
        """How far a job is that waits or runs."""
        with self._lock:
            found = self._jobs.get(job)
        return None if found is None else found.progress

    def _halt(self, job: _Job, why: str) -> bool:
        """End a job; False where it has not begun, and never will."""
        with self._lock:
            job.stopped = job.stopped or why
            if job.process is not None:
                job.process.kill()
            return job.begun

    def _next(self) -> _Job | None:
        with self._lock:
            self._lock.wait_for(lambda: self._jobs or self._stopping.is_set())
            job = next(iter(self._jobs.values()), None)
            if job is not None:
                job.begun = True
            return job

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                status, result, error = self._work(job)
                self._end(job, status, result, error)
            except Exception:
                logger.exception("a calibration broke")
                self._end(job, "failed", None, "a fault of the server; its log says more")
            finally:
                with self._lock:
                    self._jobs.pop(job.id, None)

    def _work(self, job: _Job) -> tuple[CalibrationStatus, dict[str, Any] | None, str | None]:
        said: dict[str, Any] = {}
        try:
            if job.stopped is None and self._store.calibrations.start(job.id):
                said = self._talk(job)
        finally:
            self.uploads.remove(job.folder)  # before anyone reads that it has ended
        if job.stopped is not None:
            return "failed", None, job.stopped
        if "result" in said:
            return "done", said["result"], None
        return "failed", None, said.get("error", "the process that calibrates has died")

    def _talk(self, job: _Job) -> dict[str, Any]:
        """Run the process, take down its progress, and return the last thing it said."""
        command = [sys.executable, "-P", "-m", "wakeword_service.jobs.worker"]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        too_long = f"the calibration took longer than {self._limit_s:g} s, the limit"
        timer = threading.Timer(self._limit_s, self._halt, (job, too_long))
        said: dict[str, Any] = {}
        with process:
            assert process.stdin is not None and process.stdout is not None
            timer.start()
            try:
                with self._lock:
                    job.process = process
                if job.stopped is not None:
                    process.kill()
                process.stdin.write(json.dumps(job.task.to_dict()) + "\n")
                process.stdin.flush()
                for line in process.stdout:
                    said = json.loads(line)
                    if "done_s" in said:
                        job.progress = Progress(said["done_s"], said["total_s"])
            except (OSError, ValueError):  # it died, or was killed in the middle of a line
                said = {}
            finally:
                timer.cancel()
                process.kill()
        return said

    def _end(
        self, job: _Job, status: CalibrationStatus, result: dict[str, Any] | None, error: str | None
    ) -> None:
        """Write down how a job ended, as soon as the disk lets us."""
        while True:
            try:
                self._store.calibrations.end(job.id, status, self._clock(), result, error)
                return
            except StoreError as why:
                logger.error("the result of a calibration waits: %s", why)
                if self._stopping.wait(RETRY_S):
                    return
