"""`Setting`: one row of the table of settings, written once as a field of a configuration's class."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar, cast

from otel_arthur.configuration.kinds import Kind

_T = TypeVar("_T")
_D = TypeVar("_D")

PREFIX: Final = "OTEL_EXPORTER_ARTHUR_"
_ROW: Final = "setting"
IN_SECTION: Final = "*"
"""The key is the name, in the section of its configuration."""
_NO_VALUE: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting: a variable, an argument of the exporter, and mostly a key of the collector's YAML."""

    kind: Kind[Any]
    says: str
    """The meaning, for the documentation."""
    default: str
    """The default in Markdown, for the documentation."""
    name: str = ""
    """The name of the argument."""
    field: str = ""
    """The field of the configuration that the value goes to."""
    fallback: tuple[str, Kind[Any]] | None = None
    """The variable of Arthur's own SDK, which is read where ours is unset."""
    file: Kind[Any] | None = None
    """Reads the value from a file, which another setting names: the same name and ``_file``."""
    key: str = IN_SECTION
    """The key in the collector's YAML, as in ``spool.max_mb``; empty where there is none."""
    unusable: Any = _NO_VALUE
    """The field's value where the setting cannot be used."""

    @property
    def variable(self) -> str:
        return PREFIX + self.name.upper()

    @property
    def is_protected(self) -> bool:
        """Whether the value decides where keys and prompts go: then no default stands in for a bad value."""
        return self.unusable is not _NO_VALUE


def setting(
    kind: Kind[_T],
    default: _D,
    says: str,
    *,
    shown: str | None = None,
    fallback: str | tuple[str, Kind[Any]] = "",
    is_secret: bool = False,
    **row: Any,
) -> _T | _D:
    """A field of a configuration's class that is a setting.

    Args:
        kind: reads a value.
        default: the field's value where the setting is unset.
        says: the meaning, for the documentation.
        shown: the default in Markdown, for the documentation, where it is not the field's.
        fallback: a variable of Arthur's own SDK, with its kind where that is another.
        is_secret: the value stays out of ``repr``.
        **row: further fields of `Setting`; the name is the field's where it is not given.
    """
    variable, other = (fallback, kind) if isinstance(fallback, str) else fallback
    made = Setting(
        kind=kind,
        says=says,
        default=_shown(default) if shown is None else shown,
        fallback=(variable, other) if variable else None,
        **row,
    )
    value: dict[str, Any] = {"default_factory": dict} if default == {} else {"default": default}
    field: Any = dataclasses.field(**value, repr=not is_secret, metadata={_ROW: made})
    return field


def settings_of(configuration: type[Any], section: str = "arthur") -> tuple[Setting, ...]:
    """The rows of a configuration's class.

    Args:
        section: where the settings stand in the collector's YAML. Names begin with any other than ``arthur``.
    """
    found: list[Setting] = []
    prefix = "" if section == "arthur" else f"{section}_"
    for field in dataclasses.fields(configuration):
        row = cast("Setting | None", field.metadata.get(_ROW))
        if row is None:
            continue
        name = prefix + (row.name or field.name)
        found.append(replace(row, name=name, field=field.name, key=_key(section, name, row.key)))
        if row.file is not None:
            says = f"a regular file of 64 kB at most, which holds {row.says}"
            name += "_file"
            key = _key(section, name, row.key)
            file = replace(found[-1], name=name, key=key, kind=row.file, says=says, fallback=None)
            found.append(file)
    return tuple(found)


def without_fallback(settings: Iterable[Setting], *names: str) -> tuple[Setting, ...]:
    """The rows, those of these names without the variable of Arthur's own SDK."""
    return tuple(replace(row, fallback=None) if row.name in names else row for row in settings)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, float | int):
        return f"`{value:g}`"
    return f"`{value}`" if isinstance(value, str) else ""


def _key(section: str, name: str, given: str) -> str:
    if given != IN_SECTION:
        return given
    for own in (section, "spool"):
        if name.startswith(f"{own}_"):
            return f"{own}.{name.removeprefix(f'{own}_')}"
    return f"{section}.{name}"
