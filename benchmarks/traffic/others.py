"""The virtual environment of wyoming-openwakeword: its dependencies do not go with ours.

It needs numpy 1, a nightly build of TensorFlow Lite for Python up to 3.11, and one package that
comes as source only, so that it has a lock and an environment of its own.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
LOCK = REPOSITORY / "requirements" / "wyoming.txt"
VENV = REPOSITORY / ".venv-wyoming"


def wyoming_python() -> Path:
    """The interpreter that has wyoming-openwakeword; its environment is made where it is not.

    Raises
    ------
    RuntimeError
        This Python is newer than the packages.
    """
    python, stamp = VENV / "bin" / "python", VENV / "installed.sha256"
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text("utf-8") == wanted:
        return python
    if sys.version_info >= (3, 12):
        raise RuntimeError("wyoming-openwakeword 1.8.2 needs Python 3.11 or older")
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
    # Source is built with the setuptools of the new environment: nothing unpinned is fetched.
    locked = ["--require-hashes", "--no-build-isolation", "-r", str(LOCK)]
    subprocess.run([*pip, "install", *locked], check=True)
    stamp.write_text(wanted, "utf-8")
    return python
