"""Several models as one: the mean of their posteriors, described, measured and refused."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from bundles import tiny_metadata, windows_of_tones, with_bursts, write_tiny_bundle
from numpy.typing import NDArray
from processes import RunCli
from refusals import refused
from tone_manifest import tone_manifest

from wakeword.errors import BundleError, ConfigError
from wakeword.evaluation.events import Label
from wakeword.evaluation.scoring import Clip, score_clips
from wakeword.frontend import Frontend, FrontendConfig
from wakeword.frontend.config import Kind
from wakeword.frontend.derived import features_of
from wakeword.networks import build
from wakeword.runtime import Bundle, write_bundle
from wakeword.runtime.sections import DataSource, SmootherConfig
from wakeword.runtime.session import Session
from wakeword.training.ensemble import EnsembleName, join
from wakeword.training.export import export_onnx
from wakeword.training.second_look import Asked

SMALL = {"filters": 3, "kernel": [7, 5], "recurrent_units": 5, "hidden": 6}


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One that hears tones, and one with random weights that was trained on more."""
    folder = tmp_path_factory.mktemp("members")
    first = write_tiny_bundle(folder / "first")
    torch.manual_seed(5)
    model = export_onnx(build("crnn", SMALL, 151, 40, 3), 151, 40)
    metadata = tiny_metadata("other", version="2.0.0")
    data = (DataSource("sine", "CC0-1.0", 9, 0.5, 2), DataSource("hum", "CC0-1.0", 1, 0.1, 0))
    recipe = {"bundle": {"not_good_at": ["whistles"]}, "network": {"family": "crnn"}}
    training = replace(metadata.training, data=data, recipe=recipe)
    write_bundle(folder / "other", model, replace(metadata, training=training), "# Other\n")
    return first, folder / "other"


def test_posteriors_are_the_mean_and_the_rest_is_told_of_all(members: tuple[Path, Path]) -> None:
    bundles = [Bundle.load(path) for path in members]
    joined = join(bundles, EnsembleName("both", "1.1.0"))
    windows = np.random.default_rng(3).normal(0.5, 0.4, (7, 151, 40)).astype(np.float32)
    mean = np.mean([Session(b).run(windows) for b in bundles], axis=0)
    np.testing.assert_allclose(Session(joined).run(windows), mean, atol=1e-6)
    m, parts = joined.metadata, [b.metadata.model for b in bundles]
    assert (m.name, m.version) == ("both", "1.1.0")
    assert m.description == "Mean of tiny 1.0.0, other 2.0.0"
    assert m.model.parameters == sum(p.parameters for p in parts)
    assert m.model.flops_per_window == sum(p.flops_per_window for p in parts)
    assert {d.corpus: (d.clips, d.hours) for d in m.training.data} == {
        "hum": (1, 0.1),
        "sine": (9, 0.5),
    }
    assert m.training.recipe["bundle"]["not_good_at"] == ["whistles"]
    made_of = m.training.recipe["network"]["parameters"]["members"]
    assert [x["sha256"] for x in made_of] == [p.sha256 for p in parts]


def test_an_ensemble_can_be_a_member(members: tuple[Path, Path]) -> None:
    bundles = [Bundle.load(path) for path in members]
    pair = join(bundles, EnsembleName("pair"))
    windows = np.random.default_rng(4).normal(0.5, 0.4, (3, 151, 40)).astype(np.float32)
    found = Session(join([pair, bundles[0]], EnsembleName("three"))).run(windows)
    first, other = (Session(b).run(windows) for b in bundles)
    np.testing.assert_allclose(found, 0.75 * first + 0.25 * other, atol=1e-6)


def test_a_member_may_hear_another_offset_and_root_of_pcen(
    members: tuple[Path, Path],
) -> None:
    """Each says of a sound what it says of it alone, whoever's front end the mean has."""
    first, other = (Bundle.load(path) for path in members)
    flat = with_pcen(other, delta=0.5, r=0.25)
    each = [Session(b).run(windows_of_tones(b.metadata.frontend)) for b in (first, flat)]
    other_features = windows_of_tones(first.metadata.frontend)
    assert np.abs(Session(flat).run(other_features) - each[1]).max() > 0.005
    for given in ([first, flat], [flat, first]):
        joined = join(given, EnsembleName("both"))
        assert joined.metadata.frontend == given[0].metadata.frontend
        found = Session(joined).run(windows_of_tones(joined.metadata.frontend))
        np.testing.assert_allclose(found, np.mean(each, axis=0), atol=1e-4)


def test_a_member_may_hear_log_mel_beside_pcen(members: tuple[Path, Path]) -> None:
    """Each says of a sound what it says of it alone, and such a mean can be a member again."""
    first, other = (Bundle.load(path) for path in members)
    log_mel = with_pcen(other, "logmel")
    each = [Session(b).run(windows_of_tones(b.metadata.frontend)) for b in (first, log_mel)]
    for given in ([first, log_mel], [log_mel, first]):
        joined = join(given, EnsembleName("both"))
        assert joined.metadata.frontend == replace(first.metadata.frontend, kind="pcen+logmel")
        heard = windows_of_tones(joined.metadata.frontend)
        found = Session(joined).run(heard)
        np.testing.assert_allclose(found, np.mean(each, axis=0), atol=1e-5)
    flat = with_pcen(other, delta=0.5, r=0.25)
    third = Session(flat).run(windows_of_tones(flat.metadata.frontend))
    for given in ([joined, flat], [flat, joined]):
        both = join(given, EnsembleName("three"))
        found = Session(both).run(windows_of_tones(both.metadata.frontend))
        np.testing.assert_allclose(found, (np.mean(each, axis=0) + third) / 2.0, atol=1e-4)


@pytest.fixture(scope="module")
def looked_twice(members: tuple[Path, Path]) -> tuple[Bundle, Bundle, Bundle]:
    """One that hears PCEN, one that hears log-mel, and both with the latter heard in doubt only."""
    first, other = (Bundle.load(path) for path in members)
    second = with_pcen(other, "logmel")
    return first, second, join([first], EnsembleName("twice"), Asked((second,), 0.03))


def said_alone(
    bundles: list[Bundle], windows: NDArray[np.float32], frontend: FrontendConfig
) -> list[NDArray[np.float32]]:
    """Posteriors of each bundle, of its own features among those of ``frontend``."""
    own = [features_of(b.metadata.frontend, windows, frontend) for b in bundles]
    return [Session(b).run(np.ascontiguousarray(x)) for b, x in zip(bundles, own, strict=True)]


def test_a_second_network_is_heard_where_the_first_is_in_doubt(
    looked_twice: tuple[Bundle, Bundle, Bundle],
) -> None:
    """In some windows of a batch, in all and in none of them; it counts as background elsewhere."""
    first, second, twice = looked_twice
    frontend = twice.metadata.frontend
    quiet = np.tile(Frontend(frontend).silence(), (3, 151, 1))
    windows = np.concatenate([quiet, windows_of_tones(frontend)])
    own, other = said_alone([first, second], windows, frontend)
    asked = own[:, 1:].max(axis=1) >= 0.03
    assert asked.tolist() == [False] * 6 + [True]
    wanted = own / 2.0
    wanted[asked] += other[asked] / 2.0
    wanted[~asked, 0] += 0.5
    session = Session(twice)
    for first_row, end in [(0, 7), (0, 3), (5, 7), (6, 7), (5, 6)]:
        rows = slice(first_row, end)
        np.testing.assert_allclose(session.run(windows[rows]), wanted[rows], atol=1e-5)
    np.testing.assert_allclose(wanted.sum(axis=1), 1.0, atol=1e-5)


def test_a_second_look_is_told_and_streams(
    looked_twice: tuple[Bundle, Bundle, Bundle], tmp_path: Path
) -> None:
    """Every step of a stream gives what its window gives, among other streams too."""
    first, second, twice = looked_twice
    parameters = twice.metadata.training.recipe["network"]["parameters"]
    assert parameters["asked"] == [second.metadata.model.sha256]
    assert (parameters["asked_from"], parameters["asked_share"]) == (0.03, 0.5)
    assert len(parameters["members"]) == 2
    model = first.metadata.model.parameters + second.metadata.model.parameters
    assert twice.metadata.model.parameters == model
    raw = replace(twice, metadata=replace(twice.metadata, smoother=SmootherConfig(steps=1)))
    samples = with_bursts(4.0, [(1.0, "low tone"), (3.0, "high tone")])
    one, among = (
        score_clips(raw, [Clip.of(Label("tone"), samples)] * n, workers=1)[0].posteriors
        for n in (1, 3)
    )
    np.testing.assert_allclose(one, among, atol=1e-5)
    frontend = Frontend(twice.metadata.frontend)
    features = frontend.process(samples[None], frontend.initial_state())[0][0]
    windows = np.stack([
        features[frames - 151 : frames]
        for frames in (frontend.config.frames_after((step + 1) * 1600) for step in range(16, 40))
    ])  # fmt: skip
    wanted = Session(twice).run(windows)[:, 1:]
    assert wanted.max() > 0.4 and wanted.min() < 0.01
    np.testing.assert_allclose(one[16:40], wanted, atol=1e-4)


def test_who_is_asked_may_have_another_share(
    looked_twice: tuple[Bundle, Bundle, Bundle],
) -> None:
    first, second, _ = looked_twice
    twice = join([first], EnsembleName("twice"), Asked((second,), 0.03, share=0.2))
    assert twice.metadata.training.recipe["network"]["parameters"]["asked_share"] == 0.2
    frontend = twice.metadata.frontend
    windows = windows_of_tones(frontend)[-1:]
    own, other = said_alone([first, second], windows, frontend)
    assert own[0, 1:].max() >= 0.03
    np.testing.assert_allclose(Session(twice).run(windows), 0.8 * own + 0.2 * other, atol=1e-5)
    with pytest.raises(ConfigError, match=r"a share of 1\.5 for who is asked"):
        Asked((second,), 0.03, share=1.5)


@pytest.mark.parametrize("posterior", [0.0, 1.0, -0.1, float("nan")])
def test_an_impossible_doubt_is_refused(
    members: tuple[Path, Path], posterior: float
) -> None:
    with pytest.raises(ConfigError, match=r"asked from a posterior of .*must be in \(0, 1\)"):
        Asked((Bundle.load(members[1]),), posterior)


def with_pcen(bundle: Bundle, kind: Kind = "pcen", **changes: float) -> Bundle:
    frontend = bundle.metadata.frontend
    frontend = replace(frontend, kind=kind, pcen=replace(frontend.pcen, **changes))
    return replace(bundle, metadata=replace(bundle.metadata, frontend=frontend))


@pytest.mark.parametrize(
    ("kind", "changes"),
    [("pcen", {"s": 0.05}), ("pcen", {"alpha": 0.9, "delta": 0.5}), ("logmel", {"delta": 0.5})],
)
def test_other_front_ends_cannot_be_joined(
    members: tuple[Path, Path], kind: Kind, changes: dict[str, float]
) -> None:
    first, other = (with_pcen(Bundle.load(path), kind) for path in members)
    join([first, other], EnsembleName("both"))
    with pytest.raises(BundleError, match=r"other.*its frontend is"):
        join([first, with_pcen(other, kind, **changes)], EnsembleName("both"))


def test_the_command_writes_a_measured_model(
    run_cli: RunCli, members: tuple[Path, Path], tmp_path: Path
) -> None:
    made = tone_manifest(tmp_path / "recordings", clips=2, talks=1)
    out = tmp_path / "both"
    done = run_cli("ensemble", *members, "--name", "both", "--manifest", made.path,
                   "--noise-corpus", "noise", "--out", out)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(out)
    bundle = Bundle.load(out)
    assert bundle.card.startswith("# both 1.0.0")
    for said in ("Mean of 2 networks, together of", "Made of tiny 1.0.0", "- whistles", "| hum "):
        assert said in bundle.card
    assert (out / "figures").is_dir() and not (out / "recipe.toml").exists()
    point = bundle.operating_points("low tone").points[0]
    assert 0.0 < point.hours < 1.0 and point.condition == "noise at 10 dB SNR"


def test_what_cannot_be_joined_is_refused(
    run_cli: RunCli, members: tuple[Path, Path], tmp_path: Path
) -> None:
    made = tone_manifest(tmp_path / "recordings", clips=1, talks=1)
    given = ("--name", "both", "--manifest", made.path, "--out", tmp_path / "both")
    words = write_tiny_bundle(tmp_path / "words", tiny_metadata(words=("low tone",)))
    slow = write_tiny_bundle(tmp_path / "slow", tiny_metadata(step_samples=3200))
    twin = shutil.copytree(members[0], tmp_path / "twin")
    first = members[0]
    refused(run_cli("ensemble", first, *given), "1 models to join, but it must be 2 to 16")
    refused(run_cli("ensemble", first, twin, *given), "the same network as another")
    refused(run_cli("ensemble", first, words, *given), "its labels is .*low tone.*, not .*high")
    refused(run_cli("ensemble", members[1], slow, *given), "its step_samples is 3200, not 1600")
    refused(run_cli("ensemble", first, "nobody", *given), "nobody")
    assert not (tmp_path / "both").exists()
