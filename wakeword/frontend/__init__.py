"""Front end: 16 kHz samples to PCEN mel, log-mel or MFCC features, streaming, batched."""

from wakeword.frontend.config import FrontendConfig, PcenConfig, preset
from wakeword.frontend.frontend import Frontend, FrontendState

__all__ = ["Frontend", "FrontendConfig", "FrontendState", "PcenConfig", "preset"]
