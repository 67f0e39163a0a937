"""Generated sections replace themselves and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from score_tracks import RULES, WORD, track

from wakeword.errors import EvaluationError
from wakeword.evaluation.calibration import calibrate
from wakeword.evaluation.documents import operating_points_section, replace_section

prose = st.text(st.characters(exclude_characters="<>", exclude_categories=["Cs"]), max_size=40)


@given(prose, prose, prose, prose)
def test_only_the_section_changes(before: str, after: str, old: str, new: str) -> None:
    document = f"{before}<!-- begin x -->\n{old}\n<!-- end x -->{after}"
    changed = replace_section(document, "x", new)
    assert changed == f"{before}<!-- begin x -->\n{new.strip()}\n<!-- end x -->{after}"
    assert replace_section(changed, "x", new) == changed


def test_a_new_section_goes_to_the_end_and_others_stay() -> None:
    document = replace_section("# Card\n", "a", "one")
    document = replace_section(document, "b", "two")
    document = replace_section(document, "a", "three")
    assert document == (
        "# Card\n\n<!-- begin a -->\nthree\n<!-- end a -->\n\n"
        "<!-- begin b -->\ntwo\n<!-- end b -->\n"
    )
    assert replace_section("", "a", "x").startswith("<!-- begin a -->")


@pytest.mark.parametrize(
    "document",
    [
        "<!-- begin x -->",
        "<!-- end x -->",
        "<!-- end x --><!-- begin x -->",
        "<!-- begin x --><!-- end x --><!-- end x -->",
    ],
)
def test_damaged_markers_are_refused(document: str) -> None:
    with pytest.raises(EvaluationError, match="one pair"):
        replace_section(document, "x", "new")


def test_the_card_says_what_the_hours_cannot_support() -> None:
    negatives = [track([0.9, 0.1] * 18_000)]
    positives = [track([0.1, 0.95, 0.1], [(0.05, 0.2)])]
    points = calibrate(WORD, negatives, positives, RULES, "noise at 10 dB SNR", (0.5, 20_000.0))
    section = operating_points_section({WORD: points})
    assert "Misses: noise at 10 dB SNR." in section
    assert "- low tone, 0.5 per hour: " in section and "cannot support 0.5 per hour" in section
    assert "- low tone, 20000 per hour" not in section
