"""zstd as Python 3.14 has it; before, its backport, which the extra `collector` brings."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

if sys.version_info >= (3, 14):
    from compression.zstd import DecompressionParameter, ZstdDecompressor, ZstdError, ZstdFile, compress
else:
    from backports.zstd import DecompressionParameter, ZstdDecompressor, ZstdError, ZstdFile, compress

__all__ = ["WINDOW", "ZstdDecompressor", "ZstdError", "ZstdFile", "compress"]

WINDOW: Final[Mapping[int, int]] = {DecompressionParameter.window_log_max: 26}
"""Windows up to 64 MiB (RFC 8878, 3.1.1.1.2, recommends 8 MiB at least); a frame may ask for gigabytes."""
