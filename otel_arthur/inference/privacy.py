"""Which values of an inference may say something about a person, and what becomes of them.

``OTEL_EXPORTER_ARTHUR_REDACT`` and ``OTEL_EXPORTER_ARTHUR_CONTENT=metadata`` follow one table: each field
of the catalogue belongs to one `Privacy`. docs/redaction.md shows the table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, cast

from otel_arthur.configuration import Configuration

NAME_LENGTH: Final = 256
"""Characters of a name or an id in an inference that holds metadata only."""
FINISH_REASONS: Final = frozenset({"stop", "length", "content_filter", "tool_calls"})
"""The finish reasons that metadata may hold; a provider's own word may be anything."""
OTHER_ERROR: Final = "_OTHER"
"""An error type that reads like a message (OpenTelemetry semantic conventions, ``error.type``)."""

_CLASS_NAME = re.compile(r"[\w.:/<>$-]+")


class Privacy(Enum):
    """What a value may hold."""

    WORDS = "words"
    """Words of a user, a model or a tool, and the application's own attributes."""
    NAME = "name"
    """A name or an id that may name a person."""
    FINISH_REASON = "finish reason"
    ERROR_TYPE = "error type"
    IDENTIFIER = "identifier"
    """A name or an id of a program, a service or a model."""
    MEASURE = "measure"
    """A number, a switch, or a text that otel-arthur makes."""

    @property
    def is_redacted(self) -> bool:
        """Whether the redactors see the value."""
        return self not in (Privacy.IDENTIFIER, Privacy.MEASURE)


@dataclass(frozen=True, slots=True)
class TextRules:
    """What happens to every text before it leaves: redaction first, then the limit of length."""

    input_format: str = "transcript"
    redact: Callable[[str], str] | None = None
    max_length: int | None = None
    metadata_only: bool = False

    def changes(self, privacy: Privacy) -> bool:
        """Whether a value of this kind may leave otherwise than it came."""
        if self.metadata_only and privacy is not Privacy.MEASURE:
            return True
        if self.redact is not None and privacy.is_redacted:
            return True
        return self.max_length is not None and privacy is Privacy.WORDS


class Texts:
    """Applies the rules to the values of one inference, and remembers whether a text was cut."""

    __slots__ = ("_is_free", "cut", "rules")

    def __init__(self, rules: TextRules) -> None:
        self.rules = rules
        self.cut = False
        self._is_free = rules.redact is None and rules.max_length is None and not rules.metadata_only

    def apply(self, value: Any, privacy: Privacy) -> Any:
        """The value as it may leave, or None where it may not. Lists and the keys of maps count as texts."""
        if self._is_free and (value is None or type(value) is str):
            return value
        if self.rules.metadata_only:
            value = _METADATA[privacy](value)
        if privacy.is_redacted:
            return self._each(value, limit=self.rules.max_length if privacy is Privacy.WORDS else None)
        return value

    def _each(self, value: Any, limit: int | None) -> Any:
        if isinstance(value, str):
            return self._text(value, limit)
        if isinstance(value, Mapping):
            entries = cast("Mapping[Any, Any]", value)
            return {self._text(str(key), limit): self._each(item, limit) for key, item in entries.items()}
        if isinstance(value, list | tuple):
            return [self._each(item, limit) for item in cast("list[Any]", value)]
        return value

    def _text(self, text: str, limit: int | None) -> str:
        if self.rules.redact is not None:
            text = self.rules.redact(text)
        if limit is not None and len(text) > limit:
            self.cut = True
            return text[:limit]
        return text


def _withheld(_value: Any) -> None:
    return None


def _line(value: Any) -> Any:
    """One line of at most `NAME_LENGTH` characters; of a list, each item."""
    if isinstance(value, str):
        return " ".join(value.split())[:NAME_LENGTH]
    if isinstance(value, list):
        return [_line(item) for item in cast("list[Any]", value)]
    return value


def _finish_reason(value: Any) -> Any:
    return value if value in FINISH_REASONS else None


def _error_type(value: Any) -> Any:
    line = _line(value)
    return line if isinstance(line, str) and _CLASS_NAME.fullmatch(line) else OTHER_ERROR


def _as_it_is(value: Any) -> Any:
    return value


_METADATA: Final[Mapping[Privacy, Callable[[Any], Any]]] = {
    Privacy.WORDS: _withheld,
    Privacy.NAME: _line,
    Privacy.FINISH_REASON: _finish_reason,
    Privacy.ERROR_TYPE: _error_type,
    Privacy.IDENTIFIER: _line,
    Privacy.MEASURE: _as_it_is,
}
"""What becomes of a value where only metadata may leave."""


def rules_of(configuration: Configuration, redact: Callable[[str], str] | None) -> TextRules:
    return TextRules(
        input_format=configuration.input_format,
        redact=redact,
        max_length=configuration.max_text_length,
        metadata_only=configuration.content == "metadata",
    )
