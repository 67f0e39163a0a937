"""Wake-word detection on any CPU, at a false-alarm rate that was chosen and measured.

>>> import wakeword
>>> spotter = wakeword.Spotter("computer", sample_rate=16_000)
>>> for chunk in chunks:
...     for detection in spotter.feed(chunk):
...         print(detection.keyword, detection.end_s)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from wakeword.errors import WakewordError

if TYPE_CHECKING:
    from wakeword.runtime import (
        Bundle,
        Detection,
        Engine,
        Selection,
        Spotter,
        StepResult,
        Stream,
        find_bundle,
        installed_bundles,
        select,
    )

__version__ = "0.1.0"

__all__ = [
    "Bundle",
    "Detection",
    "Engine",
    "Selection",
    "Spotter",
    "StepResult",
    "Stream",
    "WakewordError",
    "__version__",
    "find_bundle",
    "installed_bundles",
    "select",
]


def __getattr__(name: str) -> Any:
    """Load numpy and onnxruntime with the first name that needs them.

    ``wakeword --help`` starts at once, and a Ctrl-C while they load meets the command line's
    handler, not an import statement that nobody guards.
    """
    if name not in __all__:
        raise AttributeError(f"module 'wakeword' has no attribute '{name}'")
    return getattr(import_module("wakeword.runtime"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
