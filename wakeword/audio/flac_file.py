"""Writing recordings as FLAC: half the size of wav, sample for sample the same."""

from __future__ import annotations

import io
import os

from wakeword.audio.pcm import Samples
from wakeword.errors import AudioError, MissingExtraError
from wakeword.files import atomic_write


def write_flac(path: str | os.PathLike[str], samples: Samples, rate: int) -> None:
    """Write mono ``samples`` (n,) as 16 bit; the file appears when it is whole.

    What is beyond full scale is clipped.

    Raises
    ------
    AudioError
        FLAC has no such rate.
    MissingExtraError
        soundfile is not installed.
    OSError
        As from any writing.
    """
    try:
        import soundfile
    except ImportError as error:
        raise MissingExtraError("soundfile", "cli", "writing FLAC") from error
    out = io.BytesIO()
    try:
        soundfile.write(out, samples.clip(-1.0, 1.0), rate, "PCM_16", format="FLAC")
    except (soundfile.LibsndfileError, ValueError) as error:
        raise AudioError(f"cannot write FLAC at {rate} Hz: {error}") from error
    with atomic_write(path, "wb") as file:
        file.write(out.getvalue())
