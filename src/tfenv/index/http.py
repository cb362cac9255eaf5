"""httpx without its command line.

`import httpx` also imports a command line of httpx where click, rich and pygments are installed, and those take longer
to import than all the rest of it. It is optional: click is declared missing while httpx is imported.
"""

from __future__ import annotations

import sys

__all__ = ["httpx"]

_hidden = "httpx" not in sys.modules and "click" not in sys.modules
if _hidden:
    sys.modules["click"] = None  # type: ignore[assignment]  # means "not installed" to Python
try:
    import httpx
finally:
    if _hidden:
        del sys.modules["click"]
