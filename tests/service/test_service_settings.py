"""Settings: from the environment, within limits, and the page that lists them."""

from pathlib import Path

import pytest
from scripts import script
from wakeword_service.settings import Settings, load_settings

from wakeword.errors import ConfigError


def test_the_page_lists_every_setting_and_metric(repository: Path) -> None:
    tool = script("tools/service_page.py")
    assert tool.PAGE.read_text("utf-8") == tool.service_page(), "run: python3 dev.py docs"
    assert all(field.description for field in Settings.model_fields.values())


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAKEWORD_SERVICE_PORT", "1234")
    monkeypatch.setenv("WAKEWORD_SERVICE_MODELS", "seven, computer,")
    monkeypatch.setenv("WAKEWORD_SERVICE_KEEP_CLIPS", "true")
    found = load_settings(max_streams=7, port=None)
    assert (found.port, found.models, found.keep_clips) == (1234, ("seven", "computer"), True)
    assert found.max_streams == 7 and load_settings(port=99).port == 99


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True),
        ("0.0.0.0", False), ("::", False), ("192.168.1.2", False), ("example", False),
    ],
)  # fmt: skip
def test_what_is_heard_by_this_machine_only(host: str, loopback: bool) -> None:
    assert Settings(host=host).is_loopback is loopback


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(ConfigError, match=r"port = -1: .*; buffer_s = 0: .*; colour = 1: "):
        load_settings(port=-1, buffer_s=0, colour=1)
