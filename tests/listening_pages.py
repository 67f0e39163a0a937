"""A real listening page of the tiny bundle: misses in loud noise, alarms in what is no word."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bundles import with_bursts
from tone_manifest import LOW, tone_manifest

from wakeword.data.manifest import read_manifest
from wakeword.evaluation.conditions import Condition
from wakeword.evaluation.measurement import evaluate
from wakeword.runtime import Bundle
from wakeword.training.listening import write_listening_page
from wakeword.training.measuring import score_trials
from wakeword.training.trials import TrialConfig, Trials

HOSTILE = "</script><img src=x onerror=alert(1)><!-- \u2028 & 'quoted' \"twice\""
CONDITIONS = (Condition("clean"), Condition("noise", -15.0), Condition("babble", -15.0))
ABOUT = {"bundle": "tones <b>", "version": "1", "split": "dev", "seed": 1}


def no_progress(name: str, total: float, unit: str = "s") -> Callable[[float], None]:
    """A stage that nobody watches."""
    return lambda amount: None


def make_trials(folder: Path, bundle: Bundle) -> Trials:
    """Clips, noise and speech; one sentence of which holds the tone, and claims something else."""
    made = tone_manifest(folder)
    made.add(
        "lure", 0.1 * with_bursts(4.0, [(2.0, LOW)], noise=0.002), HOSTILE, "talk", speaker="l"
    )
    made.save()
    return open_trials(folder, bundle)


def open_trials(folder: Path, bundle: Bundle) -> Trials:
    """What :func:`make_trials` wrote."""
    config = TrialConfig(frozenset({"noise"}), talkers=4)
    return Trials.of_bundles([bundle], read_manifest(folder / "manifest.csv"), config)


def make_page(folder: Path, bundle: Bundle, trials: Trials, most: int = 100) -> Path:
    """Score, evaluate, write."""
    scored = score_trials(bundle, trials, CONDITIONS, no_progress)
    result = evaluate(bundle, scored.recorded, scored.by_condition, scored.rules)
    about = {**ABOUT, "target_fa_per_hour": result.target_fa_per_hour}
    page = folder / "errors.html"
    write_listening_page(
        page, bundle, trials, CONDITIONS, scored, result,
        about=about, most=most, stage=no_progress,
    )  # fmt: skip
    return page


def data_of(page: Path) -> dict[str, Any]:
    """What the page's script reads."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>',
                      page.read_text("utf-8"), re.S)  # fmt: skip
    assert found
    values: dict[str, Any] = json.loads(found[1])
    return values
