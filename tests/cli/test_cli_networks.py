"""``wakeword networks``: the list is what the networks themselves say."""

from __future__ import annotations

import pytest
from inprocess import run
from scripts import script

from wakeword.frontend import FrontendConfig, preset
from wakeword.networks import NETWORKS

Capture = pytest.CaptureFixture[str]


def test_the_list(capsys: Capture) -> None:
    done = run(capsys, "networks", "tc-resnet8", "cnn-2")
    assert done.code == 0 and done.err == ""
    head, first, second = done.out.splitlines()
    assert head.split()[:2] == ["name", "family"]
    for part in ("tc-resnet8", "mfcc 40, 30/10 ms", "98", "65,824", "66 k", "3.05", "70.3"):
        assert part in first
    assert first.endswith("96.1 %")
    assert "mfcc 40, 40/20 ms" in second and "148,496" in second


def test_the_list_as_json(capsys: Capture) -> None:
    (found,) = run(capsys, "networks", "ds-cnn-s", "--labels", "3", "--json").records
    assert FrontendConfig.from_dict(found["frontend"]) == preset("mfcc-40-20")
    assert found["window_frames"] == 49 and found["labels"] == 3
    assert found["all_parameters"] == 24_332 - 9 * 65
    assert found["flops"] == 2 * found["macs"] == 2 * (2_656_768 - 9 * 64)
    assert found["printed"]["parameters_thousands"] == 24
    assert found["memory_8_bit"]["activations_bytes"] == 2 * 25 * 5 * 64


def test_an_unknown_network_is_refused(capsys: Capture) -> None:
    done = run(capsys, "networks", "tc-resnet9")
    assert done.code == 2 and done.out == ""
    assert "unknown network 'tc-resnet9'" in done.err
    assert all(name in done.err for name in NETWORKS)


def test_the_page_of_networks_is_current() -> None:
    module = script("tools/network_table.py")
    assert module.networks_page() == module.PAGE.read_text("utf-8"), "run: python3 dev.py docs"
