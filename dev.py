#!/usr/bin/env python3
"""One command for each thing one does with a checkout; needs nothing but Python 3.11 or newer.

    python3 dev.py demo            hear a wake word in a sample file
    python3 dev.py test [ARGS]     install what the tests need and run them (ARGS go to pytest)
    python3 dev.py check           ruff and mypy
    python3 dev.py docs            write docs/cli.md, and the demo's output in README.md
    python3 dev.py install SET     only install: run, test or bench
    python3 dev.py lock [--upgrade]  compile requirements/*.txt from pyproject.toml

Everything goes into .venv beside this file, from the hashed locks in requirements/. What is
installed already is not looked at again until a lock or pyproject.toml changes.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements"
SAMPLE = "samples/words.flac"

# Locks of each set, and what pip is told about them. PyTorch cannot be in a hashed lock
# (requirements/torch.txt says why), so it has an invocation of its own, after all others.
SETS = {
    "run": ["build.txt", "runtime.txt"],
    "test": ["dev.txt", "torch.txt"],
    "bench": ["bench.txt"],
}

# What each lock is compiled from; later ones are held to the versions of earlier ones.
LOCKS = {
    "build.txt": ["--group", "build"],
    "runtime.txt": [
        *["pyproject.toml", "--extra", "cli", "--extra", "mic"],
        *["--constraint", "requirements/platforms.txt"],
    ],
    "service.txt": [
        *["pyproject.toml", "--extra", "service", "--extra", "opus"],
        *["--constraint", "requirements/runtime.txt"],
    ],
    "dev.txt": [
        *["pyproject.toml", "requirements/torch-needs.in", "--all-extras"],
        *["--group", "dev", "--group", "build", "--override", "requirements/no-torch.txt"],
        *["--constraint", "requirements/service.txt", "--constraint", "requirements/runtime.txt"],
        *["--constraint", "requirements/build.txt"],
    ],
    "bench.txt": ["--group", "bench", "--constraint", "requirements/dev.txt"],
}
UV = "uv==0.13.8"


def main(arguments: list[str]) -> int:
    """Run the command named by ``arguments``; the exit code of what it ran."""
    if sys.version_info < (3, 11):
        print(f"error: Python 3.11 or newer is needed, this is {sys.version.split()[0]}",
              file=sys.stderr)
        return 2
    command, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    commands = {"demo": demo, "test": test, "check": check, "docs": docs, "install": install_only,
                "lock": lock}
    if command not in commands:
        print(__doc__, file=sys.stderr if command not in ("-h", "--help") else sys.stdout)
        return 0 if command in ("-h", "--help") else 2
    try:
        return commands[command](rest)
    except subprocess.CalledProcessError as failed:
        print(f"error: {shlex.join(map(str, failed.cmd))} failed", file=sys.stderr)
        return failed.returncode or 1
    except KeyboardInterrupt:
        return 130


def demo(_: list[str]) -> int:
    """Hear the words in the sample with the shipped model."""
    install("run")
    say(f"$ wakeword detect {SAMPLE}")
    code = run("-m", "wakeword", "detect", SAMPLE)
    if code == 0:
        say(f"\nNow your own voice: {bin_path('wakeword').relative_to(ROOT)} listen")
    return code


def test(arguments: list[str]) -> int:
    """Run the tests."""
    install("test")
    return run("-m", "pytest", *arguments)


def check(_: list[str]) -> int:
    """Lint, format and type errors; all are shown before the command fails."""
    install("test")
    return max(run("-m", "ruff", "check", "."), run("-m", "mypy"))


def docs(_: list[str]) -> int:
    """Write the generated pages."""
    install("test")
    return run("tools/make_docs.py")


def install_only(arguments: list[str]) -> int:
    """Install one set and say so."""
    if len(arguments) != 1 or arguments[0] not in SETS:
        print(f"error: install one of: {', '.join(SETS)}", file=sys.stderr)
        return 2
    install(arguments[0])
    say(f"{arguments[0]} is installed in {VENV.name}")
    return 0


def install(name: str) -> None:
    """Bring .venv to what the locks of set ``name`` say, unless it is there already."""
    if is_current(name) or (name == "run" and is_current("test")):
        return
    if not python_works():
        create_venv()
    say(f"installing what '{name}' needs into {VENV.name} (only when a lock has changed)")
    for lock_file in SETS[name]:
        path = REQUIREMENTS / lock_file
        hashed = ["--require-hashes"] if "--hash=" in path.read_text("utf-8") else []
        pip("install", *hashed, "-r", str(path))
    if name != "bench":
        pip("install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    pip("check")
    stamp(name).write_text(fingerprint(name), "utf-8")


def is_current(name: str) -> bool:
    """Whether the last installation of ``name`` was for the locks as they are now."""
    return stamp(name).is_file() and stamp(name).read_text("utf-8") == fingerprint(name)


def stamp(name: str) -> Path:
    """File that remembers what was installed; it lies in .venv and goes with it."""
    return VENV / f"installed-{name}.sha256"


def fingerprint(name: str) -> str:
    """Hash of everything that decides what is installed, and of where it is."""
    digest = hashlib.sha256(f"{ROOT}\n{sys.version}\n".encode())
    for path in (ROOT / "pyproject.toml", *(REQUIREMENTS / lock for lock in SETS[name])):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def create_venv() -> None:
    """Make .venv anew with this interpreter."""
    say(f"making {VENV.name} with Python {sys.version.split()[0]}")
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
    except subprocess.CalledProcessError:
        print("error: this Python cannot make a virtual environment "
              "(on Debian and Ubuntu: apt install python3-venv)", file=sys.stderr)
        raise


def python_works() -> bool:
    """Whether .venv holds an interpreter of this version that starts."""
    ask = "import sys; print(*sys.version_info[:2])"
    try:
        done = subprocess.run([bin_path("python"), "-c", ask], capture_output=True, text=True)
    except OSError:
        return False
    return done.stdout.split() == [str(part) for part in sys.version_info[:2]]


def lock(arguments: list[str]) -> int:
    """Compile the locks for all platforms and Python versions, without any address in them."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("UV_")}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([bin_path("python", Path(folder)), "-m", "pip", "install", "-q", UV],
                       check=True)
        for name, inputs in LOCKS.items():
            command = [
                *[str(bin_path("uv", Path(folder))), "pip", "compile", "--quiet", "--universal"],
                *["--python-version", "3.11", "--fork-strategy", "fewest", "--generate-hashes"],
                *["--only-binary", ":all:", "--no-emit-index-url", "--no-emit-package", "torch"],
                *["--no-header", "--output-file", f"requirements/{name}", *inputs, *arguments],
            ]
            subprocess.run(command, check=True, cwd=ROOT, env=environment,
                           stdout=subprocess.DEVNULL)
            if "://" in (REQUIREMENTS / name).read_text("utf-8"):
                raise SystemExit(f"error: requirements/{name} names an address; locks must not")
            say(f"wrote requirements/{name}")
    return 0


def run(*arguments: str) -> int:
    """Run the interpreter of .venv in the checkout and return its exit code."""
    return subprocess.run([bin_path("python"), *arguments], cwd=ROOT).returncode


def pip(*arguments: str) -> None:
    """Run pip of .venv; raises CalledProcessError where it fails."""
    options = ["--quiet", "--disable-pip-version-check", "--no-input"]
    subprocess.run([bin_path("python"), "-m", "pip", *options, *arguments], check=True, cwd=ROOT)


def bin_path(program: str, venv: Path = VENV) -> Path:
    """Path of ``program`` in a virtual environment, on any platform."""
    if os.name == "nt":
        return venv / "Scripts" / f"{program}.exe"
    return venv / "bin" / program


def say(text: str) -> None:
    """Print now, so that it stands before the output of the programs started next."""
    print(text, flush=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
