"""Which bundle a name or a word means, and what the messages say if none."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from bundles import tiny_metadata, write_tiny_bundle

from wakeword.errors import BundleError, UnknownModelError
from wakeword.runtime import (
    Selection,
    choose,
    find_bundle,
    installed_bundles,
    registry,
    select,
)

Install = Callable[..., Path]


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install bundles in a folder that stands for the package's own."""
    folder = tmp_path / "site-packages" / "models"
    folder.mkdir(parents=True)
    monkeypatch.setattr(registry, "model_folders", lambda: [*environment(), folder])

    def environment() -> list[Path]:
        return [Path(p) for p in os.environ.get("WAKEWORD_MODELS", "").split(os.pathsep) if p]

    def install(name: str, *words: str, into: Path = folder) -> Path:
        return write_tiny_bundle(into / name, tiny_metadata(name, words))

    return install


def chosen(*specs: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(s.bundle.name, s.words) for s in select(specs)]


def test_without_a_wish_every_word_is_heard_once(models: Install) -> None:
    models("both", "high tone", "low tone")
    models("only", "low tone")
    assert chosen() == [("both", ("high tone", "low tone"))]


def test_the_index_says_who_comes_first(models: Install) -> None:
    folder = models("both", "high tone", "low tone").parent
    models("only", "low tone")
    (folder / "index.json").write_text('{"default": ["only"]}')
    assert chosen("low tone") == [("only", ("low tone",))]
    assert [b.name for b in installed_bundles()] == ["only", "both"]
    (folder / "index.json").write_text('{"default": ["gone"]}')
    with pytest.raises(BundleError, match="names 'gone'"):
        select()


def test_bundles_that_are_no_default_hear_who_asks_for_them(
    models: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = models("both", "high tone", "low tone").parent
    models("only", "low tone")
    (folder / "index.json").write_text('{"default": ["only"]}')
    assert chosen() == [("only", ("low tone",))]
    assert chosen("high tone") == [("both", ("high tone",))]
    assert chosen("both") == [("both", ("high tone", "low tone"))]
    models("mine", "high tone", into=tmp_path / "own")
    monkeypatch.setenv("WAKEWORD_MODELS", str(tmp_path / "own"))
    assert chosen() == [("mine", ("high tone",)), ("only", ("low tone",))]


def test_a_damaged_bundle_that_nobody_asks_for_does_not_stand_in_the_way(models: Install) -> None:
    folder = models("both", "high tone").parent
    (models("broken", "low tone") / "model.onnx").write_bytes(b"")
    (folder / "index.json").write_text('{"default": ["both"]}')
    assert chosen() == [("both", ("high tone",))]
    with pytest.raises(BundleError, match="broken"):
        select(["low tone"])


def test_a_spec_is_a_name_a_word_both_or_a_folder(models: Install) -> None:
    models("both", "high tone", "low tone")
    folder = models("only", "low tone")
    assert chosen("only") == [("only", ("low tone",))]
    assert chosen("high tone") == [("both", ("high tone",))]
    assert chosen("low tone") == [("both", ("low tone",))]
    assert chosen("only:low tone") == [("only", ("low tone",))]
    assert chosen("High_Tone") == chosen("high-tone") == chosen("high tone")
    assert chosen(str(folder)) == [("only", ("low tone",))]
    assert chosen(f"{folder}:low-tone") == [("only", ("low tone",))]


def test_words_of_one_bundle_are_one_selection_in_its_order(models: Install) -> None:
    models("both", "high tone", "low tone")
    assert chosen("low tone", "high tone") == [("both", ("high tone", "low tone"))]
    assert chosen("low tone", "low tone") == [("both", ("low tone",))]
    assert chosen("low tone", "both") == [("both", ("high tone", "low tone"))]


def test_a_folder_here_is_found_but_an_installed_name_wins(
    models: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    models("both", "high tone")
    models("both", "low tone", into=tmp_path)
    models("mine", "low tone", into=tmp_path)
    assert chosen("both") == [("both", ("high tone",))]
    assert chosen("./both") == [("both", ("low tone",))]
    assert chosen("mine") == [("mine", ("low tone",))]


def test_the_environment_comes_before_the_package(
    models: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models("both", "high tone")
    models("both", "low tone", into=tmp_path / "a")
    models("more", "high tone", into=tmp_path / "b")
    monkeypatch.setenv("WAKEWORD_MODELS", f"{tmp_path / 'a'}{os.pathsep}{tmp_path / 'b'}")
    assert [(b.name, b.words) for b in installed_bundles()] == [
        ("both", ("low tone",)), ("more", ("high tone",)),
    ]  # fmt: skip
    assert find_bundle("both").words == ("low tone",)


@pytest.mark.parametrize("spec", ["alexa", "both:alexa", "other:low tone", ":", "a:", ":a"])
def test_an_unknown_name_says_which_exist(models: Install, spec: str) -> None:
    models("both", "high tone", "low tone")
    with pytest.raises(UnknownModelError, match=r"both|low tone"):
        select([spec])


def test_the_message_lists_models_and_words(models: Install) -> None:
    models("both", "high tone", "low tone")
    with pytest.raises(
        UnknownModelError,
        match="unknown model 'alexa'; installed models: both; words: high tone, low tone",
    ):
        find_bundle("alexa")


def test_a_folder_without_a_bundle_is_a_clear_error(models: Install, tmp_path: Path) -> None:
    models("both", "high tone")
    for spec in (f"{tmp_path}", f"{tmp_path}/none", "./none", "."):
        with pytest.raises(BundleError, match=r"not a folder|cannot read"):
            select([spec])


def test_no_models_at_all(models: Install) -> None:
    with pytest.raises(BundleError, match="no models are installed"):
        select()
    with pytest.raises(UnknownModelError, match="installed models: none"):
        select(["alexa"])


def test_a_damaged_bundle_names_its_folder(models: Install) -> None:
    folder = models("both", "high tone")
    (folder / "model.onnx").write_bytes(b"x")
    with pytest.raises(BundleError, match="damaged") as caught:
        select()
    assert str(folder) in str(caught.value)


def test_half_written_folders_are_not_bundles(models: Install) -> None:
    folder = models("both", "high tone")
    (folder.parent / ".x.tmp").mkdir()
    (folder.parent / ".x.tmp" / "metadata.json").write_text("{")
    assert [b.name for b in installed_bundles()] == ["both"]


def test_the_environment_must_name_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAKEWORD_MODELS", "/nowhere")
    with pytest.raises(BundleError, match="WAKEWORD_MODELS names '/nowhere'"):
        registry.model_folders()


def test_the_checkout_is_searched(repository: Path) -> None:
    if (repository / "models").is_dir():
        assert repository / "models" in registry.model_folders()


def test_choosing_among_what_is_offered(models: Install) -> None:
    models("both", "high tone", "low tone")
    models("more", "high tone", "other")
    both, more = select(["both"])[0], Selection(find_bundle("more"), ("high tone",))
    offered = [both, more]
    high = ("high tone",)
    assert choose(offered) == [both]
    assert choose(offered, ["high_tone"]) == [Selection(both.bundle, high)]
    assert choose(offered, ["more:high tone", "both"]) == [more, both]
    assert choose(offered, ["more"]) == [more]
    for spec in ("other", "more:other", "none", "", ":", str(both.bundle.path), "none:low tone"):
        with pytest.raises(UnknownModelError, match="high tone"):
            choose(offered, [spec])
