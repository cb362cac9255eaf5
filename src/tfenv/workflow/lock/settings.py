"""What is known of a locked TensorFlow: its build, environment variables, and compiler options for custom ops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfenv.model.package import TENSORFLOWS
from tfenv.model.target import Platform

if TYPE_CHECKING:
    from tfenv.facts.database import Database
    from tfenv.model.builds import Build, CompileFlags
    from tfenv.model.goal import Goal
    from tfenv.overlay.overlay import FactsOverlay
    from tfenv.resolver.outcome import Pin, Resolution


def environment_of(goal: Goal, resolution: Resolution, database: Database) -> tuple[tuple[str, str], ...]:
    """Variables and their values, without which the goal would not be met."""
    pin = tensorflow_of(resolution)
    if pin is None or goal.keras is None:
        return ()
    row = database.companions.keras_of(pin.version, goal.keras)
    return () if row is None else row.environment


def compile_of(goal: Goal, resolution: Resolution, database: Database) -> CompileFlags | None:
    """The options; ``None`` if unknown, as on every platform but Linux on x86-64."""
    pin = tensorflow_of(resolution)
    if pin is None or goal.target.platform.wheels is not Platform.LINUX_X86_64:
        return None
    row = database.compile.of(pin.version)
    return None if row is None else row.flags


def tensorflow_of(resolution: Resolution) -> Pin | None:
    """The distribution that is TensorFlow; ``None`` if none is."""
    return next((resolution.pins[name] for name in TENSORFLOWS if name in resolution.pins), None)


def build_of(resolution: Resolution, overlay: FactsOverlay) -> Build | None:
    """How the locked TensorFlow was built; ``None`` if unknown."""
    pin = tensorflow_of(resolution)
    return None if pin is None else overlay.build(pin.name, pin.version)
