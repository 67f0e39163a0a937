"""Patience: what returns is returned, what hangs is left behind and undone when it ends."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from wakeword.audio.patience import Patience
from wakeword.errors import DeviceError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="calls are direct elsewhere")


def wait_until(true, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_results_and_errors_are_those_of_the_call():
    patience = Patience("testing", 10.0, alone=True)
    assert patience.call(lambda: 7, late=pytest.fail) == 7
    with pytest.raises(ZeroDivisionError):
        patience.call(lambda: 1 // 0)
    assert not patience.hangs


def test_a_call_that_hangs_is_left_and_undone_when_it_ends():
    patience, go, undone = Patience("testing", 0.05, alone=True), threading.Event(), []

    def slow() -> str:
        go.wait(30)
        return "late"

    with pytest.raises(DeviceError, match=r"hangs: testing takes more than 0.05 s"):
        patience.call(slow, late=undone.append)
    assert patience.hangs
    with pytest.raises(DeviceError, match="hangs: an earlier try at testing"):
        patience.call(lambda: 1)
    assert undone == []
    go.set()
    wait_until(lambda: not patience.hangs)
    assert undone == ["late"]
    assert patience.call(lambda: 1) == 1


def test_calls_that_may_hang_side_by_side_do():
    patience, go = Patience("testing", 0.05, alone=False), threading.Event()
    for _ in range(2):
        with pytest.raises(DeviceError):
            patience.call(lambda: go.wait(30))
    go.set()
    wait_until(lambda: not patience.hangs)


def test_an_error_that_comes_late_is_nobodys():
    patience, go = Patience("testing", 0.05, alone=True), threading.Event()

    def fail() -> None:
        go.wait(30)
        raise ValueError

    with pytest.raises(DeviceError):
        patience.call(fail, late=pytest.fail)
    go.set()
    wait_until(lambda: not patience.hangs)


def test_a_call_that_hangs_keeps_no_program_alive():
    code = (
        "import time\nfrom wakeword.audio.patience import Patience\n"
        "try: Patience('testing', 0.05, alone=True).call(lambda: time.sleep(60))\n"
        "except Exception as error: print(error)"
    )
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert time.monotonic() - started < 30
