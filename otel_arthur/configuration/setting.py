"""`Setting`: one row of the table of settings, written once as a field of a configuration's class."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from otel_arthur.configuration.kinds import Kind

_T = TypeVar("_T")
_D = TypeVar("_D")

PREFIX: Final = "OTEL_EXPORTER_ARTHUR_"
_ROW: Final = "setting"
_NO_VALUE: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting: a variable, an argument of the exporter, and mostly a key of the collector's YAML."""

    kind: Kind[Any]
    says: str
    """The meaning, for the tables in the documentation."""
    field: str = ""
    """The field of the configuration that the value goes to."""
    name: str = ""
    """The name of the argument."""
    default: str = ""
    """The default, for the tables in the documentation: Markdown."""
    fallback: tuple[str, Kind[Any]] | None = None
    """The variable of Arthur's own SDK, which is read where ours is unset."""
    key: str = ""
    """The key in the collector's YAML, as in ``spool.max_mb``; empty where there is none."""
    unusable: Any = _NO_VALUE
    """The field's value where the setting cannot be used."""

    @property
    def variable(self) -> str:
        """The environment variable."""
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
    name: str = "",
    shown: str | None = None,
    fallback: str | tuple[str, Kind[Any]] = "",
    key: str | None = None,
    file: Kind[str] | None = None,
    is_secret: bool = False,
    unusable: Any = _NO_VALUE,
) -> _T | _D:
    """A field of a configuration's class that is a setting.

    Args:
        kind: reads a value.
        default: the field's value where the setting is unset.
        says: the meaning, for the documentation.
        name: the argument's name, where it is not the field's.
        shown: the default in Markdown, for the documentation, where it is not the field's.
        fallback: a variable of Arthur's own SDK, with its kind where that is another.
        key: the key in the collector's YAML, where it is not ``arthur.NAME``; empty for none.
        file: also make a setting of the same name and ``_file``, which names a file with the value.
        is_secret: the value stays out of ``repr``.
        unusable: the field's value where the setting is protected and cannot be used.
    """
    row = Setting(
        kind=kind,
        says=says,
        name=name,
        default=_shown(default) if shown is None else shown,
        fallback=(fallback, kind)
        if isinstance(fallback, str) and fallback
        else cast("Any", fallback or None),
        key="?" if key is None else key,
        unusable=unusable,
    )
    rows = [row]
    if file is not None:
        rows.append(
            Setting(
                kind=file,
                says=f"a regular file of 64 kB at most, which holds {says}",
                name="_file",
                key=row.key,
                unusable=unusable,
            )
        )
    metadata = {_ROW: rows}
    if isinstance(default, dict):
        empty: Any = dict[str, str]
        return dataclasses.field(default_factory=empty, metadata=metadata)
    made: Any = dataclasses.field(default=default, repr=not is_secret, metadata=metadata)
    return made


def settings_of(configuration: type[Any], section: str = "arthur") -> tuple[Setting, ...]:
    """The rows of a configuration's class. Those of another section begin with its name.

    Args:
        section: where the settings stand in the collector's YAML.
    """
    found: list[Setting] = []
    prefix = "" if section == "arthur" else f"{section}_"
    for field in dataclasses.fields(configuration):
        base = ""
        for row in cast("list[Setting]", field.metadata.get(_ROW, [])):
            base = base or row.name or field.name
            name = base + ("_file" if row.name == "_file" else "")
            key = f"{section}.{name}" if row.key == "?" else row.key
            found.append(dataclasses.replace(row, name=prefix + name, field=field.name, key=key))
    return tuple(found)


def without_fallback(settings: Iterable[Setting], *names: str) -> tuple[Setting, ...]:
    """The rows, those of these names without the variable of Arthur's own SDK."""
    return tuple(
        dataclasses.replace(setting, fallback=None) if setting.name in names else setting
        for setting in settings
    )


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, float | int):
        return f"`{value:g}`"
    return f"`{value}`" if isinstance(value, str) else ""
