"""Wake-word detection on any CPU, at a false-alarm rate that was chosen and measured.

>>> import wakeword
>>> spotter = wakeword.Spotter("computer", sample_rate=16_000)
>>> for chunk in chunks:
...     for detection in spotter.feed(chunk):
...         print(detection.keyword, detection.end_s)
"""

from wakeword.errors import WakewordError
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
