"""The listening page in a real browser, from a file: it draws, plays, filters and keeps classes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import Page, browser, require_chromium
from listening_pages import HOSTILE, data_of

pytestmark = pytest.mark.browser

CHANGED = "document.getElementById('filters').dispatchEvent(new Event('input'))"


@pytest.fixture(scope="module")
def file(listening_page: Path) -> Path:
    require_chromium()
    return listening_page


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, file: Path) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as page:
        page.watch_errors()
        page.open(file.as_uri())
        yield page


@pytest.fixture
def page(opened: Page) -> Iterator[Page]:
    """The page with all filters at rest; nothing may have gone wrong when a test ends."""
    opened.evaluate("document.querySelector('#filters [type=reset]').click()")
    opened.wait_for("document.getElementById('kind').value === ''")
    yield opened
    assert opened.errors == []


def choose(page: Page, **filters: str) -> list[dict[str, Any]]:
    """Set filters; gives the events that are listed then."""
    for name, value in filters.items():
        page.evaluate(f"document.getElementById('{name}').value = {json.dumps(value)}")
    page.evaluate(CHANGED)
    return listed(page)


def listed(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(
        "[...document.getElementById('events').children].map((card) => card.event)"
    )
    return found


def test_everything_is_listed_the_most_wrong_first(page: Page, file: Path) -> None:
    events = [e for e in data_of(file)["events"] if e["basis"] == "shipped"]
    shown = listed(page)
    assert len(shown) == len(events) > 5
    assert [e["how_wrong"] for e in shown] == sorted((e["how_wrong"] for e in events), reverse=True)
    count = page.evaluate("document.getElementById('count').textContent")
    misses = sum(e["kind"] == "miss" for e in events)
    assert count.startswith(f"{misses} misses and {len(events) - misses} false alarms shown")


def test_filters_and_orders(page: Page, file: Path) -> None:
    events = data_of(file)["events"]
    for name in ("kind", "word", "condition", "corpus", "speaker", "basis"):
        for value in {e[name] for e in events}:
            shown = choose(page, **{"basis": "shipped", name: value})
            wanted = [e for e in events if e[name] == value]
            assert all(e[name] == value for e in shown)
            if name != "basis":
                wanted = [e for e in wanted if e["basis"] == "shipped"]
            assert len(shown) == len(wanted)
            page.evaluate("document.querySelector('#filters [type=reset]').click()")
            page.wait_for("document.getElementById('kind').value === ''")
    assert [e["recording"] for e in choose(page, text="IMG SRC=X")] == ["lure.wav"]
    least = [e["how_wrong"] for e in choose(page, text="", order="least")]
    assert least == sorted(least)


def test_a_transcript_is_text(page: Page) -> None:
    choose(page, text="img src=x")
    assert HOSTILE in page.evaluate("document.querySelector('#events li dl').textContent")
    assert page.evaluate("document.images.length") == 0


def test_pictures_are_drawn_when_they_come_into_view(page: Page) -> None:
    choose(page, kind="false alarm")
    page.wait_for("document.querySelector('#events canvas').width > 0")
    colours = page.evaluate(
        "(() => { const c = document.querySelector('#events canvas');"
        "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height / 2).data;"
        "return new Set(new Uint32Array(d.buffer)).size; })()"
    )
    assert colours > 10
    choose(page, kind="")
    far = "document.querySelector('#events li:last-child canvas').width"
    page.wait_for(f"{far} === 0")
    page.evaluate("document.querySelector('#events li:last-child').scrollIntoView()")
    page.wait_for(f"{far} > 0")
    page.evaluate("scrollTo(0, 0)")
    page.wait_for(f"{far} === 0")


def test_keys_play_what_was_scored_and_move_on(page: Page, file: Path) -> None:
    choose(page, kind="")
    page.evaluate("document.activeElement.blur()")
    page.press("n")
    page.press(" ")
    player = "document.getElementById('player')"
    page.wait_for(f"{player}.currentTime > 0.1 && !{player}.paused")
    current = "document.querySelector('[aria-current]').event"
    excerpt = data_of(file)["excerpts"][page.evaluate(current)["excerpt"]]
    seconds = page.evaluate(f"{player}.duration")
    assert seconds <= excerpt["stop_s"] - excerpt["start_s"] + 0.01
    assert seconds == pytest.approx(excerpt["stop_s"] - excerpt["start_s"], abs=0.6)
    head = "document.querySelector('[aria-current] .head').style"
    page.wait_for(f"{head}.visibility === 'visible' && {head}.transform !== 'translateX(0px)'")
    page.press(" ")
    page.wait_for(f"{player}.paused")
    first = page.evaluate(f"{current}.key")
    page.press("n")
    assert page.evaluate(f"{current}.key") != first
    page.press("p")
    assert page.evaluate(f"{current}.key") == first


def save(page: Page, folder: Path) -> dict[str, Any]:
    """Click on "save" and read what was saved."""
    page.allow_downloads(folder)
    page.evaluate("document.getElementById('save').click()")
    saved = folder / "classes-of-error.json"
    deadline = time.monotonic() + 20
    while not saved.is_file():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    values: dict[str, Any] = json.loads(saved.read_text("utf-8"))
    return values


def load(page: Page, text: str) -> None:
    """Give the page a file, as if a person had chosen it."""
    page.evaluate(
        "(() => { const given = new DataTransfer();"
        f"given.items.add(new File([{json.dumps(text)}], 'classes.json'));"
        "const input = document.getElementById('load'); input.files = given.files;"
        "input.dispatchEvent(new Event('change')); })()"
    )


def reload(page: Page) -> None:
    page.evaluate("window.old = true; location.reload()")
    page.wait_for("!window.old && document.readyState === 'complete'")


def test_classes_are_counted_kept_saved_and_loaded(page: Page, file: Path, tmp_path: Path) -> None:
    choose(page, kind="false alarm")
    name, given = "document.querySelectorAll('#events input')[0]", "tone <b> in speech"
    page.evaluate(f"{name}.value = {json.dumps(given)}; {name}.dispatchEvent(new Event('change'))")
    counted = "document.querySelector('#classes tbody').innerText"
    assert f"1\t{given}\t0\t1" in page.evaluate(counted)
    values = save(page, tmp_path)
    (event,) = {e["key"]: e for e in values["events"]}.values()
    assert (event["class"], event["recording"], event["kind"]) == (given, "lure.wav", "false alarm")
    assert values["about"]["bundle"] == data_of(file)["about"]["bundle"]

    reload(page)
    assert [e["recording"] for e in choose(page, **{"class": given})] == ["lure.wav"]
    page.evaluate("localStorage.clear()")
    reload(page)
    assert given not in page.evaluate(counted)
    load(page, json.dumps(values))
    page.wait_for(f"document.getElementById('class').textContent.includes({json.dumps(given)})")
    assert [e["recording"] for e in choose(page, **{"class": given})] == ["lure.wav"]


@pytest.mark.parametrize("text", ["no json", "{}", '{"events": [{"class": "x"}]}', "null"])
def test_a_file_that_holds_no_classes_changes_nothing(page: Page, text: str) -> None:
    before = page.evaluate("document.querySelector('#classes tbody').innerText")
    load(page, text)
    kept = "document.getElementById('kept').textContent"
    page.wait_for(f"{kept}.startsWith('Not a file of classes')")
    assert page.evaluate("document.querySelector('#classes tbody').innerText") == before
    page.evaluate("document.getElementById('kept').textContent = ''")
