"""Reading and writing model.onnx without the onnx package, held against it."""

import numpy as np
import onnx
import onnxruntime
import pytest
from bundles import model_bytes
from onnx import TensorProto, helper, numpy_helper

from wakeword.runtime import find_bundle
from wakeword.runtime.onnx_graph import read_graph
from wakeword.runtime.onnx_write import write_graph


@pytest.mark.parametrize("name", ["seven", "seven-one"])
def test_a_network_that_was_read_and_written_is_the_same(name: str) -> None:
    bundle = find_bundle(name)
    model, channels = bundle.model, bundle.metadata.frontend.channels
    copy = write_graph(read_graph(model), {"features": ["n", 151, channels]}, ["posteriors"])
    windows = np.random.default_rng(0).random((3, 151, channels), np.float32)
    one, other = (
        onnxruntime.InferenceSession(m).run(["posteriors"], {"features": windows})[0]
        for m in (model, copy)
    )
    np.testing.assert_array_equal(one, other)


def test_nodes_and_weights_are_those_that_the_onnx_package_reads() -> None:
    model = find_bundle("seven-one").model
    graph, expected = read_graph(model), onnx.load_from_string(model).graph
    assert [(n.op, n.inputs, n.outputs) for n in graph.nodes] == [
        (n.op_type, tuple(n.input), tuple(n.output)) for n in expected.node
    ]
    for node, other in zip(graph.nodes, expected.node, strict=True):
        for attribute in other.attribute:
            value = helper.get_attribute_value(attribute)
            value = numpy_helper.to_array(value) if attribute.type == 4 else value
            np.testing.assert_array_equal(node.attributes[attribute.name], value)
    for tensor in expected.initializer:
        np.testing.assert_array_equal(graph.constants[tensor.name], numpy_helper.to_array(tensor))


def graph_of(*tensors: TensorProto, **attributes: object) -> onnx.GraphProto:
    given = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", 4])
    node = helper.make_node("Softmax", ["features"], ["posteriors"], **attributes)
    output = helper.make_tensor_value_info("posteriors", TensorProto.FLOAT, ["n", 4])
    return helper.make_graph([node], "g", [given], [output], list(tensors))


def test_every_way_to_write_numbers_is_read() -> None:
    floats = helper.make_tensor("floats", TensorProto.FLOAT, [2], [0.5, -2.0])
    whole = helper.make_tensor("whole", TensorProto.INT64, [3], [1, -1, 2**40])
    raw = numpy_helper.from_array(np.array([[7, -7]], np.int64), "raw")
    graph = read_graph(model_bytes(graph_of(floats, whole, raw, axis=-1)))
    assert graph.constants["floats"].tolist() == [0.5, -2.0]
    assert graph.constants["whole"].tolist() == [1, -1, 2**40]
    assert graph.constants["raw"].tolist() == [[7, -7]]
    assert graph.nodes[0].attributes == {"axis": -1}


def test_what_depends_on_what() -> None:
    graph = read_graph(find_bundle("seven-one").model)
    assert graph.open_names() == {"features"}
    conv = next(node for node in graph.nodes if node.op == "Conv")
    before = graph.before(conv.inputs[0])
    assert before.open_names() == {"features"} and before.nodes[-1].op == "Pad"
    assert not before.constants.keys() & {*conv.inputs}
    producer = graph.producer(conv.inputs[0])
    assert producer is not None and producer.op == "Pad" and graph.users(conv.inputs[0]) == [conv]


def test_what_a_subgraph_takes_from_around_it() -> None:
    """Not what it makes itself, nor its own weights."""
    inner = helper.make_graph(
        [helper.make_node("Add", ["outer", "own"], ["sum"]),
         helper.make_node("Mul", ["sum", "weights"], ["product"])],
        "then", [], [helper.make_empty_tensor_value_info("product")],
        [numpy_helper.from_array(np.ones(1, np.float32), "own")],
    )  # fmt: skip
    plain = helper.make_graph(
        [helper.make_node("Identity", ["features"], ["same"])],
        "else", [], [helper.make_empty_tensor_value_info("same")],
    )  # fmt: skip
    node = helper.make_node("If", ["said"], ["posteriors"], then_branch=inner, else_branch=plain)
    outer = graph_of(numpy_helper.from_array(np.ones(4, np.float32), "weights"))
    del outer.node[:]
    outer.node.append(helper.make_node("Relu", ["features"], ["outer"]))
    outer.node.append(helper.make_node("Cast", ["weights"], ["said"], to=TensorProto.BOOL))
    outer.node.append(node)
    graph = read_graph(model_bytes(outer))
    relu, _, asked = graph.nodes
    assert asked.inputs == ("said",)
    assert asked.takes == {"said", "outer", "weights", "features"}
    assert graph.open_names() == {"features"}
    assert graph.users("features") == [relu, asked]
    before = graph.before("posteriors")
    assert before.nodes == graph.nodes and before.constants.keys() == {"weights"}


def in_a_half(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.zeros(1, np.float16), "half"))


def own_operators(model: onnx.ModelProto) -> None:
    model.opset_import.append(helper.make_opsetid("com.example", 1))


def subgraph_of_a_subgraph(model: onnx.ModelProto) -> None:
    inner = graph_of(body=graph_of())
    model.graph.node[0].attribute.append(helper.make_attribute("body", inner))


def many_subgraphs(model: onnx.ModelProto) -> None:
    model.graph.node[0].attribute.append(helper.make_attribute("bodies", [graph_of(), graph_of()]))


def half_in_a_subgraph(model: onnx.ModelProto) -> None:
    """Its tensors are left to ONNX Runtime, but those of its attributes are looked at."""
    half = numpy_helper.from_array(np.zeros(1, np.float16), "half")
    model.graph.node[0].attribute.append(helper.make_attribute("body", graph_of(value=half)))


@pytest.mark.parametrize(
    "change",
    [in_a_half, own_operators, subgraph_of_a_subgraph, many_subgraphs, half_in_a_subgraph],
)
def test_what_is_not_read_is_refused(change) -> None:
    model = onnx.load_from_string(model_bytes(graph_of()))
    change(model)
    with pytest.raises(ValueError, match="not read"):
        read_graph(model.SerializeToString())
