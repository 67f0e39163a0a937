"""What users install: locks, wheel and source archive; the wheel is really installed and run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

REPOSITORY = Path(__file__).resolve().parent.parent
REQUIREMENTS = REPOSITORY / "requirements"
LOCKS = ("bench.txt", "build.txt", "dev.txt", "runtime.txt")
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))


def pinned(lock: str) -> dict[str, set[Version]]:
    """Package names of a lock, with the versions that it allows (one per platform)."""
    pins: dict[str, set[Version]] = {}
    for line in (REQUIREMENTS / lock).read_text("utf-8").splitlines():
        if match := re.match(r"([a-z0-9-]+)==(\S+)", line):
            pins.setdefault(match[1], set()).add(Version(match[2]))
    return pins


def wanted(*extras: str) -> list[Requirement]:
    """What pyproject.toml asks for, with the extras of its own extras."""
    lines = list(PROJECT["project"]["dependencies"])
    optional = PROJECT["project"]["optional-dependencies"]
    todo = list(extras)
    while todo:
        for line in optional[todo.pop()]:
            requirement = Requirement(line)
            todo += sorted(requirement.extras) if requirement.name == "wakeword" else []
            lines += [line] if requirement.name != "wakeword" else []
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_hash_every_package_and_name_no_address(lock: str) -> None:
    text = (REQUIREMENTS / lock).read_text("utf-8")
    assert "://" not in text and "index-url" not in text and "@ file" not in text
    blocks = re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:]
    assert blocks
    for block in blocks:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block.splitlines()[0]


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_brings_torch_or_a_gpu_runtime(lock: str) -> None:
    assert not [n for n in pinned(lock) if re.match(r"torch|nvidia|cuda|triton", n)]


def test_torch_has_one_exact_version_within_the_range_for_users() -> None:
    lines = (REQUIREMENTS / "torch.txt").read_text("utf-8").splitlines()
    (line,) = [line for line in lines if not line.startswith("#")]
    requirement = Requirement(line)
    version = Version(str(requirement.specifier).removeprefix("=="))
    asked = next(r for r in wanted("train") if r.name == "torch")
    assert requirement.name == "torch" and version in asked.specifier


def test_what_torch_needs_is_locked() -> None:
    lines = (REQUIREMENTS / "torch-needs.in").read_text("utf-8").splitlines()
    needed = {line for line in lines if line and not line.startswith("#")}
    assert needed <= set(pinned("dev.txt"))


@pytest.mark.parametrize(
    ("lock", "requirements"),
    [
        ("runtime.txt", wanted("cli", "mic")),
        ("dev.txt", wanted("mic", "plot", "service", "train")),
        ("dev.txt", [Requirement(r) for r in PROJECT["dependency-groups"]["dev"]]),
        ("build.txt", [Requirement(r) for r in PROJECT["dependency-groups"]["build"]]),
        ("bench.txt", [Requirement(r) for r in PROJECT["dependency-groups"]["bench"]]),
    ],
    ids=["runtime", "extras", "dev", "build", "bench"],
)
def test_locks_are_current(lock: str, requirements: list[Requirement]) -> None:
    """A range raised or a package added in pyproject.toml asks for `python3 dev.py lock`."""
    pins = pinned(lock)
    for requirement in requirements:
        if requirement.name == "torch":
            continue
        assert requirement.name in pins, f"{requirement.name} is not in requirements/{lock}"
        for version in pins[requirement.name]:
            assert version in requirement.specifier


@pytest.mark.parametrize("lock", ["runtime.txt", "build.txt"])
def test_the_test_lock_holds_the_versions_that_users_of_other_locks_get(lock: str) -> None:
    tested = pinned("dev.txt")
    assert {n: v for n, v in pinned(lock).items() if tested.get(n) != v} == {}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built offline with the locked build backend."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--wheel-dir", folder, REPOSITORY],
        check=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_puts_only_names_of_ours_into_site_packages(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {n.split("/")[0] for n in names} == {
        "wakeword", "wakeword_service", f"wakeword-{PROJECT['project']['version']}.dist-info"
    }
    assert {"wakeword/py.typed", "wakeword_service/py.typed"} <= set(names)
    assert not [n for n in names if "/tests/" in n or "/runs/" in n or n.endswith(".tmp")]
    licences = {n.split("/")[-1] for n in names if ".dist-info/licenses/" in n}
    assert licences == {"LICENSE", "THIRD_PARTY.md"}


def test_the_wheel_carries_every_shipped_model_whole(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    shipped = [p for p in (REPOSITORY / "models").rglob("*") if p.is_file()]
    assert {"model.onnx", "metadata.json", "MODEL_CARD.md"} <= {p.name for p in shipped}
    for path in shipped:
        name = f"wakeword/_models/{path.relative_to(REPOSITORY / 'models').as_posix()}"
        assert archive.read(name) == path.read_bytes()


def test_the_wheel_carries_what_pages_are_made_of(wheel: Path) -> None:
    """Templates, styles and scripts are no modules, and easily forgotten."""
    names = set(zipfile.ZipFile(wheel).namelist())
    package = REPOSITORY / "wakeword"
    assets = [p for p in package.rglob("*") if p.suffix in (".html", ".css", ".js")]
    assert {"page.html", "page.css", "page.js"} <= {p.name for p in assets}
    assert {p.relative_to(REPOSITORY).as_posix() for p in assets} <= names


def test_the_source_archive_can_build_test_and_demonstrate(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "sdist",
         "--directory", tmp_path],
        check=True, cwd=REPOSITORY, capture_output=True,
    )
    (built,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(built) as archive:
        names = {n.partition("/")[2] for n in archive.getnames()}
    assert {"pyproject.toml", "dev.py", "README.md", "LICENSE", "samples/manifest.json",
            "requirements/dev.txt", "tests/conftest.py", "wakeword/__init__.py",
            "Dockerfile", ".dockerignore", "service/compose.yaml"} <= names
    outside = {".venv", ".git", ".ci", "runs", "shared"}
    assert not [n for n in names if n.split("/")[0] in outside]


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a fresh environment with the wheel and its locked dependencies."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    pip: list[str | Path] = [programs / "python", "-m", "pip", "install", "--quiet"]
    subprocess.run(
        [*pip, "--require-hashes", "-r", REQUIREMENTS / "runtime.txt"], check=True
    )
    subprocess.run([*pip, "--no-deps", wheel], check=True)
    return programs


def run_installed(programs: Path, *arguments: str | Path, cwd: Path) -> str:
    """Standard output of the installed ``wakeword``, started in ``cwd``."""
    environment: Mapping[str, str] = {
        k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "WAKEWORD_MODELS")
    }
    done = subprocess.run(
        [programs / "wakeword", *arguments], cwd=cwd, env=environment, capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.mark.slow
def test_the_installed_wheel_lists_its_models_from_any_folder(
    installed: Path, tmp_path: Path
) -> None:
    shipped = {p.parent.name for p in (REPOSITORY / "models").glob("*/metadata.json")}
    listed = run_installed(installed, "models", cwd=tmp_path)
    assert shipped and all(name in listed for name in shipped)


@pytest.mark.slow
def test_the_installed_wheel_hears_the_sample_from_any_folder(
    installed: Path, tmp_path: Path
) -> None:
    samples = REPOSITORY / "samples"
    spoken = json.loads((samples / "manifest.json").read_text("utf-8"))["words.flac"]["words"]
    lines = run_installed(installed, "detect", samples / "words.flac", "--json", cwd=tmp_path)
    heard = [json.loads(line)["keyword"] for line in lines.splitlines()]
    assert heard == [entry["word"] for entry in spoken]


@pytest.mark.slow
def test_the_installed_wheel_is_used_and_not_the_checkout(installed: Path, tmp_path: Path) -> None:
    code = "import wakeword, importlib.util as u; print(wakeword.__file__); " \
        "print([n for n in ('models', 'service', 'tests') if u.find_spec(n)])"
    done = subprocess.run(
        [installed / "python", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    path, others = done.stdout.splitlines()
    assert Path(path).is_relative_to(installed.parent) and others == "[]"
