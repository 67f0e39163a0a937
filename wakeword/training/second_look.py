"""A second network that is asked only about windows in which the first one hears something.

It may be much larger: where nobody says anything like a word it costs nothing. All is in one ONNX
graph, so that whoever runs a bundle need not know of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import ConfigError
from wakeword.runtime import Bundle
from wakeword.runtime.session import INPUT, OUTPUT

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

FIRST, SECOND = "first/", "second/"


@dataclass(frozen=True)
class Asked:
    """The networks that are asked, and the posterior of some word from which they are.

    Where the mean of the first ones gives no word as much, what these say counts as background.
    ``share`` is theirs in what is said; by default a network counts as much as any other.
    """

    members: tuple[Bundle, ...]
    posterior: float
    share: float | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.posterior < 1.0:
            raise ConfigError(f"asked from a posterior of {self.posterior}; it must be in (0, 1)")
        if self.share is not None and not 0.0 < self.share < 1.0:
            raise ConfigError(f"a share of {self.share} for who is asked; it must be in (0, 1)")

    def share_beside(self, others: int) -> float:
        """Their share beside so many networks that are always heard."""
        return self.share or len(self.members) / (others + len(self.members))

    def joined(
        self, first: NDArray[np.float32], second: NDArray[np.float32], others: int
    ) -> NDArray[np.float32]:
        """Posteriors (windows, labels) where the ``others`` say ``first`` and these ``second``."""
        background = np.eye(1, second.shape[1], dtype=np.float32)
        asked = first[:, 1:].max(axis=1, keepdims=True) >= np.float32(self.posterior)
        share = self.share_beside(others)
        said = (1.0 - share) * first + share * np.where(asked, second, background)
        return np.asarray(said, np.float32)


def ask_in_doubt(
    first: ModelProto, second: ModelProto, share: float, posterior: float
) -> None:
    """Add ``second``, which has this ``share``, to ``first``: the same as :meth:`Asked.joined`.

    Names of both begin with ``FIRST`` and ``SECOND``.
    """
    from onnx import helper, numpy_helper

    said, graph = f"{FIRST}{OUTPUT}", first.graph
    labels = graph.output[0].type.tensor_type.shape.dim[1].dim_value
    constants: dict[str, NDArray[np.generic]] = {
        "word": np.array([1], np.int64),
        "last": np.array([labels], np.int64),
        "row": np.array([0], np.int64),
        "nobody": np.array(0, np.int64),
        "from": np.array(posterior, np.float32),
        "nought": np.array(0.0, np.float32),
        "background": np.eye(1, labels, dtype=np.float32),
        "others": np.array(1.0 - share, np.float32),
        "share": np.array(share, np.float32),
    }
    graph.initializer.extend(numpy_helper.from_array(v, n) for n, v in constants.items())
    graph.initializer.extend(second.graph.initializer)

    def node(op: str, inputs: list[str], output: str, **attributes: Any) -> NodeProto:
        return helper.make_node(op, inputs, [output], **attributes)

    def branch(nodes: list[NodeProto]) -> GraphProto:
        output = nodes[-1].output[0]
        found = helper.make_empty_tensor_value_info(output)
        return helper.make_graph(nodes, f"where_{output}", [], [found])

    heard = [
        node("Gather", [INPUT, "rows"], f"{SECOND}{INPUT}", axis=0),
        *second.graph.node,
        node("ScatterND", ["silent", "places", f"{SECOND}{OUTPUT}"], "answered"),
    ]
    nothing = [node("Identity", ["silent"], "unasked")]
    branches = {"then_branch": branch(heard), "else_branch": branch(nothing)}
    graph.node.extend([
        node("Slice", [said, "word", "last", "word"], "words"),
        node("GreaterOrEqual", ["words", "from"], "in_doubt"),
        node("Cast", ["in_doubt"], "counted", to=1),
        node("ReduceSum", ["counted", "word"], "doubts", keepdims=0),
        node("NonZero", ["doubts"], "row_numbers"),
        node("Squeeze", ["row_numbers", "row"], "rows"),
        node("Transpose", ["row_numbers"], "places", perm=[1, 0]),
        node("Size", ["rows"], "count"),
        node("Greater", ["count", "nobody"], "any"),
        node("Mul", [said, "nought"], "zeros"),
        node("Add", ["zeros", "background"], "silent"),
        node("If", ["any"], "asked", **branches),
        node("Mul", [said, "others"], "first_part"),
        node("Mul", ["asked", "share"], "second_part"),
        node("Add", ["first_part", "second_part"], OUTPUT),
    ])  # fmt: skip
