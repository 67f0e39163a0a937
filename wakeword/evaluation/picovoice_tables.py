"""The Picovoice benchmark as rows for files and as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, get_args

from wakeword.evaluation.intervals import rate_sentence
from wakeword.evaluation.outcomes import Basis
from wakeword.evaluation.picovoice_result import (
    PUBLISHED,
    PUBLISHED_NOTE,
    RATES_PER_HOUR,
    TARGET_FA_PER_HOUR,
    ProtocolResult,
    WordResult,
)
from wakeword.evaluation.tables import BASES, markdown, per_hour, share

Row = Mapping[str, Any]


def word_rows(result: ProtocolResult) -> Iterator[Row]:
    """One row for each word and kind of threshold."""
    for word in result.words:
        for basis in get_args(Basis):
            outcome = word.outcome(basis)
            if outcome is None:
                continue
            yield {
                "word": word.word,
                "basis": basis,
                "target_fa_per_hour": result.target_fa_per_hour,
                "threshold": outcome.threshold,
                "missed": outcome.misses.missed,
                "clips": outcome.misses.clips,
                "speakers": word.speakers,
                "frr": outcome.misses.value,
                "frr_low": outcome.misses.low,
                "frr_high": outcome.misses.high,
                "alarms": outcome.rate.alarms,
                "hours": outcome.rate.hours,
                "fa_per_hour": outcome.rate.per_hour,
                "fa_per_hour_low": outcome.rate.low,
                "fa_per_hour_high": outcome.rate.high,
                "repeats": outcome.repeats,
                "alarming_recordings": outcome.distinct.alarms,
                "distinct_hours": outcome.distinct.hours,
                "fa_per_distinct_hour_high": outcome.distinct.high,
            }


def mean_rows(result: ProtocolResult) -> Iterator[Row]:
    """Means over the words, and what is published of others."""
    groups = {"all words": tuple(w.word for w in result.words)}
    if set(result.benchmark_words) != set(groups["all words"]):
        groups["words of the benchmark"] = result.benchmark_words
    for name, words in groups.items():
        for basis in get_args(Basis):
            mean = result.mean_miss(basis, words)
            if mean is not None:
                yield {
                    "engine": "this model", "words_of": name, "basis": basis, "words": mean.words,
                    "clips": mean.clips, "speakers": mean.speakers, "frr": mean.frr,
                    "frr_low": mean.low, "frr_high": mean.high, "note": "",
                }  # fmt: skip
    if result.target_fa_per_hour == TARGET_FA_PER_HOUR:
        for engine, frr in PUBLISHED.items():
            yield {
                "engine": engine, "words_of": "words of the benchmark", "basis": "", "words": 6,
                "clips": "", "speakers": "", "frr": frr, "frr_low": "", "frr_high": "",
                "note": PUBLISHED_NOTE,
            }  # fmt: skip


def content_rows(result: ProtocolResult) -> Iterator[Row]:
    """What each stream holds."""
    for word in result.words:
        yield {"word": word.word, **asdict(word.content), "median_snr_db": word.median_snr_db}


def event_rows(result: ProtocolResult) -> Iterator[Row]:
    """Every miss and every false alarm, with each kind of threshold."""
    for word in result.words:
        for basis in get_args(Basis):
            outcome = word.outcome(basis)
            if outcome is None:
                continue
            same = {"word": word.word, "basis": basis, "threshold": outcome.threshold}
            for miss in outcome.missed:
                said = miss.utterance
                yield {
                    "kind": "miss", **same, "time_s": round(said.end_s, 3), "score": miss.score,
                    "recording": said.name, "speaker": said.speaker, "noise": said.noise,
                    "snr_db": round(said.snr_db, 1),
                }  # fmt: skip
            for alarm in outcome.alarms:
                speech, noise = (alarm.recording, "") if alarm.is_speech else ("", alarm.recording)
                yield {
                    "kind": "false alarm", **same, "time_s": alarm.time_s, "score": alarm.score,
                    "recording": speech, "speaker": "", "noise": noise, "snr_db": "",
                }  # fmt: skip


def curve_rows(result: ProtocolResult) -> Iterator[Row]:
    """The curve of each word: a row for each number of alarms that a threshold can keep."""
    for word in result.words:
        curve = word.curve
        for index in curve.frontier():
            misses, rate = curve.misses_at(index), curve.rate_at(index)
            yield {
                "word": word.word,
                "threshold": float(curve.thresholds[index]),
                "alarms": rate.alarms,
                "fa_per_hour": rate.per_hour,
                "fa_per_hour_low": rate.low,
                "fa_per_hour_high": rate.high,
                "missed": misses.missed,
                "clips": misses.clips,
                "frr": misses.value,
                "frr_low": misses.low,
                "frr_high": misses.high,
            }


def mean_curve_rows(result: ProtocolResult) -> Iterator[Row]:
    """The mean over all words, with its interval over speakers."""
    for rate, frr, low, high in zip(RATES_PER_HOUR, *result.mean_curve(), strict=True):
        yield {
            "fa_per_hour": float(rate),
            "frr": float(frr),
            "frr_low": float(low),
            "frr_high": float(high),
        }


def text_report(result: ProtocolResult) -> str:
    """All tables with their titles, and what the streams can prove."""
    target = f"{result.target_fa_per_hour:g} false alarms per hour"
    parts = []
    for basis, what in BASES.items():
        table = _word_table(result, basis)
        if table:
            parts += [f"Missed at {target}, {what}:", table]
        else:
            parts.append(f"At {target}, {what}: no word has a threshold for it.")
    parts += ["Mean over words, beside what is published:", _mean_table(result)]
    parts += ["What the streams hold:", _content_table(result)]
    parts.append("What they say of the thresholds chosen on them:\n" + "\n".join(_said(result)))
    return "\n\n".join(parts)


def _word_table(result: ProtocolResult, basis: Basis) -> str:
    rows = []
    for word in result.words:
        o = word.outcome(basis)
        if o is not None:
            rows.append([
                word.word, str(o.misses.clips), str(word.speakers or "unknown"),
                f"{o.threshold:.4f}", share(o.misses), str(o.rate.alarms), f"{o.rate.hours:.1f}",
                per_hour(o.rate), str(o.repeats),
            ])  # fmt: skip
    header = ["word", "clips", "speakers", "threshold", "missed", "false alarms", "hours",
              "per hour", "repeats"]  # fmt: skip
    return markdown(header, rows) if rows else ""


def _mean_table(result: ProtocolResult) -> str:
    rows = []
    for row in mean_rows(result):
        missed = f"{100 * row['frr']:.1f} %"
        if row["frr_low"] != "":
            missed += f" ({100 * row['frr_low']:.1f} to {100 * row['frr_high']:.1f})"
        basis = BASES[row["basis"]] if row["basis"] else row["note"]
        rows.append([row["engine"], f"{row['words']} ({row['words_of']})", missed, basis])
    return markdown(["engine", "words", "missed", "threshold"], rows)


def _content_table(result: ProtocolResult) -> str:
    rows = []
    for word in result.words:
        c = word.content
        rows.append([
            word.word, f"{c.hours:.2f}", f"{c.spoken_segments} of {c.segments}",
            f"{c.spoken_hours:.2f}", f"{c.distinct_speech_hours:.2f}",
            f"{c.distinct_noise_hours:.2f}", f"{word.median_snr_db:.1f} dB",
        ])  # fmt: skip
    header = ["word", "hours", "segments spoken", "hours spoken", "of them different",
              "hours of different noise", "median SNR, loudest 0.3 s"]  # fmt: skip
    return markdown(header, rows)


def _said(result: ProtocolResult) -> Iterator[str]:
    for word in result.words:
        if word.chosen is None:
            yield f"- {word.word}: no threshold keeps {result.target_fa_per_hour:g} per hour"
        else:
            yield f"- {word.word}: {_sentence(word)}"


def _sentence(word: WordResult) -> str:
    """The exact bound for these mixtures, and what remains of it for sound of another day."""
    outcome, content = word.chosen, word.content
    assert outcome is not None, "asked only of words with a threshold"
    spoken = content.spoken_hours / max(content.distinct_speech_hours, 1e-9)
    noise = content.hours / content.distinct_noise_hours
    noun = "recording" if outcome.distinct.alarms == 1 else "recordings"
    return (
        f"{rate_sentence(outcome.rate)} of such mixtures. Each recording of speech comes "
        f"{spoken:.0f} times, of noise {noise:.0f} times: on different sound it is "
        f"{outcome.distinct.alarms} alarming {noun} in {outcome.distinct.hours:.1f} h, at "
        f"most {outcome.distinct.high:.1f} per hour"
    )
