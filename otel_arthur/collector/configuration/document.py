"""A YAML document read key by key, so that an error can name the line, the key and the fix.

Scalars are read as they were written: an id such as ``0123`` stays that text, quoted or not.
``${env:NAME}`` and ``${env:NAME:-default}`` stand for environment variables and ``$$`` for a
dollar sign (OpenTelemetry Collector, "Configuration", environment variables).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar, cast

import yaml

_T = TypeVar("_T")
_VARIABLE = re.compile(r"\$(?:\$|\{([^}]*)\})")
_NAME = re.compile(r"(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)


class ConfigurationError(ValueError):
    """A configuration that cannot be used: one line for each thing to mend."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Section:
    """A mapping of the document. Reading a key makes the key known; `Document.check` reports the others."""

    def __init__(self, document: Document, path: str, node: yaml.Node | None, line: int) -> None:
        self._document = document
        self._path = path
        self._asked: set[str] = set()
        self._inner: dict[str, list[Section]] = {}
        self._entries: dict[str, tuple[yaml.Node, int]] = {}
        self.line = line
        if node is None or _is_null(node):
            return
        if not isinstance(node, yaml.MappingNode):
            self.problem(None, f"must be a mapping, not {_kind(node)}; write it as key: value")
            return
        merged: list[yaml.Node] = []
        for key, value in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
            if key.tag == "tag:yaml.org,2002:merge":
                merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
                continue
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            if name in self._entries:
                self.problem(name, "is written twice; keep one", key.start_mark.line + 1)
            self._entries[name] = (value, key.start_mark.line + 1)
        # YAML's merge keys, ``<<: *name``: the section's own keys win, then the first merged ones.
        for other in merged:
            for name, entry in Section(document, path, other, other.start_mark.line + 1)._entries.items():
                self._entries.setdefault(name, entry)

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def problem(self, key: str | None, what: str, line: int | None = None) -> None:
        """Report what is wrong with a key, or with this section where `key` is None."""
        if line is None:
            line = self._entries[key][1] if key in self._entries else self.line
        path = ".".join(part for part in (self._path, key) if part) or "the document"
        self._document.report(line, f"{path} {what}")

    def text(self, key: str) -> str | None:
        """A scalar with its variables replaced; None where it is absent, null or empty."""
        self._asked.add(key)
        if key not in self._entries:
            return None
        return self._scalar(key, self._entries[key][0])

    def read(self, key: str, parse: Callable[[str], _T], default: _T) -> _T:
        """A scalar parsed; `parse` raises ValueError with the words "must be …"."""
        value = self.text(key)
        if value is None:
            return default
        try:
            return parse(value)
        except ValueError as error:
            self.problem(key, str(error))
            return default

    def value(self, key: str) -> str | list[str] | dict[str, str] | None:
        """The scalar, list of scalars or mapping of scalars under a key; None for an absent key."""
        node = self._entries[key][0] if key in self._entries else None
        if isinstance(node, yaml.MappingNode):
            return self.pairs(key)
        return list(self.texts(key)) if isinstance(node, yaml.SequenceNode) else self.text(key)

    def section(self, key: str) -> Section:
        """A mapping inside this one; empty where it is absent."""
        self._asked.add(key)
        if key not in self._inner:
            node, line = self._entries.get(key, (None, self.line))
            path = f"{self._path}.{key}" if self._path else key
            self._inner[key] = [Section(self._document, path, node, line)]
        return self._inner[key][0]

    def sections(self, key: str) -> list[Section]:
        self._asked.add(key)
        if key not in self._entries or key in self._inner:
            return self._inner.get(key, [])
        node, line = self._entries[key]
        if not isinstance(node, yaml.SequenceNode):
            self.problem(key, f"must be a list, not {_kind(node)}; begin each item with a dash")
            return []
        path = f"{self._path}.{key}" if self._path else key
        self._inner[key] = [
            Section(self._document, f"{path}[{number}]", item, item.start_mark.line + 1 or line)
            for number, item in enumerate(cast("list[yaml.Node]", node.value))
        ]
        return self._inner[key]

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of scalars, or one scalar alone."""
        self._asked.add(key)
        if key not in self._entries:
            return ()
        node, _ = self._entries[key]
        nodes = cast("list[yaml.Node]", node.value) if isinstance(node, yaml.SequenceNode) else [node]
        values = [self._scalar(key, item) for item in nodes]
        return tuple(value for value in values if value is not None)

    def pairs(self, key: str) -> dict[str, str]:
        inner = self.section(key)
        values = {name: inner.text(name) for name in inner}
        return {name: value for name, value in values.items() if value is not None}

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def report_unknown(self) -> None:
        """Report the keys that nothing has read, here and inside, with the name that was probably meant."""
        for inner in self._inner.values():
            for section in inner:
                section.report_unknown()
        for key in self._entries:
            if key not in self._asked:
                near = difflib.get_close_matches(key, self._asked, 1)
                hint = (
                    f"; did you mean {near[0]}?" if near else f"; known are {', '.join(sorted(self._asked))}"
                )
                self.problem(key, f"is not a key of this section{hint}")

    def _scalar(self, key: str, node: yaml.Node) -> str | None:
        if _is_null(node):
            return None
        if not isinstance(node, yaml.ScalarNode):
            self.problem(key, f"must be a single value, not {_kind(node)}", node.start_mark.line + 1)
            return None
        return self._expand(key, str(node.value), node.start_mark.line + 1) or None

    def _expand(self, key: str, value: str, line: int) -> str:
        def replace(match: re.Match[str]) -> str:
            if match[1] is None:
                return "$"
            reference = _NAME.fullmatch(match[1])
            if reference is None:
                self.problem(key, f"has ${{{match[1]}}}, which is not of the form ${{env:NAME}}", line)
                return ""
            found = self._document.environ.get(reference[1]) or reference[2]
            if found is None:
                self.problem(
                    key,
                    f"needs the environment variable {reference[1]}, which is not set; set it, or give a "
                    f"default with ${{env:{reference[1]}:-default}}",
                    line,
                )
            return found or ""

        return _VARIABLE.sub(replace, value)


class Document:
    """A whole document, and its problems."""

    def __init__(self, name: str, content: str, environ: Mapping[str, str]) -> None:
        self.name = name
        self.environ = environ
        self._problems: list[tuple[int, str]] = []
        self.root = Section(self, "", _compose(name, content), 1)

    def report(self, line: int, what: str) -> None:
        """Add a problem, unless it is there already."""
        if (line, what) not in self._problems:
            self._problems.append((line, what))

    def check(self) -> None:
        """Raise the problems, in the order of the lines, if there are any.

        Raises:
            ConfigurationError: with one line for each problem; unknown keys are among them.
        """
        self.root.report_unknown()
        if self._problems:
            ordered = sorted(self._problems, key=lambda problem: problem[0])
            raise ConfigurationError([f"{self.name}, line {line}: {what}" for line, what in ordered])


def _compose(name: str, content: str) -> yaml.Node | None:
    try:
        return cast("yaml.Node | None", yaml.compose(content, Loader=yaml.SafeLoader))  # pyright: ignore[reportUnknownMemberType]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigurationError([f"{name}{line}: not YAML: {error.problem or error.context}"]) from None
    except yaml.YAMLError as error:
        raise ConfigurationError([f"{name}: not YAML: {' '.join(str(error).split())[:200]}"]) from None


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _kind(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a single value"
