"""The generated section of docs/commands.md: how often the command set that ships is right."""

from __future__ import annotations

from pathlib import Path

from sections import Section

from wakeword.cli.command_protocol import command_trials, measured_on
from wakeword.cli.trial_options import TrialOptions
from wakeword.evaluation.commands.report import draw
from wakeword.evaluation.commands.tables import text_report
from wakeword.runtime import Bundle

SPLIT, SEED = "test", 1
ALT = {"roc": "False rejects over false alarms", "confusion": "What is taken for what"}


def commands(bundle: Bundle, manifest_path: Path, section: Section) -> str:
    """Accuracy, classes, confusions, and their pictures.

    Raises
    ------
    EvaluationError
        ``bundle`` is no command set, or the manifest lacks its words.
    """
    manifest, trials = command_trials([bundle], TrialOptions(manifest_path, SPLIT, (), SEED))
    results = measured_on([bundle], trials)
    links = []
    for name, picture in draw(results).items():
        kind = Path(name).stem.split("-")[0]
        links.append(section.picture(f"{bundle.name}-{kind}.png", picture, ALT[kind]))
    said = (
        f"Bundle `{bundle.name}` {bundle.metadata.version} (sha256 {bundle.sha256[:12]}…) on the "
        f"split `{SPLIT}` of the manifest with sha256 {manifest.sha256[:12]}…, seed {SEED}."
    )
    return "\n\n".join([said, text_report(results), "\n".join(links)])
