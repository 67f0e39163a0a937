"""Going through many recordings: one that cannot be read does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing

from wakeword.audio.files import AudioReader, RawFormat, open_audio
from wakeword.audio.pcm import Samples
from wakeword.cli.main import FAILED
from wakeword.cli.options import say_error
from wakeword.cli.progress import progress
from wakeword.errors import AudioError

Work = Callable[[str, AudioReader, Iterator[Samples]], None]
"""Gets the name of a recording, the open recording, and its blocks at the models' rate."""


def for_each_recording(sources: Sequence[str], raw: RawFormat | None, rate: int, work: Work) -> int:
    """Do ``work`` for each source and return the exit code.

    Progress is shown; a source that cannot be read is said on stderr when its turn comes.
    """
    code = 0
    for source in sources:
        try:
            with open_audio(source, raw) as audio, closing(_watched(audio, rate)) as blocks:
                work(source, audio, blocks)
        except AudioError as why:
            say_error(str(why))
            code = FAILED
    return code


def _watched(audio: AudioReader, rate: int) -> Generator[Samples]:
    with progress(audio.info.name, audio.info.duration_s) as advance:
        for block in audio.blocks(rate):
            yield block
            advance(len(block) / rate)
