"""The process that calibrates: ``python -m wakeword_service.jobs.worker``.

It is apart from the server so that it shares neither its interpreter nor its priority, can be
stopped at any time, and takes nobody with it if a strange file breaks a decoder. The task comes
as one line of JSON; when standard input ends, so does the process: the server is gone then.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from typing import Any

from wakeword.errors import WakewordError
from wakeword_service.jobs.measure import Task, measure

EVERY_S = 0.2
NICE = 15


def main() -> None:
    """Do the task on standard input; lines of JSON say how far it is, and what came out."""
    _step_back()
    task = Task.from_dict(json.loads(sys.stdin.readline()))
    threading.Thread(target=_end_with_server, daemon=True).start()
    said_s = -EVERY_S

    def progress(done_s: float, total_s: float | None) -> None:
        nonlocal said_s
        if time.monotonic() - said_s >= EVERY_S:
            said_s = time.monotonic()
            _say({"done_s": done_s, "total_s": total_s})

    try:
        _say({"result": measure(task, progress)})
    except WakewordError as why:
        _say({"error": str(why)})
    except Exception:
        traceback.print_exc()
        _say({"error": "a fault of the server; its log says more"})


def _step_back() -> None:
    """Run only while nothing else wants the processor, as far as the system lets us."""
    if sys.platform == "linux":
        try:
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
            return
        except OSError:  # a container may forbid it
            pass
    if sys.platform != "win32":
        os.nice(NICE)


def _say(values: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def _end_with_server() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main()
