"""What the processor under the tests can do."""

from __future__ import annotations

from pathlib import Path

import pytest

_CPUINFO = Path("/proc/cpuinfo")
_FLAGS = set(_CPUINFO.read_text("utf-8").split()) if _CPUINFO.exists() else set()

bits_of_weights = pytest.mark.parametrize("seven", [
    pytest.param(True, id="seven-bit-weights"),
    pytest.param(False, id="eight-bit-weights", marks=pytest.mark.skipif(
        "avx2" in _FLAGS and not {"avx512_vnni", "avx_vnni"} & _FLAGS,
        reason="sums of 8-bit products saturate on x86 without VNNI (wakeword quantize --help): "
        "what they give is not what the file says",
    )),
])  # fmt: skip
"""For tests that compare ONNX Runtime's 8-bit kernels with exact ones: weights of eight bits only
where their sums do not saturate."""
