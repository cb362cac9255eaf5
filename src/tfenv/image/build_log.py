"""The messages of a build as they arrive: the current step, and the reason of a failure."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from tfenv.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tfenv.model.progress import Progress

BUILDING = "building the image"
_STEP = re.compile(r"Step (\d+)/(\d+) : (.*)", re.DOTALL)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_LAST_LINES = 20
_SHOWN = 100
_NO_BASE = ("pull access denied", "manifest unknown", "manifest for", "dial tcp", "i/o timeout")


def follow(messages: Iterable[Mapping[str, object]], progress: Progress) -> str:
    """Read a build to its end.

    Args:
        messages: decoded messages of the engine's build API.
        progress: reports the steps, as the task `BUILDING`.

    Returns:
        The id of the image, `sha256:…`.

    Raises:
        EngineError: a step failed (with its last lines), or the stream ended without an image.
    """
    step = "before the first step"
    lines: deque[str] = deque(maxlen=_LAST_LINES)
    image = None
    for message in messages:
        text = str(message.get("stream") or message.get("status") or "").strip()
        if (found := _STEP.match(text)) is not None:
            number, total, instruction = int(found[1]), int(found[2]), " ".join(found[3].split())
            shortened = instruction if len(instruction) <= _SHOWN else f"{instruction[:_SHOWN]}…"
            step = f"in step {number} of {total}, `{shortened}`"
            lines.clear()
            progress.start(BUILDING, total)
            if number > 1:
                progress.advance(BUILDING)
        elif text and "progressDetail" not in message:
            lines.extend(line for line in _COLOUR.sub("", text).splitlines() if line.strip())
        if isinstance(aux := message.get("aux"), dict) and str(aux.get("ID", "")).startswith("sha256:"):
            image = str(aux["ID"])
        if "error" in message:
            progress.finish(BUILDING)
            shown = "".join(f"\n  {line}" for line in lines if not line.startswith("--->"))
            error = str(message["error"])
            raise EngineError(f"the build failed {step}:{shown}\n  {error}", hint=_hint(error))
    progress.finish(BUILDING)
    if image is None:
        raise EngineError(f"the engine ended the build {step} without an image", hint="see the log of the engine")
    return image


def _hint(error: str) -> str | None:
    if "no space left" in error:
        return "free space where the engine keeps its images, for example with `docker system prune`"
    if any(each in error for each in _NO_BASE):
        return "the base image could not be pulled; use one that the engine has: `--base-image IMAGE`"
    return None
