# SPDX-License-Identifier: MIT
"""The plays here start programs as those of tests/flow do."""
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "flow"))
