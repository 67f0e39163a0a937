"""Which threshold each word of a stream gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wakeword.errors import ConfigError
from wakeword.runtime.bundle import Bundle
from wakeword.runtime.detector import check_threshold


def resolve_thresholds(
    bundle: Bundle,
    words: Sequence[str],
    thresholds: float | Mapping[str, float] | None = None,
    false_alarms_per_hour: float | None = None,
) -> tuple[float, ...]:
    """Thresholds (words,) from what the user asked for.

    Parameters
    ----------
    thresholds
        One for all words, or some by word; words without one get their operating point.
    false_alarms_per_hour
        Which operating point; None is the bundle's default.

    Raises
    ------
    ConfigError
        A threshold outside (0, 1), one for a word that is not scored, a target outside the
        measured range, or one threshold for all together with a target.
    """
    if thresholds is not None and not isinstance(thresholds, Mapping):
        if false_alarms_per_hour is not None:
            raise ConfigError(
                "give a threshold or false alarms per hour, not both: each decides the other"
            )
        return (check_threshold(thresholds),) * len(words)
    own = thresholds or {}
    for word, value in own.items():
        if word not in words:
            raise ConfigError(
                f"a threshold was given for '{word}', but model '{bundle.name}' scores: "
                f"{', '.join(words)}"
            )
        check_threshold(value, f"threshold of '{word}'")
    return tuple(
        own[word] if word in own else bundle.threshold(word, false_alarms_per_hour)
        for word in words
    )
