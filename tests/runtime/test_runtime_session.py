"""The session runs what was checked, and says it when the network is another one."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from bundles import model_bytes, network, posteriors_of, tiny_metadata
from onnx import TensorProto, helper

from wakeword.errors import BundleError, ConfigError
from wakeword.runtime import Bundle, Session
from wakeword.runtime.bundle import describe_model


def windows(count: int) -> np.ndarray:
    return np.random.default_rng(0).random((count, 151, 40), np.float32)


def bundle_of(model: bytes) -> Bundle:
    return Bundle(Path("."), describe_model(tiny_metadata(), model), model)


def test_posteriors_are_those_of_the_closed_form(tiny_bundle: Path) -> None:
    bundle = Bundle.load(tiny_bundle)
    batch = windows(5)
    expected = [posteriors_of(w, bundle.metadata.frontend, bundle.words) for w in batch]
    np.testing.assert_allclose(Session(bundle).run(batch), expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("count", [0, 1, 4, 5, 11])
def test_large_batches_are_split_without_a_difference(tiny_bundle: Path, count: int) -> None:
    bundle = Bundle.load(tiny_bundle)
    small, large = Session(bundle, max_batch=4), Session(bundle)
    sizes: list[int] = []
    run = small._run
    small._run = lambda part: sizes.append(len(part)) or run(part)  # type: ignore
    found = small.run(windows(count))
    assert found.shape == (count, 3) and sum(sizes) == count and max(sizes, default=0) <= 4
    np.testing.assert_allclose(found, large.run(windows(count)), rtol=1e-6)


@pytest.mark.parametrize(
    "features",
    [
        np.zeros((1, 150, 40), np.float32),
        np.zeros((1, 151, 41), np.float32),
        np.zeros((151, 40), np.float32),
        np.zeros((1, 151, 40), np.float64),
    ],
)
def test_wrong_features_are_refused(tiny_bundle: Path, features: np.ndarray) -> None:
    with pytest.raises(ConfigError, match=r"float32 of shape \(batch, 151, 40\)"):
        Session(Bundle.load(tiny_bundle)).run(features)


@pytest.mark.parametrize("threads", [0, -1, 10_000])
def test_impossible_numbers_of_threads_are_refused(tiny_bundle: Path, threads: int) -> None:
    with pytest.raises(ConfigError, match=f"threads = {threads}, .* the cores here"):
        Session(Bundle.load(tiny_bundle), threads=threads)


def test_an_impossible_batch_is_refused(tiny_bundle: Path) -> None:
    with pytest.raises(ConfigError, match="max_batch = 0"):
        Session(Bundle.load(tiny_bundle), max_batch=0)


def edited(change: str) -> bytes:
    """The network of the tiny bundle with another signature."""
    model = onnx.load_from_string(network(tiny_metadata().frontend, tiny_metadata().words))
    graph = model.graph
    if change == "input name":
        graph.input[0].name = graph.node[0].input[0] = "x"
    elif change == "output name":
        graph.output[0].name = graph.node[-1].output[0] = "y"
    elif change == "fixed batch":
        graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    elif change == "window":
        return network(tiny_metadata().frontend, tiny_metadata().words, 150)
    elif change == "labels":
        return network(tiny_metadata().frontend, ["low tone"])
    elif change == "two outputs":
        graph.output.append(helper.make_tensor_value_info("logits", TensorProto.FLOAT, None))
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    "change", ["input name", "output name", "fixed batch", "window", "labels", "two outputs"]
)
def test_a_network_that_does_not_fit_its_metadata_is_refused(change: str) -> None:
    with pytest.raises(BundleError, match=r"metadata ask for (features|posteriors) float32"):
        Session(bundle_of(edited(change)))


def test_what_onnx_runtime_cannot_load_is_refused() -> None:
    with pytest.raises(BundleError, match="cannot load model 'tiny'"):
        Session(bundle_of(b"rubbish"))


def test_a_network_that_gives_nan_is_refused() -> None:
    metadata = tiny_metadata()
    model = onnx.load_from_string(network(metadata.frontend, metadata.words))
    biases = next(t for t in model.graph.initializer if t.name == "biases")
    biases.raw_data = np.full(3, np.nan, np.float32).tobytes()
    session = Session(bundle_of(bytes(model.SerializeToString())))
    with pytest.raises(BundleError, match="gave NaN"):
        session.run(windows(1))


def test_a_network_that_fails_is_a_bundle_error() -> None:
    """The largest feature becomes a dimension of a Reshape, which 7 makes impossible."""
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", 151, 40])
    output = helper.make_tensor_value_info("posteriors", TensorProto.FLOAT, ["n", 3])
    constants = {"rest": [-1], "start": [0], "end": [3], "axis": [1]}
    nodes = [
        helper.make_node("ReduceMax", ["features"], ["peak"], keepdims=0),
        helper.make_node("Cast", ["peak"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Unsqueeze", ["whole", "start"], ["first"]),
        helper.make_node("Concat", ["first", "rest"], ["shape"], axis=0),
        helper.make_node("Reshape", ["features", "shape"], ["flat"]),
        helper.make_node("Slice", ["flat", "start", "end", "axis"], ["posteriors"]),
    ]
    tensors = [helper.make_tensor(k, TensorProto.INT64, [1], v) for k, v in constants.items()]
    graph = helper.make_graph(nodes, "g", [features], [output], tensors)
    session = Session(bundle_of(model_bytes(graph)))
    assert session.run(np.ones((1, 151, 40), np.float32)).shape == (1, 3)
    for peak, message in ((7, "network of model 'tiny' failed"), (2, r"shape \(2, 3\), not")):
        with pytest.raises(BundleError, match=message):
            session.run(np.full((1, 151, 40), peak, np.float32))


def test_a_bundle_is_never_changed_by_describing_a_model() -> None:
    metadata = tiny_metadata()
    assert describe_model(metadata, b"abc").model.bytes == 3
    assert metadata == replace(metadata)


def test_nothing_is_told_to_anybody_or_kept(tmp_path: Path) -> None:
    """ONNX Runtime's telemetry keeps an identifier and a database in the home directory."""
    code = (
        "import os, numpy, wakeword; spotter = wakeword.Spotter('computer', sample_rate=16_000)\n"
        "spotter.feed(numpy.zeros(64_000, numpy.float32))\n"
        "files = '/proc/self/fd'\n"
        "opened = os.listdir(files) if os.path.isdir(files) else []\n"
        "print([p for p in (os.path.realpath(f'{files}/{f}') for f in opened) if '.db' in p])"
    )
    # What switches it off by itself, as in CI, is taken away.
    switches = ("ORT_DISABLE_TELEMETRY", "ORT_TELEMETRY_DISABLED", "CI", "GITHUB_ACTIONS",
                "XDG_CACHE_HOME")  # fmt: skip
    environment = {k: v for k, v in os.environ.items() if k not in switches}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**environment, "HOME": str(tmp_path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]" and not list(tmp_path.rglob("*"))
