"""Networks in 8 bits: what is rounded and how, what stays float, and that they stream as others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from crnn_bundles import crnn_bundle
from engine_runs import assert_same, feed, speech, whole
from numpy.typing import NDArray
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator
from processor import bits_of_weights

from wakeword.errors import TrainingError
from wakeword.frontend import Frontend
from wakeword.networks import NETWORKS, build, build_named
from wakeword.networks.crnn import CrnnConfig
from wakeword.runtime import Bundle, Engine, find_bundle
from wakeword.runtime.bundle import describe_model
from wakeword.runtime.session import INPUT, OUTPUT, open_network, run_network
from wakeword.runtime.windows import WholeWindows
from wakeword.training.export import export_onnx
from wakeword.training.quantised.convert import Quantised, quantise

LABELS = 5
Windows = NDArray[np.float32]


def exported(name: str) -> tuple[bytes, Windows]:
    """A network of a paper with random weights, and windows to calibrate it on."""
    torch.manual_seed(1)
    named = NETWORKS[name]
    shape = (24, named.frames, named.channels)
    windows = np.random.default_rng(2).normal(0.3, 1.0, shape).astype(np.float32)
    return export_onnx(build_named(name, LABELS), *shape[1:]), windows


def run(model: bytes, windows: Windows) -> Windows:
    return np.asarray(run_network(open_network(model, "x"), OUTPUT, {INPUT: windows}, "x"))


@pytest.mark.parametrize(
    ("name", "in_float"),
    [
        ("tc-resnet8", {}),
        ("ds-cnn-s", {}),
        ("dnn-s", {}),
        ("cnn-2", {}),
        ("res8-narrow", {"BatchNormalization": 6}),
        ("gru-s", {"GRU": 1}),
        ("crnn", {"GRU": 2}),
    ],
)
def test_all_that_can_be_is_in_8_bits(name: str, in_float: dict[str, int]) -> None:
    model, windows = exported(name)
    made = quantise(model, windows)
    assert dict(made.in_float) == in_float
    assert made.in_8_bits.keys() & {"Conv", "Gemm", "MatMul"}
    before, after = run(model, windows), run(made.model, windows)
    assert np.abs(before - after).max() < 0.05
    assert len(np.unique(after)) > 100  # posteriors are not themselves rounded to 256 steps
    alone = np.concatenate([run(made.model, w[None]) for w in windows])
    np.testing.assert_allclose(after, alone, atol=2e-6)
    if not in_float:
        assert made.float_parameters == 0 and len(made.model) < 0.62 * len(model)


def test_a_network_that_is_asked_in_doubt_stays_float_and_is_still_asked() -> None:
    """What the branches of an ``If`` take from around it is made before it."""
    bundle = find_bundle("seven")
    front = Frontend(bundle.metadata.frontend)
    frames = front.process(np.stack([speech(n, 4.0) for n in range(4)]), front.initial_state(4))[0]
    size = bundle.metadata.window_frames
    windows = np.concatenate([frames[:, at : at + size] for at in range(0, 200, 20)])
    made = quantise(bundle.model, windows)
    assert dict(made.in_8_bits) == {"Conv": 1, "MatMul": 2, "Gemm": 2} and made.in_float["GRU"] == 2
    before, after = run(bundle.model, windows), run(made.model, windows)
    assert np.abs(before - after).max() < 0.1


def test_a_recurrence_written_out_keeps_its_state_in_float() -> None:
    torch.manual_seed(8)
    network = build("recurrent", {"units": 6, "projection": 4}, 5, 4, LABELS)
    windows = np.random.default_rng(9).normal(0.0, 1.0, (16, 5, 4)).astype(np.float32)
    made = quantise(export_onnx(network, 5, 4), windows)
    assert made.in_8_bits.keys() == {"MatMul", "Gemm"} and made.in_float["Add"] > 5
    assert made.in_float["Sigmoid"] == 15 and made.in_float["Tanh"] == 10


def test_the_share_of_parameters_in_float_is_that_of_the_recurrent_layers() -> None:
    model, windows = exported("crnn")
    made = quantise(model, windows)
    network = build_named("crnn", LABELS)
    recurrent = sum(p.numel() for n, p in network.named_parameters() if "recurrent" in n)
    assert made.parameters == sum(p.numel() for p in network.parameters())
    assert made.float_parameters == recurrent > 0


@bits_of_weights
@pytest.mark.parametrize("name", ["tc-resnet8", "ds-cnn-s", "crnn"])
def test_onnx_runtime_computes_what_the_file_says(name: str, seven: bool) -> None:
    """The reference implementation of ONNX, in numpy, knows nothing of 8-bit kernels."""
    model, windows = exported(name)
    made = quantise(model, windows, seven_bit_weights=seven)
    proto = onnx.load_from_string(made.model)
    proto.opset_import[0].version = 19  # the same, and the reference has it from there on
    (expected,) = ReferenceEvaluator(proto).run([OUTPUT], {INPUT: windows[:3]})
    np.testing.assert_allclose(run(made.model, windows[:3]), expected, atol=2e-3)


def test_weights_are_symmetric_with_a_scale_for_each_output_channel() -> None:
    torch.manual_seed(3)
    network = build("dnn", {"hidden": [6, 7]}, 5, 4, 3)
    windows = np.random.default_rng(4).normal(0.0, 2.0, (16, 5, 4)).astype(np.float32)
    made = quantise(export_onnx(network, 5, 4), windows)
    constants = constants_of(made)
    for name, weight in network.named_parameters():
        if not name.endswith("weight"):
            continue
        float_weight = weight.detach().numpy()
        scale = np.abs(float_weight).max(1) / 127.0
        wanted = np.rint(float_weight / scale[:, None])
        kept = [v for v in constants.values() if v.dtype == np.int8 and v.ndim == 2]
        shapes = {v.shape: v for v in kept} | {v.T.shape: v.T for v in kept}
        assert np.abs(shapes[wanted.shape] - wanted).max() <= 1
    least, most = min(0.0, windows.min()), windows.max()
    scales = [v for v in constants.values() if v.dtype == np.float32 and v.ndim == 0]
    assert any(np.isclose(v, (most - least) / 255.0, rtol=1e-5) for v in scales)


def test_seven_bit_weights_leave_room_for_sums() -> None:
    model, windows = exported("ds-cnn-s")
    made = quantise(model, windows, seven_bit_weights=True)
    assert max(np.abs(v).max() for v in constants_of(made).values() if v.dtype == np.int8) <= 64


def constants_of(made: Quantised) -> dict[str, NDArray[np.generic]]:
    graph = onnx.load_from_string(made.model).graph
    return {i.name: numpy_helper.to_array(i) for i in graph.initializer}


def test_only_the_operators_of_onnx_are_left_in_the_file() -> None:
    made = onnx.load_from_string(quantise(*exported("tc-resnet8")).model)
    assert [o.domain for o in made.opset_import] == [""]
    onnx.checker.check_model(made)
    assert not made.graph.value_info and made.graph.input[0].type.tensor_type.shape.dim[0].dim_param


def test_a_network_without_weights_is_refused() -> None:
    nodes = [onnx.helper.make_node("ReduceMean", [INPUT], ["m"], axes=[1], keepdims=0),
             onnx.helper.make_node("Softmax", ["m"], [OUTPUT])]  # fmt: skip
    info = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes, "none", [info(INPUT, onnx.TensorProto.FLOAT, ["batch", 5, 4])],
        [info(OUTPUT, onnx.TensorProto.FLOAT, ["batch", 4])],
    )  # fmt: skip
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    model.ir_version = 8
    with pytest.raises(TrainingError, match="nothing in this network can be quantised"):
        quantise(bytes(model.SerializeToString()), np.zeros((8, 5, 4), np.float32))


@pytest.fixture(scope="module")
def engine() -> Engine:
    """A convolutional recurrent network, whose float windows would be cut in two and shared."""
    bundle = crnn_bundle(CrnnConfig(filters=4, recurrent_units=8, recurrent_layers=1, hidden=8))
    m = bundle.metadata
    shape = (32, m.window_frames, m.frontend.channels)
    windows = np.random.default_rng(5).normal(0.5, 0.6, shape).astype(np.float32)
    model = quantise(bundle.model, windows).model
    return Engine(replace(bundle, metadata=describe_model(m, model), model=model))


def test_it_runs_as_a_whole_and_streams_as_any_other(engine: Engine) -> None:
    assert isinstance(engine._windows, WholeWindows)
    samples = speech(6)
    expected = whole(engine, samples)
    rng = np.random.default_rng(7)
    cuts = np.cumsum(rng.integers(1, 3000, 40))
    chunks = np.split(samples, cuts[cuts < len(samples)])
    assert_same(feed(engine, engine.open_stream(16_000), chunks), expected)


def test_other_streams_in_the_batch_change_nothing(engine: Engine) -> None:
    samples = [speech(seed) for seed in range(5)]
    expected = [r.posteriors for r in whole(engine, samples[0])][:20]
    streams = [engine.open_stream(16_000) for _ in samples]
    for stream, heard in zip(streams, samples, strict=True):
        stream.accept(heard)
    together = [r.posteriors for r in engine.step(streams) if r.stream is streams[0]]
    np.testing.assert_allclose(together[:20], expected, atol=2e-6)


def test_bundles_say_nothing_of_it_unless_asked() -> None:
    from wakeword.training.quantised.made import quantisation_of

    bundle: Bundle = crnn_bundle(CrnnConfig(filters=2, recurrent_units=4, hidden=4))
    assert quantisation_of(bundle) is None
