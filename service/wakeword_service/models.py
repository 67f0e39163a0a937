"""The models that are served, ready to run; each can be replaced while streams go on."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Self

import numpy as np

from wakeword.errors import BundleError, ConfigError, UnknownModelError
from wakeword.runtime import Bundle, Engine, Selection, choose, select


class ModelHost:
    """Engines by the name of their bundle.

    Parameters
    ----------
    selections
        Which bundles, and which of their words are offered.

    Raises
    ------
    BundleError
        A network cannot be run.
    ConfigError
        Two bundles have one name.
    """

    def __init__(self, selections: Sequence[Selection]) -> None:
        names = [selection.bundle.name for selection in selections]
        for name in names:
            if names.count(name) > 1:
                raise ConfigError(f"two models are called '{name}': serve one of them")
        self._offered = {s.bundle.name: s for s in selections}
        self._engines = {s.bundle.name: _ready(s.bundle) for s in selections}
        self._reloading = threading.Lock()

    @classmethod
    def load(cls, specs: Sequence[str] = ()) -> Self:
        """Load what ``specs`` name, as :func:`wakeword.runtime.select`; errors as there."""
        return cls(select(specs))

    def bundles(self) -> list[Bundle]:
        """The loaded bundles, in the order in which they were asked for."""
        return [engine.bundle for engine in self._engines.values()]

    def engine(self, name: str) -> Engine:
        """The engine of a loaded model.

        Raises
        ------
        UnknownModelError
            It is not loaded; the message says which are.
        """
        if name not in self._engines:
            raise UnknownModelError(
                f"unknown model '{name[:80]}'; this server has: {', '.join(self._engines)}"
            )
        return self._engines[name]

    def select(self, specs: Sequence[str] = ()) -> list[tuple[Engine, tuple[str, ...]]]:
        """Engines and words for the models and words that a client asked for.

        No spec is taken for a path: what is not loaded does not exist for a client.

        Raises
        ------
        UnknownModelError
            Something is not served; the message says what is.
        """
        chosen = choose(list(self._offered.values()), specs)
        return [(self._engines[s.bundle.name], s.words) for s in chosen]

    def reload(self, name: str) -> Bundle:
        """Read a model's folder again; streams that run keep the model they have.

        Returns
        -------
        bundle
            The new one, which every stream gets from now on.

        Raises
        ------
        UnknownModelError
            No such model is loaded.
        BundleError
            What is in the folder now cannot be used. The old model goes on.
        """
        with self._reloading:
            old = self.engine(name).bundle
            new = Bundle.load(old.path)
            if new.name != name:
                raise BundleError(f"{old.path} now holds model '{new.name}', not '{name}'")
            offered = self._offered[name].words
            words = new.words if offered == old.words else offered
            missing = [word for word in words if word not in new.words]
            if missing:
                raise BundleError(f"{old.path} does not hear '{missing[0]}' any more")
            engine = _ready(new)
            self._offered[name] = Selection(new, words)
            self._engines[name] = engine
            return new


def _ready(bundle: Bundle) -> Engine:
    """An engine that has run once: what cannot run is found now, and the first stream is quick."""
    engine = Engine(bundle)
    stream = engine.open_stream(engine.sample_rate)
    stream.accept(np.zeros(engine.step_samples, np.float32))
    engine.step([stream])
    return engine
