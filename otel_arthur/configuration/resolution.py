"""Settings from arguments and variables, resolved: nothing here raises, whatever is given.

For each field the first of these that is set decides: an argument, our variable, the variable of Arthur's own
SDK (OpenTelemetry specification, ``configuration/common.md``). An empty value is unset. A bad variable is a
`Problem` and the default, a bad argument is a `Problem` and as if it were not given. A protected setting that
cannot be used has no default: its field gets the value `Setting.unusable`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, NamedTuple, cast

from otel_arthur.configuration.kinds import Kind
from otel_arthur.configuration.setting import PREFIX, Setting


class Problem(NamedTuple):
    """A value that is set and cannot be used."""

    source: str
    """The variable, or ``argument`` and its name."""
    setting: str
    """The name of the setting."""
    what: str
    """The fault and its fix as a predicate, as in ``must be true or false``; never the value."""
    is_protected: bool = False
    """Whether nothing may be sent because of it: the setting says where keys and prompts go."""

    def __str__(self) -> str:
        return f"{self.source} {'cannot be used' if self.is_protected else 'is ignored'}: it {self.what}"


def resolve(
    settings: Iterable[Setting], environ: Mapping[str, str], arguments: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Problem]]:
    """The values by field, for all fields that are set, and the problems.

    Args:
        settings: the table; rows of one field lie side by side.
        environ: variable -> text.
        arguments: name of a setting -> a Python value, or the variable's text; None is unset.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for field, group in groupby(settings, key=lambda setting: setting.field):
        for source, setting, kind, value in _candidates(list(group), environ, arguments):
            try:
                values[field] = kind(value)
                break
            except ValueError as error:
                what = str(error)
            except Exception as error:  # an argument may be any object
                what = f"cannot be read ({type(error).__name__})"
            problems.append(Problem(source, setting.name, what, setting.is_protected))
            if setting.is_protected:
                values[field] = setting.unusable
            if setting.is_protected or source == setting.variable:
                break
    return values, problems


def is_set(settings: Iterable[Setting], environ: Mapping[str, str], arguments: Mapping[str, Any]) -> bool:
    """Whether one of the settings is set, rightly or not."""
    return source_of(settings, environ, arguments) is not None


def source_of(
    settings: Iterable[Setting], environ: Mapping[str, str], arguments: Mapping[str, Any]
) -> str | None:
    """The variable or argument that comes first of those that are set, rightly or not."""
    return next((source for source, *_ in _candidates(list(settings), environ, arguments)), None)


def unknown(
    settings: Iterable[Setting], environ: Mapping[str, str], arguments: Mapping[str, Any]
) -> list[Problem]:
    """A problem for each argument, and for each variable with our prefix, that is no setting.

    A misspelt name of a protected setting is protected too: keys and prompts must not go by its default.
    """
    table = {setting.name: setting for setting in settings}
    by_variable = {setting.variable: setting for setting in table.values()}
    problems = [
        _misspelt(f"argument {name}", name, table, lambda meant: meant.name)
        for name in arguments
        if name not in table
    ]
    problems += [
        _misspelt(variable, variable.removeprefix(PREFIX), table, lambda meant: meant.variable)
        for variable, value in environ.items()
        if variable.startswith(PREFIX) and variable not in by_variable and value.strip()
    ]
    return problems


def _misspelt(
    source: str, name: str, table: Mapping[str, Setting], shown: Callable[[Setting], str]
) -> Problem:
    import difflib

    (close,) = difflib.get_close_matches(name.lower(), table, 1) or ("",)
    meant = table.get(close)
    fix = f"did you mean {shown(meant)}?" if meant else "docs/reference/settings.md lists the settings"
    is_protected = meant is not None and meant.is_protected
    return Problem(source, close or name, f"is not a setting; {fix}", is_protected)


def _candidates(
    settings: list[Setting], environ: Mapping[str, str], arguments: Mapping[str, Any]
) -> Iterator[tuple[str, Setting, Kind[Any], Any]]:
    """The values that are set for one field, in the order of preference: source, setting, kind, value."""
    for setting in settings:
        value = _stripped(arguments.get(setting.name))
        if value is not None:
            yield f"argument {setting.name}", setting, setting.kind, value
    own = [(setting, setting.variable, setting.kind) for setting in settings]
    others = [(setting, *setting.fallback) for setting in settings if setting.fallback is not None]
    for setting, variable, kind in (*own, *others):
        value = _stripped(environ.get(variable))
        if value is not None:
            yield variable, setting, kind, value


def _stripped(value: Any) -> Any:
    """A value without blanks around it; None where it is empty."""
    if isinstance(value, str):
        return value.strip() or None
    return None if isinstance(value, list | tuple | Mapping) and not value else cast("Any", value)
