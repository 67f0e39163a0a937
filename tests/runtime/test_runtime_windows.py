"""Windows that share positions of a convolution give the scores of whole windows."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from bundles import RATE
from crnn_bundles import asking_bundle, crnn_bundle, mean_bundle, recompressed_bundle
from engine_runs import assert_same, feed, speech, whole
from hypothesis import given, settings
from hypothesis import strategies as st

from wakeword.networks.crnn import CrnnConfig
from wakeword.runtime import Bundle, Engine, SmootherConfig, find_bundle, windows
from wakeword.runtime import rows as rows_module
from wakeword.runtime.bundle import describe_model
from wakeword.runtime.fronts import NotShared
from wakeword.runtime.parts import split_network
from wakeword.runtime.remote_worker import score
from wakeword.runtime.rows import Rows
from wakeword.runtime.windows import SharedWindows, WholeWindows

ASKED_FROM = 0.6
SMALL = CrnnConfig(filters=4, recurrent_units=8, recurrent_layers=1, hidden=8)


def engines(bundle: Bundle) -> tuple[Engine, Engine]:
    """One that shares what windows share, and one that does not."""
    shared, plain = Engine(bundle), Engine(bundle)
    assert isinstance(shared._windows, SharedWindows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "ROUNDING", -1.0)
        plain = Engine(bundle)
    assert isinstance(plain._windows, WholeWindows)
    return shared, plain


SHIPPED = ["seven", "seven-one", "seven-wide", "seven-accurate", "telephone"]
MADE = ["small", "two layers", "odd", "mean", "recompressed", "asking", "narrow"]


@pytest.fixture(scope="module", params=[*SHIPPED, *MADE])
def pair(request: pytest.FixtureRequest) -> tuple[Engine, Engine]:
    made = {
        "small": lambda: crnn_bundle(SMALL),
        "two layers": lambda: crnn_bundle(
            replace(SMALL, recurrent_layers=2, kernel=(11, 3), stride=(5, 3)),
            seed=1, smoother=SmootherConfig(steps=1),
        ),
        "odd": lambda: crnn_bundle(
            replace(SMALL, kernel=(7, 40), stride=(6, 1)), 2, window_frames=83, step_samples=480
        ),
        "mean": lambda: mean_bundle(
            SMALL, replace(SMALL, filters=6, recurrent_units=5, recurrent_layers=2), SMALL
        ),
        "recompressed": lambda: recompressed_bundle(SMALL),
        "asking": lambda: asking_bundle(SMALL, ASKED_FROM),
        "narrow": lambda: mean_bundle(replace(SMALL, recurrent_rank=5, hidden_rank=3), SMALL),
    }  # fmt: skip
    bundle = made[request.param]() if request.param in made else find_bundle(request.param)
    return engines(bundle)


@given(seed=st.integers(0, 2**32 - 1), cuts=st.lists(st.integers(0, 64_000), max_size=8))
@settings(max_examples=6)
def test_scores_are_those_of_whole_windows_however_a_stream_is_cut(
    pair: tuple[Engine, Engine], seed: int, cuts: list[int]
) -> None:
    """From the first step on, where windows hold the silence before the stream."""
    shared, plain = pair
    samples = speech(seed)
    chunks = np.split(samples, sorted(cuts))
    rate = shared.sample_rate
    assert_same(feed(shared, shared.open_stream(rate), chunks), whole(plain, samples, rate))


@given(st.data())
@settings(max_examples=6)
def test_streams_in_one_table_get_the_scores_of_whole_windows(
    pair: tuple[Engine, Engine], data: st.DataObject
) -> None:
    """Streams come and go; each call takes some of them, and other numbers of steps of each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows_module, "_FIRST_ROWS", 2)  # so that rows are given back often
        come_and_go(pair, data)


def come_and_go(pair: tuple[Engine, Engine], data: st.DataObject) -> None:
    shared, plain = pair
    step, rows, heard = shared.step_samples, Rows(shared), dict[int, list[np.ndarray]]()
    got: dict[int, list[np.ndarray]] = {}
    dice = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    for _ in range(data.draw(st.integers(1, 12))):
        chosen = data.draw(st.lists(st.integers(0, 40), min_size=1, max_size=8, unique=True))
        steps = np.array([data.draw(st.integers(1, 20)) for _ in chosen])
        samples = [(0.1 * dice.standard_normal(n * step)).astype(np.float32) for n in steps]
        _, smoothed = score(shared, rows, rows.find(chosen), steps, np.concatenate(samples))
        for number, part, found in zip(
            chosen, samples, np.split(smoothed, np.cumsum(steps)[:-1]), strict=True
        ):
            heard.setdefault(number, []).append(part)
            got.setdefault(number, []).append(found)
        for gone in data.draw(st.sets(st.sampled_from(sorted(heard)))):
            rows.forget([gone])
            check(plain, heard.pop(gone), got.pop(gone))
        if data.draw(st.booleans()):
            rows.shrink()
    for number in heard:
        check(plain, heard[number], got[number])


def check(plain: Engine, samples: list[np.ndarray], found: list[np.ndarray]) -> None:
    stream = plain.open_stream(plain.sample_rate)
    stream.accept(np.concatenate(samples))
    expected = [result.smoothed for result in plain.step([stream])]
    np.testing.assert_allclose(np.concatenate(found), expected, rtol=2e-5, atol=2e-6)


def test_a_failed_call_changes_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    shared, plain = engines(crnn_bundle(SMALL))
    rows, sound = Rows(shared), speech(1)[: 20 * shared.step_samples]
    parts = np.split(sound, 4)
    for number, part in enumerate(parts):
        ask = (shared, rows, rows.find([7]), np.array([5]), part)
        with monkeypatch.context() as patch:
            patch.setattr(shared._smoother, "process", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                score(*ask)
        expected = whole(plain, sound)[5 * number : 5 * number + 5]
        np.testing.assert_allclose(
            score(*ask)[0], [r.posteriors for r in expected], rtol=2e-5, atol=2e-6
        )


def test_who_is_asked_now_and_then_is_asked_here_too() -> None:
    """Between windows of which some are asked about and some are not."""
    shared, _ = engines(asking_bundle(SMALL, ASKED_FROM))
    never, _ = engines(asking_bundle(SMALL, 0.999999))
    found, unasked = (
        np.array([r.posteriors for r in feed(engine, engine.open_stream(RATE), [speech(5)])])
        for engine in (shared, never)
    )
    asked = np.abs(found - unasked).max(axis=1) > 1e-6
    assert 0.1 < asked.mean() < 0.9


def test_what_was_heard_is_a_value() -> None:
    """Going on twice from the same place gives the same, whatever was heard in between."""
    shared, _ = engines(find_bundle("seven"))
    stream = shared.open_stream(RATE)
    stream.accept(speech(1, 2.0))
    shared.step([stream])
    place, again = stream.state, speech(2, 1.0)
    found = []
    for sound in (again, speech(3, 2.0), again):
        stream.state = place
        stream.accept(sound)
        found.append([r.smoothed for r in shared.step([stream])])
    np.testing.assert_array_equal(found[0], found[2])


def test_every_new_stream_is_in_the_same_state_and_no_step_writes_it() -> None:
    shared, _ = engines(find_bundle("seven"))
    one, other = shared.open_stream(RATE), shared.open_stream(48_000)
    before = [step.copy() for step in other.state.heard.steps]
    feed(shared, one, [speech(4)])
    one.reset()
    for stream in (one, other):
        np.testing.assert_array_equal(stream.state.heard.steps, before)


def without_relu(model: onnx.ModelProto) -> None:
    next(n for n in model.graph.node if n.op_type == "Relu").op_type = "Tanh"


def clipped(model: onnx.ModelProto) -> None:
    gru = next(n for n in model.graph.node if n.op_type == "GRU")
    gru.attribute.append(onnx.helper.make_attribute("clip", 1.0))


def used_elsewhere(model: onnx.ModelProto) -> None:
    model.graph.node[-1].input[0] = "sum"
    last = [n for n in model.graph.node if n.op_type == "Gemm"][-1].output[0]
    nodes = [onnx.helper.make_node("ReduceMean", ["features"], ["mean"], axes=[1, 2], keepdims=0),
             onnx.helper.make_node("Unsqueeze", ["mean", "axis"], ["column"]),
             onnx.helper.make_node("Add", [last, "column"], ["sum"])]  # fmt: skip
    for node in nodes:
        model.graph.node.insert(len(model.graph.node) - 1, node)
    axis = onnx.numpy_helper.from_array(np.array([1]), "axis")
    model.graph.initializer.append(axis)


def louder_in_some_channels(model: onnx.ModelProto) -> None:
    """Bent by more than one constant for all."""
    per_channel = onnx.numpy_helper.from_array(np.linspace(0, 1, 40, dtype=np.float32), "louder")
    model.graph.initializer.append(per_channel)
    name = model.graph.input[0].name
    for node in model.graph.node:
        node.input[:] = ["bent" if given == name else given for given in node.input]
    model.graph.node.insert(0, onnx.helper.make_node("Add", [name, "louder"], ["bent"]))


def with_something_else_before_the_gru(model: onnx.ModelProto) -> None:
    """Not what was found comes first in it, but a constant that takes nothing."""
    gru = next(n for n in model.graph.node if n.op_type == "GRU")
    at = list(model.graph.node).index(gru)
    half = onnx.numpy_helper.from_array(np.array(0.5, np.float32), "half")
    nodes = [onnx.helper.make_node("Constant", [], ["half"], value=half),
             onnx.helper.make_node("Mul", ["half", gru.input[0]], ["halved"])]  # fmt: skip
    gru.input[0] = "halved"
    for number, node in enumerate(nodes):
        model.graph.node.insert(at + number, node)


def bent_a_thousand_times(model: onnx.ModelProto) -> None:
    """What a hostile model might do to keep the reader busy."""
    name = model.graph.input[0].name
    nothing = onnx.numpy_helper.from_array(np.array(0.0, np.float32), "nothing")
    model.graph.initializer.append(nothing)
    for node in model.graph.node:
        node.input[:] = ["bent999" if given == name else given for given in node.input]
    for number in range(1000):
        before = f"bent{number - 1}" if number else name
        added = onnx.helper.make_node("Add", [before, "nothing"], [f"bent{number}"])
        model.graph.node.insert(number, added)


@pytest.mark.parametrize(
    "change",
    [without_relu, clipped, used_elsewhere, louder_in_some_channels, bent_a_thousand_times,
     with_something_else_before_the_gru],
)
def test_other_networks_run_as_a_whole(change) -> None:
    bundle = crnn_bundle(SMALL)
    model = onnx.load_from_string(bundle.model)
    change(model)
    data = model.SerializeToString()
    with pytest.raises(NotShared):
        split_network(data, 151, 40, 10)
    changed = Bundle(bundle.path, describe_model(bundle.metadata, data), data)
    assert isinstance(Engine(changed)._windows, WholeWindows)


@pytest.mark.parametrize(
    "changes", [{"stride": (5, 2)}, {"kernel": (11, 5)}, {"recurrent_unit": "LSTM"}]
)
def test_the_mean_of_networks_that_share_otherwise_runs_as_a_whole(changes) -> None:
    engine = Engine(mean_bundle(SMALL, replace(SMALL, **changes)))
    assert isinstance(engine._windows, WholeWindows)
    assert whole(engine, speech(1))


@pytest.mark.parametrize(
    ("config", "changes"),
    [
        (replace(SMALL, recurrent_unit="LSTM"), {}),
        (SMALL, {"step_samples": 1000}),
        (SMALL, {"step_samples": 16_000}),
        (replace(SMALL, kernel=(151, 5)), {}),
    ],
)
def test_networks_and_steps_that_cannot_share_run_as_a_whole(config, changes) -> None:
    engine = Engine(crnn_bundle(config, **changes))
    assert isinstance(engine._windows, WholeWindows)
    assert whole(engine, speech(1))
