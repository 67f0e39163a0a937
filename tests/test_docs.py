"""The documentation says what is so: commands exist, links lead somewhere, figures of samples."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest
from packaging.requirements import Requirement
from scripts import script

import wakeword

REPOSITORY = Path(__file__).resolve().parent.parent
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
page_ids = pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)


def tool(name: str) -> ModuleType:
    """A script of tools/, as a module."""
    return script(f"tools/{name}.py")


@pytest.fixture(scope="module")
def contexts() -> dict[str, click.Context]:
    """Every command by its full name."""
    return {c.command_path: c for c in tool("make_docs").commands()}


def test_the_page_of_commands_is_current() -> None:
    written = (REPOSITORY / "docs" / "cli.md").read_text("utf-8")
    assert written == tool("make_docs").cli_page(), "run: python3 dev.py docs"


def code_blocks(page: Path, *languages: str) -> Iterator[str]:
    """Bodies of the fenced blocks in one of ``languages``."""
    for match in re.finditer(r"^```(\w*)\n(.*?)^```", page.read_text("utf-8"), re.M | re.S):
        if match[1] in languages:
            yield match[2]


def command_lines(page: Path) -> Iterator[list[str]]:
    """Words of each line in a console block that runs this project's command."""
    for block in code_blocks(page, "console", "bash", "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            if words[:1] == ["wakeword"]:
                yield words


@page_ids
def test_command_lines_name_real_commands_options_and_values(
    page: Path, contexts: dict[str, click.Context]
) -> None:
    for words in command_lines(page):
        name = next(n for n in sorted(contexts, key=len, reverse=True)
                    if words[: len(n.split())] == n.split())
        rest, context = words[len(name.split()) :], contexts[name]
        line = f"{page.name}: {shlex.join(words)}"
        if isinstance(context.command, click.Group):
            assert not rest or rest[0].startswith("-"), f"{line}: no such command"
        try:
            values, _, _ = context.command.make_parser(context).parse_args(rest)
            for option in context.command.params:
                if isinstance(option, click.Option) and option.name in values:
                    option.type_cast_value(context, values[option.name])
        except click.UsageError as error:
            pytest.fail(f"{line}: {error.format_message()}")


def test_the_readme_shows_what_the_demo_prints() -> None:
    """The words and their times; the last digit of a score is the processor's business."""
    docs = tool("make_docs")
    found = docs.DEMO.search((REPOSITORY / "README.md").read_text("utf-8"))
    assert found, "README.md has lost the marks around the demo's output"
    shown, printed = found[0].splitlines(), docs.demo_output().splitlines()
    assert shown and len(shown) == len(printed), "run: python3 dev.py docs"
    for line, now in zip(shown, printed, strict=True):
        (*what, score, threshold), (*what_now, score_now, threshold_now) = line.split(), now.split()
        assert (what, threshold) == (what_now, threshold_now), "run: python3 dev.py docs"
        assert float(score) == pytest.approx(float(score_now), abs=0.01)


def test_the_readme_shows_the_figures_of_the_shipped_bundles() -> None:
    docs = tool("make_docs")
    found = docs.FIGURES.search((REPOSITORY / "README.md").read_text("utf-8"))
    assert found and found[0] == docs.figures(), "run: python3 dev.py docs"


@page_ids
def test_links_lead_to_files_and_headings(page: Path) -> None:
    text = page.read_text("utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), f"{page.name} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.M)
            slugs = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
            assert anchor in slugs, f"{page.name} links to {target}"


@page_ids
def test_python_examples_compile(page: Path) -> None:
    for block in code_blocks(page, "python"):
        compile(block, page.name, "exec")


@pytest.mark.parametrize("name", ["README.md", "docs/quickstart.md"])
def test_python_examples_of_the_first_pages_run(name: str) -> None:
    given = "import numpy\nchunks = [numpy.zeros(16_000, numpy.int16)] * 2\n"
    blocks = list(code_blocks(REPOSITORY / name, "python"))
    assert blocks
    for block in blocks:
        done = subprocess.run(
            [sys.executable, "-c", given + block], cwd=REPOSITORY, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr


@page_ids
def test_no_page_knows_the_machine_it_was_written_on(page: Path) -> None:
    text = page.read_text("utf-8")
    assert str(REPOSITORY) not in text and "/root/" not in text and "/tmp/" not in text


def test_the_readme_names_every_shipped_word_and_begins_with_the_two_commands() -> None:
    readme = (REPOSITORY / "README.md").read_text("utf-8")
    for bundle in wakeword.installed_bundles():
        assert [w for w in bundle.words if w not in readme] == []
    first_block = next(code_blocks(REPOSITORY / "README.md", "console"))
    commands = [line.partition("#")[0].strip() for line in first_block.splitlines()]
    assert commands == ["$ python3 dev.py demo", "$ python3 dev.py test"]


def test_the_credits_name_every_corpus_that_a_shipped_model_was_trained_on() -> None:
    credits = (REPOSITORY / "THIRD_PARTY.md").read_text("utf-8")
    for bundle in wakeword.installed_bundles():
        for source in bundle.metadata.training.data:
            assert f"`{source.corpus}`" in credits, source.corpus


def test_the_credits_name_every_package() -> None:
    credits = (REPOSITORY / "THIRD_PARTY.md").read_text("utf-8")
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    lines = [*project["dependencies"], *(line for extra in extras for line in extra)]
    names = {Requirement(line).name for line in lines}
    assert [n for n in sorted(names - {"wakeword"}) if n not in credits] == []


def test_the_credits_name_every_voice_of_the_samples() -> None:
    credits = (REPOSITORY / "THIRD_PARTY.md").read_text("utf-8")
    manifest = json.loads((REPOSITORY / "samples" / "manifest.json").read_text("utf-8"))
    for sample in manifest.values():
        for utterance in sample["spoken"]:
            program, voice = utterance["voice"].split("-", 1)
            row = re.search(rf"^\| {program}[^|]*\|.*$", credits, re.M)
            assert row, program
            assert program == "espeak" or voice in credits
