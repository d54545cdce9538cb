"""One call as a page shows it, from either API: turns, answer, error, tokens, ground truth, all values."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from otel_arthur.inference import fields
from otel_arthur.local.dashboard.calls import Call
from otel_arthur.local.dashboard.turns import Turn, answer_of, last_words, turns_of, turns_of_span
from otel_arthur.local.engine.traces import StoredSpan, Traces
from otel_arthur.local.store import StoredInference
from otel_arthur.local.v3.models import Model

_EXCERPT: Final = 160
_SHADES: Final = 10
_MOST_TOKENS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Token:
    """One token of an answer; `shade` is 0 for an improbable one to 9."""

    text: str
    shade: int | None
    title: str


@dataclass(frozen=True, slots=True)
class Value:
    """One row of a table of values."""

    name: str
    kind: str
    value: Any


@dataclass(frozen=True, slots=True)
class Shown:
    """A call with all its values."""

    call: Call
    target: str
    """Name of the model or of the task."""
    turns: Sequence[Turn]
    answer: Turn
    tokens: Sequence[Token] = ()
    values: Sequence[Value] = ()
    ground_truth: Sequence[Value] = ()
    ground_truth_time: str | None = None
    sent: Sequence[Value] = ()
    """The texts that were sent."""
    batch: str | None = None
    presentation: int = 1


@dataclass(frozen=True, slots=True)
class Line:
    """A call in a list."""

    call: Call
    target: str
    asked: str
    answered: str
    has_ground_truth: bool
    is_repeated: bool


class Shelf:
    """Finds the parts of a call. One for each page, since it knows the models of one moment."""

    def __init__(self, traces: Traces) -> None:
        self._traces = traces
        self.models = {model.id: model for model in traces.store.models()}

    def line(self, call: Call) -> Line:
        one = self._inference(call)
        if one is not None:
            model = self.models[one.model_id]
            asked, answered = _texts(one, model)
            truth, repeated = one.ground_truth_data is not None, one.presentation > 1
            return Line(call, model.name, _end(last_words(asked)), _beginning(answered), truth, repeated)
        asked, answered = self.texts(call)
        truth = self._traces.annotation(call.trace or "") is not None
        return Line(call, call.service or "", _end(last_words(asked)), _beginning(answered), truth, False)

    def texts(self, call: Call) -> tuple[str, str]:
        one = self._inference(call)
        # A long download may meet the calls of a model that was made meanwhile.
        model = None if one is None else self._traces.store.model(one.model_id)
        if one is not None and model is not None:
            return _texts(one, model)
        span = self._span(call)
        attributes = span.attributes if span else {}
        turns, answer = turns_of_span(attributes)
        asked = attributes.get("input.value") or (turns[-1].text if turns else "")
        return str(asked), str(attributes.get("output.value") or answer.text)

    def record(self, call: Call) -> dict[str, Any]:
        """The stored values of the inference, or of the span."""
        found = self._inference(call) or self._span(call)
        return {} if found is None else values_of(found)

    def shown(self, call: Call) -> Shown:
        one = self._inference(call)
        if one is None:
            return self._of_span(call)
        model = self.models[one.model_id]
        asked, answered = _texts(one, model)
        kinds = {name: attribute.value_type for name, attribute in model.attributes.items()}
        texts = {attribute.name for attribute in model.attributes.values() if attribute.is_required}
        data = one.inference_data
        return Shown(
            call,
            model.name,
            turns_of(asked),
            answer_of(answered, data.get("tool_calls")),
            _tokens(data, kinds),
            [Value(name, kinds[name], data[name]) for name in kinds if name in data and name not in texts],
            [
                Value(name, kinds[name], value)
                for name, value in (one.ground_truth_data or {}).items()
                if name in kinds
            ],
            one.ground_truth_timestamp,
            [Value(name, kinds[name], data[name]) for name in kinds if name in texts and name in data],
            one.batch_id,
            one.presentation,
        )

    def _of_span(self, call: Call) -> Shown:
        span = self._span(call)
        attributes = span.attributes if span else {}
        turns, answer = turns_of_span(attributes)
        annotation = self._traces.annotation(call.trace or "")
        feedback = () if annotation is None else zip(("score", "explanation"), annotation, strict=True)
        return Shown(
            call,
            call.service or "",
            turns,
            answer,
            values=[Value(name, "", value) for name, value in attributes.items()],
            ground_truth=[Value(name, "feedback", value) for name, value in feedback if value is not None],
        )

    def _inference(self, call: Call) -> StoredInference | None:
        return None if call.inference is None else self._traces.store.inference(call.inference)

    def _span(self, call: Call) -> StoredSpan | None:
        return None if call.span is None else self._traces.span(call.span)


def values_of(record: Any) -> dict[str, Any]:
    """The values of a dataclass, without the deep copy of `asdict`."""
    return {one.name: getattr(record, one.name) for one in dataclasses.fields(record)}


def _texts(one: StoredInference, model: Model) -> tuple[str, str]:
    found = {
        attribute.stage: str(one.inference_data[attribute.name])
        for attribute in reversed(list(model.attributes.values()))
        if attribute.is_required and attribute.name in one.inference_data
    }
    return found.get(fields.INPUT_STAGE, ""), found.get(fields.PREDICTED_STAGE, "")


def _end(text: str) -> str:
    return text if len(text) <= _EXCERPT else f"… {text[-_EXCERPT:]}"


def _beginning(text: str) -> str:
    return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]} …"


def _tokens(data: Mapping[str, Any], kinds: Mapping[str, str]) -> list[Token]:
    """The answer's tokens, each with its likelihood where the model has it."""
    lists = (fields.TOKENS, fields.LIKELIHOODS)
    by_kind: dict[str, list[Any]] = {
        kinds[name]: data[name] or [] for name in data if kinds.get(name) in lists
    }
    tokens = by_kind.get(fields.TOKENS, [])[:_MOST_TOKENS]
    likelihoods = by_kind.get(fields.LIKELIHOODS, [])
    found: list[Token] = []
    for number, token in enumerate(tokens):
        choices: Any = likelihoods[number] if number < len(likelihoods) else {}
        shares = [(str(name), share) for name, share in choices.items() if isinstance(share, int | float)]
        own = next((share for name, share in shares if name == token), None)
        shade = None if own is None else min(max(int(own * _SHADES), 0), _SHADES - 1)
        found.append(Token(str(token), shade, "\n".join(f"{name!r} {share:.1%}" for name, share in shares)))
    return found
