"""Ways to read a half of a conversation from where it stands: the rows `question` and `answer` of dialects.

Each function makes a `Source` of places, so that a table says where, and what form is to be expected there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, cast

from otel_arthur.genai.attributes import SpanAttributes, as_map
from otel_arthur.genai.call import Choice, Message
from otel_arthur.genai.json_text import parse_json
from otel_arthur.genai.messages import numbered_form, schema_form
from otel_arthur.genai.messages.documents import request_messages
from otel_arthur.genai.messages.forms import has_form_of_parts, is_request
from otel_arthur.genai.messages.indexed import items, starts_late, whole
from otel_arthur.genai.messages.message import input_messages, output_choices
from otel_arthur.genai.messages.numbered_form import Usual
from otel_arthur.genai.messages.recorded import answer_in, question_in
from otel_arthur.genai.tables.places import Place, descend, place_of


class Source(NamedTuple):
    """Where a half may be: what a span must have for it, and how it is read."""

    read: Callable[[SpanAttributes], Sequence[Any]]
    """Gives messages or choices; finish reasons that stand beside the answer are added afterwards."""
    places: tuple[Place, ...] = ()
    prefix: str = ""
    """Beginning of numbered attributes, in place of places."""
    events: frozenset[str] = frozenset()
    usual: Callable[[Sequence[str]], Usual | None] | None = None
    """Makes the short way for spans of these attributes, where there is one."""

    def may_be_in(self, names: frozenset[str], events: frozenset[str]) -> bool:
        """Whether a span with these attributes and events can have it."""
        return (
            any(is_there(place, names, events) for place in self.places)
            or not self.events.isdisjoint(events)
            or (bool(self.prefix) and any(name.startswith(self.prefix) for name in names))
        )


def is_there(place: Place, names: frozenset[str], events: frozenset[str]) -> bool:
    """Whether a span with these attributes and events can have a value at a place."""
    return place.attribute in names if place.event is None else place.event in events


def each(written: Sequence[str | Place]) -> tuple[tuple[Place, str], ...]:
    """Places with their texts, for `sources`."""
    return tuple([(place, str(place)) for place in map(place_of, written)])


def messages_at(*written: str | Place) -> Source:
    """Messages in a place that holds nothing else: the conventions' form, or any other."""
    return _source("messages", written, _messages, schema_form.messages)


def answers_at(*written: str | Place) -> Source:
    """A model's answers, one message each, likewise."""
    return _source("choices", written, _answers, schema_form.choices)


def question_at(*written: str | Place, encoded: bool = False) -> Source:
    """Whatever went in: a request, messages, a function's arguments, or a text.

    Args:
        encoded: the writer writes every value as JSON, texts too.
    """
    return _source("messages", written, partial(question_in, encoded=encoded))


def answer_at(*written: str | Place, encoded: bool = False) -> Source:
    """Whatever came out, likewise."""
    return _source("choices", written, partial(answer_in, encoded=encoded))


def recorded_question() -> Source:
    """``input.value``: a text, or anything as JSON, as its type beside it says."""
    return _recorded("messages", "input", question_in)


def recorded_answer() -> Source:
    """``output.value``, likewise."""
    return _recorded("choices", "output", answer_in)


def _recorded(half: str, side: str, read_any: Callable[..., Sequence[Any]]) -> Source:
    key, kind = f"{side}.value", f"{side}.mime_type"

    def read(attributes: SpanAttributes) -> Sequence[Any]:
        value, written = attributes.get(key), attributes.get(kind)
        found = value if written == "text/plain" else attributes.json(key)
        halves = read_any(value, found, encoded=written == "application/json")
        if halves:
            attributes.sources[half] = key
        return halves

    return Source(read, (place_of(key),))


def request_at(*written: str | Place) -> Source:
    """A provider's request and nothing else: without messages in it, nothing was asked here."""
    return _source("messages", written, _request)


def texts_at(*written: str) -> Source:
    """A list of texts, each a message of the user, where the writer leaves the roles out."""
    return _source("messages", written, lambda _, found: input_messages(found) if _is_texts(found) else ())


def answer_texts_at(*written: str | Place) -> Source:
    """A list of texts, each an answer."""
    return _source("choices", written, lambda _, found: output_choices(found) if _is_texts(found) else ())


def _is_texts(value: Any) -> bool:
    texts = cast("list[Any]", value) if isinstance(value, list) else []
    return bool(texts) and all(isinstance(text, str) for text in texts)


def _messages(value: Any, found: Any) -> Sequence[Message]:
    return request_messages(found) if isinstance(found, list | tuple) else question_in(value, found)


def _answers(value: Any, found: Any) -> Sequence[Choice]:
    return output_choices(found) if isinstance(found, list | tuple) else answer_in(value, found)


def _request(value: Any, found: Any) -> Sequence[Message]:
    return question_in(value, found) if is_request(found) else ()


def numbered_messages(prefix: str, mended: Callable[[Any], Any] | None = None) -> Source:
    """Messages spread over numbered attributes; `mended` gives the message in an item that has none, and
    leaves one of a role and words as it is."""

    def read(attributes: SpanAttributes) -> Sequence[Message]:
        found = items(attributes.attributes, prefix)
        if not found:
            return ()
        attributes.sources["messages"] = f"{prefix}N"
        found = [_with_parts(item if mended is None else mended(item)) for item in found]
        if starts_late(attributes.attributes, prefix):
            attributes.truncated = True
            found = whole(found)
        return input_messages(found)

    return Source(read, prefix=prefix, usual=partial(numbered_form.messages, prefix))


def numbered_answers(prefix: str) -> Source:
    """Answers spread over numbered attributes, likewise."""

    def read(attributes: SpanAttributes) -> Sequence[Choice]:
        found = items(attributes.attributes, prefix)
        if not found:
            return ()
        attributes.sources["choices"] = f"{prefix}N"
        answers = [_with_parts(item) for item in found]
        return output_choices(_with_reason_alone(answers) if len(answers) > 1 else answers)

    return Source(read, prefix=prefix, usual=partial(numbered_form.choices, prefix))


def numbered_prompts(key: str) -> Source:
    """The prompts of a completion model: a list of texts, or numbered."""

    def read(attributes: SpanAttributes) -> Sequence[Message]:
        prompts = attributes.get(key)
        if isinstance(prompts, list | tuple):
            attributes.sources["messages"] = key
            return input_messages(prompts)
        found = items(attributes.attributes, f"{key}.")
        return input_messages([descend(item, ("prompt", "text")) for item in found])

    return Source(read, prefix=key)


def numbered_completions(prefix: str) -> Source:
    """The answers of a completion model, likewise numbered."""

    def read(attributes: SpanAttributes) -> Sequence[Choice]:
        found = items(attributes.attributes, prefix)
        return output_choices([descend(item, ("completion", "text")) for item in found])

    return Source(read, prefix=prefix)


def _with_reason_alone(answers: list[Any]) -> list[Any]:
    """Netra writes the finish reason under a number of its own, which is no further answer."""
    alone = [answer for answer in answers if set(as_map(answer)) == {"finish_reason"}]
    said = [answer for answer in answers if answer not in alone]
    if len(said) != 1 or not alone:
        return answers
    return [{**alone[0], **as_map(said[0])}]


def _with_parts(item: Any) -> Any:
    """A message whose content is a list of parts as JSON text, as for images, with the list itself."""
    if not isinstance(item, Mapping):
        return item
    message = cast("Mapping[str, Any]", item)
    content = message.get("content")
    if content is None and isinstance(message.get("user"), str):
        # The completion prompts of OpenLLMetry's OpenAI client.
        return {"role": "user", "content": message["user"]}
    if not isinstance(content, str) or not content.startswith("[{"):
        return message
    parts = parse_json(content)[0]
    return {**message, "content": parts} if has_form_of_parts(parts) else message


def answer_of_pieces(**pieces: tuple[str | Place, ...]) -> Source:
    """One answer whose pieces (``content``, ``tool_calls``, …) stand in places of their own."""
    places = {piece: each(row) for piece, row in pieces.items()}

    def read(attributes: SpanAttributes) -> Sequence[Choice]:
        answer: dict[str, Any] = {"role": "assistant"}
        for piece, row in places.items():
            for place, source in row:
                value = attributes.at(place)
                if value is not None:
                    answer[piece] = value if piece == "content" else attributes.parsed(value)
                    attributes.sources["choices" if piece == "content" else piece] = source
                    break
        if "content" not in answer and "tool_calls" not in answer:
            return ()
        return output_choices([answer])

    return Source(read, tuple(place for row in places.values() for place, _ in row))


def _source(
    half: str,
    written: Sequence[str | Place],
    read_any: Callable[[Any, Any], Sequence[Any]],
    exact: Callable[[Any], Sequence[Any] | None] | None = None,
) -> Source:
    """The first place that has anything; `exact` reads the one form that is worth a short way."""
    places = each(written)
    looked_up = [(place, source, source if place == Place(source) else None) for place, source in places]

    def read(attributes: SpanAttributes) -> Sequence[Any]:
        values = attributes.attributes
        for place, source, key in looked_up:
            value = attributes.at(place) if key is None else values.get(key)
            if value is None or value == "":
                continue
            found = None if exact is None else exact(value)
            if found is None:
                found = read_any(value, attributes.parsed_at(place, value))
            if found:
                attributes.sources[half] = source
                return found
        return ()

    def usual(names: Sequence[str]) -> Usual | None:
        there = [place for place, _ in places if place.event is not None or place.attribute in names]
        if exact is None or not there or there[0] != Place(there[0].attribute):
            return None
        key, read_exact = there[0].attribute, exact

        def read_one(values: Mapping[str, Any]) -> Sequence[Any] | None:
            return read_exact(values[key])

        return Usual(key, read_one)

    return Source(read, tuple([place for place, _ in places]), usual=usual)
