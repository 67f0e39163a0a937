"""The front end against librosa and scipy, on synthetic and on real audio."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import librosa
import numpy as np
import pytest
import scipy.fft
import scipy.signal
import soundfile
from numpy.typing import NDArray

from wakeword.frontend import Frontend, FrontendConfig, PcenConfig, preset
from wakeword.frontend.derived import features_of
from wakeword.frontend.mel import dct_matrix, mel_filters, mel_to_hz
from wakeword.frontend.pcen import compress, recompressed, smooth

Audio = NDArray[np.float32]


def synthetic() -> Audio:
    """Three seconds of noise bursts and a chirp over a range of levels."""
    rng = np.random.default_rng(0)
    t = np.arange(48_000) / 16_000
    level = 10.0 ** (-2.0 + 1.5 * np.sin(2 * np.pi * 0.7 * t))
    chirp = 0.3 * scipy.signal.chirp(t, 100, 3.0, 7000) * (t % 1.0 < 0.4)
    return np.asarray(level * 0.1 * rng.standard_normal(len(t)) + chirp, np.float32)


def recordings(shared: Path) -> dict[str, Audio]:
    """The first recording of each corpus, at most five seconds at 16 kHz."""
    with (shared / "manifest.csv").open(newline="", encoding="utf-8") as file:
        first = {row["corpus"]: row["path"] for row in reversed(list(csv.DictReader(file)))}
    found = {}
    for corpus, path in first.items():
        samples, rate = soundfile.read(shared / path, dtype="float32", always_2d=True)
        mono = samples[: 5 * rate].mean(axis=1)
        found[corpus] = np.asarray(
            librosa.resample(mono, orig_sr=rate, target_sr=16_000), np.float32
        )
    return found


def each_recording(request: pytest.FixtureRequest, check: Callable[[Audio], None]) -> None:
    audio = recordings(request.getfixturevalue("shared_data"))
    assert audio
    for samples in audio.values():
        check(samples)


def energies_of(frontend: Frontend, samples: Audio) -> NDArray[np.float32]:
    return frontend.energies(frontend.power(samples[None]))


def librosa_mel(samples: Audio, config: FrontendConfig) -> NDArray[np.float32]:
    """Mel energies (frames, mels) of frames laid out as ours: nothing padded.

    librosa centres a short window in its FFT frame; shifting the samples by the margin makes
    its frame k cover the same samples as ours.
    """
    margin = (config.fft_size - config.window_samples) // 2
    frames = config.frames_after(len(samples))
    spectrum = librosa.stft(
        np.pad(samples, margin), n_fft=config.fft_size, hop_length=config.hop_samples,
        win_length=config.window_samples, window="hann", center=False,
    )  # fmt: skip
    bank = librosa.filters.mel(
        sr=config.sample_rate, n_fft=config.fft_size, n_mels=config.n_mels, fmin=config.f_min_hz,
        fmax=config.f_max_hz, htk=True, norm=None,
    )  # fmt: skip
    return np.asarray((bank @ np.abs(spectrum) ** 2).T[:frames])


def check_mel(samples: Audio) -> None:
    config = FrontendConfig()
    ours = energies_of(Frontend(config), samples)[0]
    theirs = librosa_mel(samples, config)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-6 * theirs.max())


def check_pcen(samples: Audio, pcen: PcenConfig | None = None) -> None:
    """Same energies, initial state and parameters as librosa.pcen: 1e-5 relative."""
    pcen = pcen or PcenConfig()
    frontend = Frontend(FrontendConfig(pcen=pcen))
    energies = energies_of(frontend, samples)
    ours, _ = frontend.process(samples[None], frontend.initial_state())
    # A new stream begins with M equal to its first frame: lfilter's zi = (1 - s) M.
    theirs = librosa.pcen(
        energies[0].T.astype(np.float64), gain=pcen.alpha, bias=pcen.delta, power=pcen.r,
        eps=pcen.eps, b=pcen.s, zi=(1.0 - pcen.s) * energies[0, 0][:, None].astype(np.float64),
    ).T  # fmt: skip
    scale = np.abs(theirs) + pcen.delta**pcen.r  # what the root was taken of, before - delta**r
    assert np.max(np.abs(ours[0] - theirs) / scale) < 1e-5
    loud = theirs > 0.1
    np.testing.assert_allclose(ours[0][loud], theirs[loud], rtol=1e-5)


@pytest.mark.parametrize("name", ["pcen-40", "mfcc-30-10", "mfcc-40-20"])
def test_power_is_to_the_bit_that_of_frames_cut_one_by_one(name: str) -> None:
    """Models were trained on these numbers: whatever makes them quicker must not change them."""
    frontend, samples = Frontend(preset(name)), synthetic()[:8000]
    config = frontend.config
    starts = range(0, len(samples) - config.window_samples + 1, config.hop_samples)
    frames = np.array([samples[s : s + config.window_samples] for s in starts])
    spectra = np.fft.rfft(frames * frontend._window, config.fft_size)
    expected = spectra.real**2 + spectra.imag**2
    np.testing.assert_array_equal(frontend.power(samples[None])[0], expected)


def test_mel_energies_are_librosas_on_synthetic_audio() -> None:
    check_mel(synthetic())


@pytest.mark.shared
def test_mel_energies_are_librosas_on_real_audio(request: pytest.FixtureRequest) -> None:
    each_recording(request, check_mel)


@pytest.mark.parametrize(
    "pcen",
    [
        PcenConfig(),
        PcenConfig(s=0.1, alpha=0.8, delta=10.0, r=0.25, eps=1e-9),
        PcenConfig(s=1.0, alpha=1.0, delta=1.0, r=1.0),
        PcenConfig(alpha=0.0, delta=0.5),
    ],
)
def test_pcen_is_librosas_on_synthetic_audio(pcen: PcenConfig) -> None:
    check_pcen(synthetic(), pcen)


@pytest.mark.shared
def test_pcen_is_librosas_on_real_audio(request: pytest.FixtureRequest) -> None:
    each_recording(request, check_pcen)


@pytest.mark.parametrize("s", [0.001, 0.025, 0.5, 1.0])
@pytest.mark.parametrize("frames", [1, 31, 32, 33, 200])
def test_the_recursion_is_that_of_the_paper(s: float, frames: int) -> None:
    """Equation 2, frame by frame in float64, with and without a past."""
    rng = np.random.default_rng(0)
    energies = (10.0 ** rng.uniform(-9, 4, (3, frames, 5))).astype(np.float32)
    last = (10.0 ** rng.uniform(-9, 4, (3, 5))).astype(np.float32)
    last[1] = np.nan
    found = smooth(energies, s, last)
    m = np.where(np.isnan(last), energies[:, 0], last).astype(np.float64)
    for t in range(frames):
        m = (1.0 - s) * m + s * energies[:, t]
        np.testing.assert_allclose(found[:, t], m, rtol=2e-6)


def test_compression_is_that_of_the_paper() -> None:
    """Equation 1 in float64."""
    rng = np.random.default_rng(0)
    energies, m = (10.0 ** rng.uniform(-9, 4, (2, 1, 200, 40))).astype(np.float32)
    for c in (PcenConfig(), PcenConfig(alpha=0.6, delta=3.0, r=0.2, eps=1e-3)):
        wide, smoothed = energies.astype(np.float64), m.astype(np.float64)
        expected = (wide / (c.eps + smoothed) ** c.alpha + c.delta) ** c.r - c.delta**c.r
        np.testing.assert_allclose(compress(energies, m, c), expected, rtol=1e-5, atol=1e-6)


def check_log_mel_and_mfcc(samples: Audio) -> None:
    for name in ("logmel-40", "mfcc-30-10", "mfcc-40-20"):
        config = preset(name)
        frontend = Frontend(config)
        features, _ = frontend.process(samples[None], frontend.initial_state())
        expected = np.log(librosa_mel(samples, config) + config.log_floor)
        if config.kind == "mfcc":
            expected = scipy.fft.dct(expected, type=2, norm="ortho", axis=1)[:, : config.n_mfcc]
        assert features[0].shape == expected.shape == (len(expected), config.channels)
        np.testing.assert_allclose(features[0], expected, atol=2e-3)


def test_log_mel_and_mfcc_are_librosas_and_scipys() -> None:
    check_log_mel_and_mfcc(synthetic())


@pytest.mark.shared
def test_log_mel_and_mfcc_on_real_audio(request: pytest.FixtureRequest) -> None:
    each_recording(request, check_log_mel_and_mfcc)


@pytest.mark.parametrize(("n_in", "n_out"), [(40, 40), (40, 10), (13, 1), (1, 1)])
def test_the_dct_is_scipys(n_in: int, n_out: int) -> None:
    rows = np.random.default_rng(0).standard_normal((7, n_in))
    expected = scipy.fft.dct(rows, type=2, norm="ortho", axis=1)[:, :n_out]
    np.testing.assert_allclose(rows @ dct_matrix(n_in, n_out), expected, atol=1e-5)


def test_filters_are_librosas() -> None:
    for config in (FrontendConfig(), replace(preset("mfcc-40-20"), f_min_hz=0.0, f_max_hz=8000.0)):
        expected = librosa.filters.mel(
            sr=16_000, n_fft=config.fft_size, n_mels=config.n_mels, fmin=config.f_min_hz,
            fmax=config.f_max_hz, htk=True, norm=None,
        )  # fmt: skip
        np.testing.assert_allclose(mel_filters(config), expected.T, atol=1e-6)


@pytest.mark.parametrize("warp", [0.85, 0.93, 1.0, 1.1, 1.15])
def test_warping_moves_peaks_by_its_factor_and_keeps_the_edge(warp: float) -> None:
    """Below the knee a filter's centre is multiplied by the factor; nothing leaves the band."""
    config = FrontendConfig(fft_size=8192)
    warped, plain = mel_filters(config, warp), mel_filters(config)
    hz = np.linspace(0, 8000, 4097)
    moved, still = hz[warped.argmax(axis=0)], hz[plain.argmax(axis=0)]
    low = still < 5000
    np.testing.assert_allclose(moved[low], warp * still[low], atol=4.0)
    assert np.all(np.diff(moved) > 0) and np.all(warped.max(axis=0) > 0.5)
    assert not warped[hz > config.f_max_hz + 2].any()


def test_mel_scale_has_its_known_points() -> None:
    assert mel_to_hz(0.0) == 0.0
    np.testing.assert_allclose(mel_to_hz(2595.0 * np.log10(1 + 1000 / 700)), 1000.0)


def test_a_full_scale_sine_has_the_energy_of_its_window() -> None:
    """Peak of |FFT|^2 of sin under a Hann window: (n / 4)^2, at the bin of its frequency."""
    config = FrontendConfig(window_samples=512, fft_size=512)
    tone = np.sin(2 * np.pi * 1000.0 * np.arange(512) / 16_000).astype(np.float32)
    power = Frontend(config).power(tone[None])[0, 0]
    assert power.argmax() == 32
    np.testing.assert_allclose(power.max(), (512 / 4) ** 2, rtol=1e-4)


@pytest.mark.parametrize("new", [PcenConfig(delta=0.5, r=0.25), PcenConfig(delta=8.0, r=1.0)])
def test_features_of_another_offset_and_root_are_those_of_its_front_end(new: PcenConfig) -> None:
    """Also of features kept in half precision, as training keeps them; masked ones stay nought."""
    old = FrontendConfig()
    features, wanted = (
        front.process(synthetic()[None], front.initial_state(1))[0]
        for front in (Frontend(old), Frontend(replace(old, pcen=new)))
    )
    assert np.abs(wanted - features).max() > 0.5
    np.testing.assert_allclose(recompressed(features, old.pcen, new), wanted, rtol=1e-3, atol=1e-4)
    half = features.astype(np.float16).astype(np.float32)
    np.testing.assert_allclose(recompressed(half, old.pcen, new), wanted, rtol=1e-2, atol=2e-3)
    assert recompressed(np.zeros(3, np.float32), old.pcen, new) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("new", [PcenConfig(s=0.06), PcenConfig(alpha=0.9), PcenConfig(eps=1e-3)])
def test_features_of_another_gain_control_are_refused(new: PcenConfig) -> None:
    with pytest.raises(ValueError, match="more than delta and r"):
        recompressed(np.zeros((2, 40), np.float32), PcenConfig(), new)


def test_both_kinds_at_once_are_each_of_them() -> None:
    """To the bit; and either is had from both, PCEN with another compression too."""
    both = FrontendConfig(kind="pcen+logmel")
    fronts = [both, FrontendConfig(), FrontendConfig(kind="logmel")]
    found, pcen, log_mel = (
        front.process(synthetic()[None], front.initial_state())[0]
        for front in map(Frontend, fronts)
    )
    np.testing.assert_array_equal(found, np.concatenate([pcen, log_mel], axis=2))
    for config, wanted in zip(fronts, (found, pcen, log_mel), strict=True):
        np.testing.assert_array_equal(features_of(config, found, both), wanted)
    flat = FrontendConfig(pcen=PcenConfig(delta=0.5, r=0.25))
    wanted = recompressed(pcen, both.pcen, flat.pcen)
    np.testing.assert_array_equal(features_of(flat, found, both), wanted)


@pytest.mark.parametrize(("own", "other"), [
    (FrontendConfig(), FrontendConfig(kind="logmel")),
    (FrontendConfig(), FrontendConfig(kind="pcen+logmel")),
    (FrontendConfig(kind="pcen+logmel"), FrontendConfig(kind="mfcc")),
    (FrontendConfig(kind="pcen+logmel"), FrontendConfig(kind="logmel", log_floor=1e-3)),
    (FrontendConfig(kind="pcen+logmel"), FrontendConfig(pcen=PcenConfig(s=0.06))),
    (FrontendConfig(kind="pcen+logmel"), FrontendConfig(n_mels=41)),
])  # fmt: skip
def test_features_that_are_not_held_are_refused(own: FrontendConfig, other: FrontendConfig) -> None:
    assert not own.gives_features_of(other)
    with pytest.raises(ValueError, match="hold none of"):
        features_of(other, np.zeros((2, own.channels), np.float32), own)
