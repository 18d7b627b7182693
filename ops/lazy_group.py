"""A group of commands whose modules are imported when a command is used."""

import signal
import threading
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

import click


class LazyGroup(click.Group):
    """Has the commands that are added to it, and those of `modules`: {name of a command: its module}."""

    def __init__(self, *args: Any, modules: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, sorted."""
        return sorted([*super().list_commands(ctx), *self._modules])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command, None if there is none of this name."""
        if cmd_name not in self._modules:
            return super().get_command(ctx, cmd_name)
        found = vars(_load(self._modules[cmd_name])).values()
        return next(each for each in found if isinstance(each, click.Command) and each.name == cmd_name)


def _load(name: str) -> ModuleType:
    """Import a module; Ctrl-C ends the program meanwhile, without the traceback of an import."""
    before = signal.getsignal(signal.SIGINT)
    in_main_thread = threading.current_thread() is threading.main_thread()
    if before is not signal.default_int_handler or not in_main_thread:
        return import_module(name)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return import_module(name)
    finally:
        signal.signal(signal.SIGINT, before)
