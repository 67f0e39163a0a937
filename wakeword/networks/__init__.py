"""Networks by name (train extra): a registry from name to frozen configuration and module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wakeword.errors import ConfigError, RecipeError
from wakeword.networks.base import Network
from wakeword.networks.budgets import BUDGETS, Budget
from wakeword.networks.catalogue import NETWORKS
from wakeword.networks.cnn import Cnn, CnnConfig
from wakeword.networks.conv_gru import ConvGru, ConvGruConfig
from wakeword.networks.counting import flops_per_window, macs, parameter_count, total_parameters
from wakeword.networks.crnn import Crnn, CrnnConfig
from wakeword.networks.dnn import Dnn, DnnConfig
from wakeword.networks.ds_cnn import DsCnn, DsCnnConfig
from wakeword.networks.memory import Memory, memory
from wakeword.networks.named import NamedNetwork, Printed
from wakeword.networks.nas.network import Nas, NasConfig
from wakeword.networks.recurrent import Recurrent, RecurrentConfig
from wakeword.networks.res import Res, ResConfig
from wakeword.networks.speech_embedding import SpeechEmbedding, SpeechEmbeddingConfig
from wakeword.networks.tc_resnet import TcResnet, TcResnetConfig
from wakeword.tables import from_table

__all__ = [
    "BUDGETS",
    "FAMILIES",
    "NETWORKS",
    "Budget",
    "Memory",
    "NamedNetwork",
    "Network",
    "Printed",
    "build",
    "build_named",
    "flops_per_window",
    "macs",
    "memory",
    "named_network",
    "parameter_count",
    "total_parameters",
]

FAMILIES: dict[str, tuple[type[Any], Callable[[Any, int, int, int], Network]]] = {
    "crnn": (CrnnConfig, Crnn),
    "tc-resnet": (TcResnetConfig, TcResnet),
    "res": (ResConfig, Res),
    "cnn": (CnnConfig, Cnn),
    "ds-cnn": (DsCnnConfig, DsCnn),
    "dnn": (DnnConfig, Dnn),
    "recurrent": (RecurrentConfig, Recurrent),
    "conv-gru": (ConvGruConfig, ConvGru),
    "nas": (NasConfig, Nas),
    "speech-embedding": (SpeechEmbeddingConfig, SpeechEmbedding),
}


def build(
    name: str, table: Mapping[str, Any], frames: int, channels: int, labels: int
) -> Network:
    """Construct a network by name with fresh weights.

    Parameters
    ----------
    name
        A family, or a network of ``NETWORKS``.
    table
        Parameters of the family; they override those of the named network.

    Raises
    ------
    RecipeError
        Unknown name or parameter, or a window into which the network does not fit.
    """
    named = NETWORKS.get(name)
    family = named.family if named else name
    if family not in FAMILIES:
        known = ", ".join(dict.fromkeys((*NETWORKS, *FAMILIES)))
        raise RecipeError(f"unknown network '{name}'; there are: {known}")
    config, module = FAMILIES[family]
    own = dict(named.parameters) if named else {}
    where = f"network ({name})"
    values = from_table(config, {**own, **table}, where, RecipeError)
    try:
        return module(values, frames, channels, labels)
    except ConfigError as misfit:
        made_for = f"; it was published for {named.frames} by {named.channels}" if named else ""
        raise RecipeError(
            f"{where} does not go with windows of {frames} frames by {channels} channels: "
            f"{misfit}{made_for}"
        ) from misfit


def named_network(name: str) -> NamedNetwork:
    """The network of this name.

    Raises
    ------
    RecipeError
        There is none.
    """
    if name not in NETWORKS:
        raise RecipeError(f"unknown network '{name}'; there are: {', '.join(NETWORKS)}")
    return NETWORKS[name]


def build_named(name: str, labels: int) -> Network:
    """A network of ``NETWORKS`` for the front end and window that it was published with.

    Raises
    ------
    RecipeError
        There is none of this name.
    """
    named = named_network(name)
    return build(name, {}, named.frames, named.channels, labels)
