"""Which recordings a model was trained on, and under what terms: what its metadata say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from wakeword.data.manifest import Recording
from wakeword.errors import RecipeError
from wakeword.runtime.sections import DataSource


def check_licences(corpora: Iterable[str], licences: Mapping[str, str]) -> None:
    """Refuse, with a RecipeError, corpora whose licences are not stated."""
    unstated = sorted(set(corpora) - set(licences))
    if unstated:
        raise RecipeError(
            f"data.licences says nothing of the corpora {', '.join(unstated)}; state their "
            f"licences, or name them in data.exclude_corpora"
        )


def data_sources(
    recordings: Sequence[Recording], licences: Mapping[str, str]
) -> tuple[DataSource, ...]:
    """One line for each corpus: its licence, clips, hours and known speakers."""
    return tuple(
        DataSource(
            corpus=name,
            licence=licences[name],
            clips=len(of_it),
            hours=round(sum(r.seconds for r in of_it) / 3600, 3),
            speakers=len({r.speaker for r in of_it if r.speaker}),
        )
        for name in sorted({r.corpus for r in recordings})
        for of_it in [[r for r in recordings if r.corpus == name]]
    )
