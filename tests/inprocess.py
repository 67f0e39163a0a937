"""The command line inside the test's own process: quick, where no signal or pipe matters."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import soundfile
from numpy.typing import NDArray

from wakeword.cli.main import main


@dataclass(frozen=True)
class Done:
    """What a command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """The JSON lines on stdout."""
        return [json.loads(line) for line in self.out.splitlines()]


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Done:
    """Run ``wakeword`` with ``arguments``."""
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    assert isinstance(end.value.code, int)
    return Done(end.value.code, out, err)


def write_audio(path: Path, samples: NDArray[Any], rate: int = 16_000, **options: Any) -> Path:
    """Write a sound file whose kind follows from its name."""
    soundfile.write(path, samples, rate, **options)
    return path
