"""Several models as one: a network whose posteriors are the mean of theirs.

Networks that were trained apart are wrong in different places; their mean misses less at the same
false alarms than any of them (Hansen and Salamon 1990), and costs as much as all together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import BundleError, TrainingError
from wakeword.frontend.derived import common_frontend, features_of
from wakeword.runtime import Bundle
from wakeword.runtime.bundle import describe_model
from wakeword.runtime.fronts import MOST_NETWORKS
from wakeword.runtime.sections import DataSource, TrainingRecord
from wakeword.runtime.session import INPUT, OUTPUT, Session
from wakeword.training.recompression import given_features_of, rename_inputs
from wakeword.training.second_look import FIRST, SECOND, Asked, ask_in_doubt

if TYPE_CHECKING:
    from onnx import ModelProto

TOLERANCE = 1e-5
_SAME = ("labels", "window_frames", "step_samples", "smoother", "detector", "licence")


@dataclass(frozen=True)
class EnsembleName:
    """What the new bundle is called."""

    name: str
    version: str = "1.0.0"
    description: str = ""


def join(first: Sequence[Bundle], called: EnsembleName, asked: Asked | None = None) -> Bundle:
    """The members as one bundle, in memory; its operating points are still those of the first.

    Members of ``asked`` are heard only where the others are in doubt.

    Raises
    ------
    BundleError
        Fewer than two members or more than ``MOST_NETWORKS``, one twice, or members that differ in
        labels, window, step, smoother, detector or licence, or in more of the front end than
        ``delta`` and ``r`` of PCEN, and whether they hear that or log-mel.
    TrainingError
        The joined network does not give the mean.
    """
    members = [*first, *(asked.members if asked else ())]
    _check(members)
    frontend = common_frontend([m.metadata.frontend for m in members])
    metadata = replace(
        members[0].metadata,
        frontend=frontend,
        name=called.name,
        version=called.version,
        description=called.description or f"Mean of {', '.join(map(_title, members))}",
        model=replace(
            members[0].metadata.model,
            parameters=sum(m.metadata.model.parameters for m in members),
            flops_per_window=sum(m.metadata.model.flops_per_window for m in members),
        ),
        training=_record(members, called, asked),
    )
    models = [given_features_of(frontend, m.model, m.metadata.frontend) for m in members]
    onnx = mean_of_networks(models[: len(first)]) if len(first) > 1 else models[0]
    if asked is not None:
        second = models[len(first) :]
        onnx = _with_second_look(
            onnx,
            mean_of_networks(second) if len(second) > 1 else second[0],
            asked.share_beside(len(first)),
            asked.posterior,
        )
    joined = Bundle(Path(called.name), describe_model(metadata, onnx), onnx)
    _check_mean(joined, first, asked)
    return joined


def mean_of_networks(models: Sequence[bytes]) -> bytes:
    """model.onnx of the mean of the posteriors of several.

    Raises
    ------
    BundleError
        They use different versions of ONNX's operators.
    """
    import onnx
    from onnx import helper

    protos = _with_prefixes(models, [f"{number}/" for number in range(len(models))])
    joined = protos[0]
    for proto in protos[1:]:
        joined.graph.node.extend(proto.graph.node)
        joined.graph.initializer.extend(proto.graph.initializer)
    outputs = [f"{number}/{OUTPUT}" for number in range(len(protos))]
    joined.graph.input[0].name = INPUT
    rename_inputs(joined, {f"{number}/{INPUT}": INPUT for number in range(len(protos))})
    joined.graph.node.append(helper.make_node("Mean", outputs, [OUTPUT]))
    joined.graph.output[0].name = OUTPUT
    del joined.graph.value_info[:]
    onnx.checker.check_model(joined)
    return bytes(joined.SerializeToString())


def _with_second_look(first: bytes, second: bytes, share: float, posterior: float) -> bytes:
    import onnx

    joined, other = _with_prefixes([first, second], [FIRST, SECOND])
    joined.graph.input[0].name = INPUT
    rename_inputs(joined, {f"{FIRST}{INPUT}": INPUT})
    ask_in_doubt(joined, other, share, posterior)
    joined.graph.output[0].name = OUTPUT
    del joined.graph.value_info[:]
    onnx.checker.check_model(joined)
    return bytes(joined.SerializeToString())


def _with_prefixes(models: Sequence[bytes], prefixes: Sequence[str]) -> list[ModelProto]:
    """Graphs in which no name of one is a name of another, if they use the same operators."""
    import onnx

    protos = [
        onnx.compose.add_prefix(onnx.load_model_from_string(model), prefix)
        for model, prefix in zip(models, prefixes, strict=True)
    ]
    versions = {tuple((o.domain, o.version) for o in p.opset_import) for p in protos}
    if len(versions) > 1:
        raise BundleError(f"the networks use different operator sets: {sorted(versions)}")
    return protos


def _check(members: Sequence[Bundle]) -> None:
    if not 2 <= len(members) <= MOST_NETWORKS:
        raise BundleError(f"{len(members)} models to join, but it must be 2 to {MOST_NETWORKS}")
    seen: dict[str, Bundle] = {}
    for member in members:
        if seen.setdefault(member.metadata.model.sha256, member) is not member:
            raise BundleError(f"'{member.name}' is the same network as another of the models")
    first = members[0].metadata
    common = common_frontend([m.metadata.frontend for m in members])
    for member in members[1:]:
        m = member.metadata
        for field in (*_SAME, "frontend"):
            wanted, found = getattr(first, field), getattr(m, field)
            front = field == "frontend"
            if not (common.gives_features_of(found) if front else found == wanted):
                raise BundleError(
                    f"'{member.name}' cannot be joined with '{first.name}': its {field} is "
                    f"{found}, not {wanted}"
                )


def _check_mean(joined: Bundle, first: Sequence[Bundle], asked: Asked | None) -> None:
    m = joined.metadata
    shape = (8, m.window_frames, m.frontend.channels)
    windows = np.random.default_rng(0).normal(0.5, 0.5, shape).astype(np.float32)

    def mean_of(members: Sequence[Bundle]) -> NDArray[np.float32]:
        own = [features_of(x.metadata.frontend, windows, m.frontend) for x in members]
        each = [Session(x).run(heard) for x, heard in zip(members, own, strict=True)]
        return np.asarray(np.mean(each, axis=0), np.float32)

    mean = mean_of(first)
    if asked is not None:
        mean = asked.joined(mean, mean_of(asked.members), len(first))
    difference = float(np.abs(Session(joined).run(windows) - mean).max())
    if not difference <= TOLERANCE:
        raise TrainingError(
            f"the joined network differs from the mean by {difference:.2g}, but at most "
            f"{TOLERANCE:g} is rounding"
        )


def _title(bundle: Bundle) -> str:
    return f"{bundle.name} {bundle.metadata.version}"


def _record(
    members: Sequence[Bundle], called: EnsembleName, asked: Asked | None
) -> TrainingRecord:
    """What all of them were trained on, and the recipe of each."""
    first = members[0].metadata.training
    bundle, data = (
        {
            **_table(members[0], section),
            **{key: _union(_table(m, section).get(key, ()) for m in members) for key in lists},
        }
        for section, lists in (
            ("bundle", ("not_good_at", "attribution")),
            ("data", ("exclude_recordings", "noise_corpora")),
        )
    )
    doubts = {} if asked is None else {
        "asked": [m.metadata.model.sha256 for m in asked.members],
        "asked_from": asked.posterior,
        "asked_share": asked.share_beside(len(members) - len(asked.members)),
    }
    made_of = [
        {
            "name": m.name,
            "version": m.metadata.version,
            "sha256": m.metadata.model.sha256,
            "recipe": dict(m.metadata.training.recipe),
        }
        for m in members
    ]
    recipe = {
        "bundle": {**bundle, "name": called.name, "version": called.version},
        "data": data,
        "network": {"family": "ensemble", "parameters": {"members": made_of, **doubts}},
    }
    return replace(first, recipe=recipe, data=_sources(members))


def _table(bundle: Bundle, section: str) -> dict[str, Any]:
    found = bundle.metadata.training.recipe.get(section)
    return dict(found) if isinstance(found, dict) else {}


def _union(lists: Iterable[Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(item for items in lists for item in items))


def _sources(members: Sequence[Bundle]) -> tuple[DataSource, ...]:
    """Each corpus once, as the member has it that heard most of it."""
    heard: dict[str, DataSource] = {}
    for source in (s for m in members for s in m.metadata.training.data):
        most = heard.setdefault(source.corpus, source)
        if source.hours > most.hours:
            heard[source.corpus] = source
    return tuple(heard[corpus] for corpus in sorted(heard))
