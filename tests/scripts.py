"""Scripts outside of packages: as modules, and run as processes of their own."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from processes import cli_environment

REPOSITORY = Path(__file__).resolve().parent.parent


def script(path: str, name: str = "") -> ModuleType:
    """The file at ``path`` in the checkout; ``name`` where its own is that of another module."""
    name = name or Path(path).stem
    spec = importlib.util.spec_from_file_location(name, REPOSITORY / path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def run_script(path: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the file at ``path`` with this interpreter, five minutes at most; its output as text."""
    command = [sys.executable, str(path), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, env=cli_environment(), timeout=300
    )
