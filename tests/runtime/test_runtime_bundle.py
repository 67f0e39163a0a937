"""Bundles are loaded only if whole, and written as one step."""

import errno
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from bundles import load_tiny_bundle, model_bytes, network, tiny_metadata
from onnx import TensorProto, helper, numpy_helper

from wakeword import files
from wakeword.errors import BundleError, ConfigError, UnknownModelError
from wakeword.runtime import Bundle, bundle_writer, write_bundle, write_metadata
from wakeword.runtime.onnx_file import check_self_contained


@pytest.fixture
def folder(tiny_bundle: Path, tmp_path: Path) -> Path:
    """A bundle that a test may damage."""
    return Path(shutil.copytree(tiny_bundle, tmp_path / "copy"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def edit_metadata(folder: Path, **changes: object) -> None:
    table = json.loads((folder / "metadata.json").read_text())
    table.update(changes)
    (folder / "metadata.json").write_text(json.dumps(table))


def test_a_bundle_loads_as_it_was_written(folder: Path) -> None:
    bundle = Bundle.load(folder)
    assert bundle.name == "tiny"
    assert bundle.words == ("low tone", "high tone")
    assert bundle.model == network(bundle.metadata.frontend, bundle.words)
    assert bundle.metadata.model.bytes == len(bundle.model)
    assert bundle.card.startswith("# Tones")
    assert sorted(p.name for p in folder.iterdir()) == [
        "MODEL_CARD.md", "metadata.json", "model.onnx", "recipe.toml",
    ]  # fmt: skip


def test_thresholds_of_a_bundle(folder: Path) -> None:
    bundle = Bundle.load(folder)
    assert bundle.threshold("low tone") == 0.6
    assert bundle.threshold("low tone", 2.0) == 0.5
    assert bundle.operating_point("low tone", 0.1).supported is False
    with pytest.raises(UnknownModelError, match="it hears: low tone, high tone"):
        bundle.threshold("alexa")
    with pytest.raises(ConfigError, match="outside the range"):
        bundle.threshold("low tone", 100.0)


def damage_one_bit(folder: Path) -> None:
    data = bytearray((folder / "model.onnx").read_bytes())
    data[-1] ^= 1
    (folder / "model.onnx").write_bytes(bytes(data))


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "one bit of the model": (damage_one_bit, "sha256 .* damaged or was replaced"),
    "model cut short": (
        lambda f: os.truncate(f / "model.onnx", 100), "has 100 bytes .* metadata.json says",
    ),
    "model missing": (lambda f: (f / "model.onnx").unlink(), "cannot read .*model.onnx"),
    "metadata missing": (lambda f: (f / "metadata.json").unlink(), "cannot read .*metadata.json"),
    "metadata no JSON": (lambda f: (f / "metadata.json").write_text("{"), "not valid JSON"),
    "metadata too large": (
        lambda f: (f / "metadata.json").write_bytes(b" " * (4 * 2**20 + 1)), "4194304 bytes",
    ),
    "newer schema": (lambda f: edit_metadata(f, schema_version=7), "version 7, .* version 1"),
    "all gone": (shutil.rmtree, "not a folder"),
}  # fmt: skip


@pytest.mark.parametrize("case", DAMAGES)
def test_a_damaged_bundle_is_one_clear_error(folder: Path, case: str) -> None:
    damage, message = DAMAGES[case]
    damage(folder)
    with pytest.raises(BundleError, match=message) as caught:
        Bundle.load(folder)
    assert str(folder) in str(caught.value)


def external_model() -> onnx.ModelProto:
    """A model one of whose tensors lies in another file."""
    model = onnx.load_from_string(network(tiny_metadata().frontend, ["low tone"]))
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    return model


def test_weights_in_other_files_are_refused() -> None:
    with pytest.raises(BundleError, match="external data"):
        check_self_contained(external_model().SerializeToString())


def test_weights_in_other_files_are_found_in_subgraphs_and_attributes() -> None:
    external = external_model().graph
    inner = helper.make_node("If", ["c"], ["y"], then_branch=external, else_branch=external)
    sub = helper.make_graph([inner], "g", [], [])
    constant = helper.make_node("Constant", [], ["y"], value=external.initializer[0])
    for graph in (sub, helper.make_graph([constant], "g", [], [])):
        with pytest.raises(BundleError, match="external data"):
            check_self_contained(helper.make_model(graph).SerializeToString())


def test_weights_inside_attributes_are_fine() -> None:
    value = numpy_helper.from_array(np.zeros(3, np.float32))
    constant = helper.make_node("Constant", [], ["y"], value=value)
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [3])
    check_self_contained(model_bytes(helper.make_graph([constant], "g", [], [output])))


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\x0a", b"\x0a\xff", b"\xff" * 40, b"\x08\x01", b"\x3a\x02\x0a\x7f"]
)
def test_what_is_no_onnx_is_refused(data: bytes) -> None:
    with pytest.raises(BundleError, match="not a readable ONNX file"):
        check_self_contained(data)


def test_nesting_without_end_is_refused() -> None:
    graph = b""
    for _ in range(200):  # graph of a node of an attribute of a graph of ...
        for tag in (b"\x32", b"\x2a", b"\x0a"):
            size = len(graph)
            length = bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14])
            graph = tag + length + graph
    size = len(graph)
    length = bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14])
    with pytest.raises(BundleError, match="nested"):
        check_self_contained(b"\x3a" + length + graph)


def test_writing_replaces_a_bundle_as_a_whole(folder: Path) -> None:
    metadata = tiny_metadata("other", ["high tone"])
    model = network(metadata.frontend, metadata.words)
    written = write_bundle(folder, model, metadata, "card", figures={"a.png": b"png"})
    assert written == Bundle.load(folder)
    assert written.name == "other" and written.card == "card"
    assert (folder / "figures" / "a.png").read_bytes() == b"png"
    assert not (folder / "recipe.toml").exists(), "the recipe of the old model is gone"
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]


@pytest.mark.parametrize("failing", ["fsync", "replace", "rename", "mkdir"])
@pytest.mark.parametrize("exists", [True, False])
def test_a_failure_while_writing_leaves_what_was_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch, failing: str, exists: bool
) -> None:
    target = folder if exists else folder.parent / "fresh"
    before = contents(folder.parent)
    metadata, calls = tiny_metadata("other"), [0]
    real = getattr(os, failing)

    def full(*arguments: object, **named: object) -> object:
        calls[0] += 1
        if failing == "rename" and exists and calls[0] != 2:
            return real(*arguments, **named)  # fail between the two renames of the swap
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    module = files.os if failing in ("fsync", "replace") else bundle_writer.os
    monkeypatch.setattr(module, failing, full)
    with pytest.raises(OSError, match="No space"):
        write_bundle(target, network(metadata.frontend, metadata.words), metadata, "card")
    monkeypatch.undo()
    assert contents(folder.parent) == before
    assert Bundle.load(folder).name == "tiny"


def test_an_interrupt_while_writing_leaves_what_was_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, metadata = contents(folder.parent), tiny_metadata("other")

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Bundle, "load", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_bundle(folder, network(metadata.frontend, metadata.words), metadata, "card")
    assert contents(folder.parent) == before


def test_a_model_that_would_not_load_is_not_written(folder: Path) -> None:
    before = contents(folder.parent)
    external = external_model().SerializeToString()
    for model, message in ((b"rubbish", "ONNX"), (external, "external")):
        with pytest.raises(BundleError, match=message):
            write_bundle(folder, model, tiny_metadata("other"), "card")
    assert contents(folder.parent) == before


def test_a_folder_with_other_things_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("work of years")
    (tmp_path / "file").write_text("x")
    metadata = tiny_metadata()
    model = network(metadata.frontend, metadata.words)
    with pytest.raises(BundleError, match=r"not part of a bundle: file, thesis\.tex"):
        write_bundle(tmp_path, model, metadata, "card")
    with pytest.raises(BundleError, match="it is a file"):
        write_bundle(tmp_path / "file", model, metadata, "card")
    assert (tmp_path / "thesis.tex").read_text() == "work of years"


def test_a_figure_cannot_leave_its_folder(tmp_path: Path) -> None:
    metadata = tiny_metadata()
    model = network(metadata.frontend, metadata.words)
    with pytest.raises(BundleError, match="without a folder"):
        write_bundle(tmp_path / "b", model, metadata, "card", figures={"../x.png": b""})
    assert list(tmp_path.iterdir()) == []


def test_metadata_alone_can_be_changed(folder: Path) -> None:
    bundle = Bundle.load(folder)
    changed = write_metadata(bundle, replace(bundle.metadata, default_target_fa_per_hour=2.0))
    assert changed == Bundle.load(folder)
    assert changed.threshold("low tone") == 0.5
    assert changed.model == bundle.model
    with pytest.raises(BundleError, match="do not describe the network"):
        write_metadata(bundle, tiny_metadata())


def test_a_card_is_optional(folder: Path) -> None:
    (folder / "MODEL_CARD.md").unlink()
    assert Bundle.load(folder).card == ""


def test_any_front_end_travels_in_a_bundle(tmp_path: Path) -> None:
    from wakeword.frontend import preset

    for kind in ("logmel-40", "mfcc-30-10"):
        metadata = tiny_metadata(frontend=preset(kind))
        assert load_tiny_bundle(tmp_path / kind, metadata).metadata.frontend == preset(kind)
