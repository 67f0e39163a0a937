"""Findings as one HTML file that needs nothing else: no network, no other file, no framework.

The text of what was found is JSON, read by the page's own script and shown as text only. Sound
and pictures stand beside it, each in a data block of its own that is decoded when it comes
into view. A content security policy allows exactly this script and this style.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from wakeword.audio.opus_file import ogg_opus
from wakeword.errors import EvaluationError
from wakeword.evaluation.events import EventRules
from wakeword.evaluation.listening.excerpts import BANDS, LEVELS, Excerpt
from wakeword.evaluation.listening.findings import Finding
from wakeword.files import atomic_write
from wakeword.frontend import FrontendConfig

SCRIPTS = ("data.js", "classes.js", "drawing.js", "cards.js", "sound.js", "page.js")
"""They are one module of the page, in this order."""

_SHOWN_SCORE = 0.02
"""What stays below it has no line, unless it is the word in question."""


@dataclass(frozen=True)
class Described:
    """A finding with what the manifest says of its recording.

    excerpt
        The number of its stretch on the page.
    mixed_in
        What noise or which talkers, in words; empty where it is as recorded.
    times_known
        Whether the manifest states when the word is said.
    """

    finding: Finding
    excerpt: int
    transcript: str
    mixed_in: str
    times_known: bool


@dataclass
class ListeningPage:
    """Collects excerpts and findings; :meth:`write` makes the file.

    about
        What was measured, and with what.
    """

    about: Mapping[str, Any]
    frontend: FrontendConfig
    rules: EventRules
    _excerpts: list[Mapping[str, Any]] = field(default_factory=list)
    _media: list[tuple[str, str]] = field(default_factory=list)

    def add_excerpt(self, excerpt: Excerpt, findings: Sequence[Finding], level_dbfs: float) -> int:
        """Encode the stretch of a stream that ``findings`` share.

        Returns
        -------
        number
            By which descriptions of them refer to it.
        """
        track, stop_s = findings[0].track, findings[0].stop_s
        words = {finding.event.word for finding in findings}
        start_s = excerpt.start_sample / self.frontend.sample_rate
        step_s = self.rules.step_s
        first = max(0, round(start_s / step_s) - 1)
        near = track.posteriors[first : max(first, round(stop_s / step_s))]
        self._excerpts.append(
            {
                "start_s": round(start_s, 4),
                "stop_s": round(max(stop_s, start_s + step_s), 4),
                "first_frame_s": round(excerpt.first_frame_s, 4),
                "frames": len(excerpt.features),
                "first_score_s": round((first + 1) * step_s, 4),
                "scores": {
                    word: np.rint(1000 * near[:, i]).astype(int).tolist()
                    for i, word in enumerate(track.words)
                    if word in words or near[:, i].max(initial=0.0) >= _SHOWN_SCORE
                },
                "level_dbfs": round(level_dbfs, 1),
            }
        )
        pictures = zlib.compress(excerpt.spectrogram.tobytes() + excerpt.features.tobytes(), 9)
        self._media.append(
            (_base64(ogg_opus(excerpt.samples, self.frontend.sample_rate)), _base64(pictures))
        )
        return len(self._excerpts) - 1

    def write(
        self, path: str | Path, findings: Sequence[Described], left_out: Mapping[str, int]
    ) -> None:
        """Write the page: the whole new file, or what was there before.

        Raises
        ------
        OSError
            As from any writing, a full disk included.
        """
        values = {
            "about": dict(self.about),
            "left_out": dict(left_out),
            "features": self.frontend.kind.upper() if self.frontend.kind != "logmel" else "log-mel",
            "channels": self.frontend.channels,
            "bands": BANDS,
            "levels": LEVELS,
            "hop_s": self.frontend.hop_samples / self.frontend.sample_rate,
            "step_s": self.rules.step_s,
            "excerpts": self._excerpts,
            "events": [_event(found) for found in findings],
        }
        title = f"Errors of {self.about.get('bundle', 'a model')}"
        with atomic_write(path) as file:
            for part in self._parts(title, values):
                file.write(part)

    def _parts(self, title: str, values: Mapping[str, Any]) -> Iterator[str]:
        style, script = _asset("page.css"), "\n".join(map(_asset, SCRIPTS))
        policy = (
            f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
            "img-src data:; media-src data:; base-uri 'none'; form-action 'none'"
        )
        frame = _asset("page.html").replace("{policy}", policy)
        head, body, end = frame.replace("{title}", html.escape(title)).split("<!-- here -->\n")
        yield head
        yield f"<style>{style}</style>\n"
        yield body
        yield f'<script type="application/json" id="data">{_json(values)}</script>\n'
        for number, (sound, pictures) in enumerate(self._media):
            yield f'<script type="text/plain" id="sound-{number}">{sound}</script>\n'
            yield f'<script type="text/plain" id="pictures-{number}">{pictures}</script>\n'
        yield f'<script type="module">{script}</script>\n'
        yield end


def check_listening_file(path: str | Path, sample_rate: int) -> None:
    """Refuse, before hours of work, a file that cannot be written, or sound that cannot be.

    Raises
    ------
    EvaluationError
        ``path`` is a folder, or its folder does not exist.
    AudioError, MissingExtraError
        As from :func:`~wakeword.audio.opus_file.ogg_opus`.
    """
    target = Path(path)
    if target.is_dir():
        raise EvaluationError(f"cannot write a listening page to {target}: it is a folder")
    if not target.absolute().parent.is_dir():
        raise EvaluationError(
            f"cannot write a listening page to {target}: there is no folder {target.parent}"
        )
    ogg_opus(np.zeros(sample_rate // 10, np.float32), sample_rate)


def _event(found: Described) -> dict[str, Any]:
    finding, event = found.finding, found.finding.event
    truths = [t for t in finding.track.label.truths if t.start_s < finding.stop_s]
    return {
        "kind": event.kind,
        "basis": event.basis,
        "word": event.word,
        "condition": event.condition or "as recorded",
        "recording": event.recording,
        "corpus": event.corpus,
        "speaker": event.speaker or "unknown",
        "transcript": found.transcript,
        "mixed_in": found.mixed_in,
        "time_s": event.time_s,
        "peak": round(finding.peak, 4),
        "threshold": round(event.threshold, 4),
        "how_wrong": round(finding.how_wrong, 2),
        "excerpt": found.excerpt,
        "truths": [[t.word, round(t.start_s, 3), round(t.end_s, 3)] for t in truths],
        "times_known": found.times_known,
        "detections": finding.detections,
    }


def _asset(name: str) -> str:
    return (files(__package__) / name).read_text("utf-8")


def _json(values: Mapping[str, Any]) -> str:
    """JSON that may stand inside a script element: no transcript can end it, or begin a comment."""
    text = json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _hash(text: str) -> str:
    """As a content security policy names an inline script or style."""
    return f"'sha256-{_base64(hashlib.sha256(text.encode('utf-8')).digest())}'"
