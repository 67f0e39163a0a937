"""The examples of docs/python.md run as they are."""

import re
from pathlib import Path

import numpy as np
import pytest
from bundles import tiny_metadata, write_tiny_bundle

CODE = re.compile(r"^```python\n(.*?)^```", re.M | re.S)


def test_the_examples_of_the_library_page_run(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    write_tiny_bundle(tmp_path / "seven", tiny_metadata("seven", ["computer", "alexa"]))
    monkeypatch.setenv("WAKEWORD_MODELS", str(tmp_path))
    blocks = CODE.findall((repository / "docs" / "python.md").read_text("utf-8"))
    assert len(blocks) == 6
    names = {"chunks": [np.zeros(1000, np.int16)] * 50}
    for block in blocks:
        exec(compile(block, "docs/python.md", "exec"), names)
    assert "0 alarms in 10 h" in capsys.readouterr().out
