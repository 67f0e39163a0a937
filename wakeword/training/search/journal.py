"""What a search has scored so far: a line a network, so that a stopped search goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wakeword.errors import ConfigError
from wakeword.files import atomic_write

JOURNAL = "scores.jsonl"


class Journal:
    """Accuracies by the name of a candidate, in ``folder``.

    Raises
    ------
    ConfigError
        The journal is of another search, or is damaged before its last line.
    """

    def __init__(self, folder: Path, key: Mapping[str, Any]) -> None:
        self._path = folder / JOURNAL
        self.scores: dict[str, float] = {}
        if self._path.exists():
            self._read(dict(key))
            return
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_write(self._path) as file:
            file.write(json.dumps(key) + "\n")

    def add(self, name: str, accuracy: float) -> None:
        """Keep one score."""
        self.scores[name] = accuracy
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"name": name, "accuracy": accuracy}) + "\n")

    def _read(self, key: dict[str, Any]) -> None:
        text = self._path.read_text("utf-8")
        whole = text[: text.rfind("\n") + 1]  # a line that was being written counts for nothing
        try:
            first, *lines = [json.loads(line) for line in whole.splitlines()]
            self.scores = {line["name"]: float(line["accuracy"]) for line in lines}
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{self._path} cannot be read: {error}") from error
        if first != key:
            differ = sorted(k for k in {*first, *key} if first.get(k) != key.get(k))
            raise ConfigError(
                f"{self._path} is of another search ({', '.join(differ)} differ); name another "
                f"folder with --out"
            )
        if whole != text:
            with atomic_write(self._path) as file:
                file.write(whole)
