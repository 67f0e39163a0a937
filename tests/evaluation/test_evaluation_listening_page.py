"""The file itself: whole, closed to the network, and nothing in it but what was meant."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from bundles import RATE
from listening_pages import ABOUT, HOSTILE, data_of, make_page, make_trials

from wakeword.errors import AudioError, EvaluationError
from wakeword.evaluation.listening.page import check_listening_file
from wakeword.runtime import Bundle


class Parsed(HTMLParser):
    """All elements with their attributes, and the text directly inside each."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[tuple[str, list[str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open.append((tag, []))

    def handle_endtag(self, tag: str) -> None:
        while self._open:
            name, texts = self._open.pop()
            self.texts.append((name, "".join(texts)))
            if name == tag:
                break

    def handle_data(self, data: str) -> None:
        if self._open:
            self._open[-1][1].append(data)


@pytest.fixture(scope="module")
def parsed(listening_page: Path) -> Parsed:
    return Parsed(listening_page.read_text("utf-8"))


def test_it_names_no_other_file_and_no_address(listening_page: Path, parsed: Parsed) -> None:
    for tag, attributes in parsed.elements:
        assert "src" not in attributes and not any(name.startswith("on") for name in attributes)
        if tag == "link":
            assert attributes["href"] == "data:,"
        assert "style" not in attributes
    assert "://" not in re.sub(r'id="(sound|pictures)-.*', "", listening_page.read_text("utf-8"))


def test_the_policy_allows_its_own_script_and_style_only(parsed: Parsed) -> None:
    (policy,) = [a["content"] or "" for t, a in parsed.elements
                 if t == "meta" and a.get("http-equiv") == "Content-Security-Policy"]  # fmt: skip
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy
    running = [text for tag, text in parsed.texts
               if tag == "style" or (tag == "script" and "addEventListener" in text)]  # fmt: skip
    assert len(running) == 2
    for text in running:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_no_text_of_a_manifest_becomes_an_element(listening_page: Path, parsed: Parsed) -> None:
    assert not [tag for tag, _ in parsed.elements if tag in ("img", "b")]
    assert HOSTILE in {event["transcript"] for event in data_of(listening_page)["events"]}
    assert ("title", "Errors of tones <b>") in parsed.texts
    assert data_of(listening_page)["about"]["bundle"] == ABOUT["bundle"]


def test_what_did_not_fit_is_said(tmp_path: Path, tiny_bundle: Path) -> None:
    bundle = Bundle.load(tiny_bundle)
    values = data_of(make_page(tmp_path, bundle, make_trials(tmp_path, bundle), most=1))
    assert values["left_out"]
    for what, count in values["left_out"].items():
        assert what.endswith("thresholds)") and count > 0
    kept = [(e["kind"], e["condition"], e["basis"]) for e in values["events"]]
    assert len(kept) == len(set(kept))


def test_sound_and_pictures_of_one_stretch_are_there_once(listening_page: Path) -> None:
    """The same miss under both kinds of threshold, and both words of a clip."""
    values = data_of(listening_page)
    assert len(values["excerpts"]) < len(values["events"])
    assert {e["excerpt"] for e in values["events"]} == set(range(len(values["excerpts"])))


def test_what_cannot_be_written_is_refused_beforehand(tmp_path: Path) -> None:
    check_listening_file(tmp_path / "new.html", RATE)
    with pytest.raises(EvaluationError, match="it is a folder"):
        check_listening_file(tmp_path, RATE)
    with pytest.raises(EvaluationError, match=r"there is no folder .*nowhere"):
        check_listening_file(tmp_path / "nowhere" / "new.html", RATE)
    with pytest.raises(AudioError, match="no rate of 11025 Hz"):
        check_listening_file(tmp_path / "new.html", 11_025)
    assert list(tmp_path.iterdir()) == []
