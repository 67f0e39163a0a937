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


def test_a_network_that_was_read_and_written_is_the_same() -> None:
    model = find_bundle("seven").model
    copy = write_graph(read_graph(model), {"features": ["n", 151, 40]}, ["posteriors"])
    windows = np.random.default_rng(0).random((3, 151, 40), np.float32)
    one, other = (
        onnxruntime.InferenceSession(m).run(["posteriors"], {"features": windows})[0]
        for m in (model, copy)
    )
    np.testing.assert_array_equal(one, other)


def test_nodes_and_weights_are_those_that_the_onnx_package_reads() -> None:
    model = find_bundle("seven").model
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
    graph = read_graph(find_bundle("seven").model)
    assert graph.open_names() == {"features"}
    conv = next(node for node in graph.nodes if node.op == "Conv")
    before = graph.before(conv.inputs[0])
    assert before.open_names() == {"features"} and before.nodes[-1].op == "Pad"
    assert not before.constants.keys() & {*conv.inputs}
    producer = graph.producer(conv.inputs[0])
    assert producer is not None and producer.op == "Pad" and graph.users(conv.inputs[0]) == [conv]


def in_a_half(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.zeros(1, np.float16), "half"))


def own_operators(model: onnx.ModelProto) -> None:
    model.opset_import.append(helper.make_opsetid("com.example", 1))


def subgraph(model: onnx.ModelProto) -> None:
    inner = graph_of()
    model.graph.node[0].attribute.append(helper.make_attribute("body", inner))


@pytest.mark.parametrize("change", [in_a_half, own_operators, subgraph])
def test_what_is_not_read_is_refused(change) -> None:
    model = onnx.load_from_string(model_bytes(graph_of()))
    change(model)
    with pytest.raises(ValueError, match="not read"):
        read_graph(model.SerializeToString())
