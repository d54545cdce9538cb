"""Arthur's models as the API describes them (``GET /models/{id}?expand=attributes``)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Final, cast

from otel_arthur.http.encoding import mapping

READY: Final = "Ready"
CREATION_FAILED: Final = "CreationFailed"
ARCHIVED: Final = "Archived"

NLP: Final = "NLP"
TOKEN_SEQUENCE: Final = "TOKEN_SEQUENCE"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a model's schema. Value types and stages: `otel_arthur.inference.fields`."""

    name: str
    value_type: str
    stage: str
    position: int | None = None
    """Place among the attributes of its stage; metadata has none."""
    categorical: bool = False
    is_unique: bool = False
    implicit: bool = False
    """Whether Arthur added the attribute itself; such an attribute is never sent."""
    token_attribute_link: str | None = None
    """The attribute that a text shares with its tokens: each names the other."""
    monitor_for_bias: bool = False
    is_positive_predicted_attribute: bool = False

    @classmethod
    def from_json(cls, value: Any) -> Attribute | None:
        """The attribute, or None without a name, a value type and a stage."""
        given = mapping(value)
        name, value_type, stage = (_text(given.get(key)) for key in ("name", "value_type", "stage"))
        if name is None or value_type is None or stage is None:
            return None
        position = given.get("position")
        switches = {one.name: given.get(one.name) is True for one in fields(cls) if one.type == "bool"}
        return cls(
            name=name,
            value_type=value_type,
            stage=stage,
            position=position if type(position) is int else None,
            token_attribute_link=_text(given.get("token_attribute_link")),
            **switches,
        )

    def to_json(self) -> dict[str, Any]:
        """The attribute in the shape of the SDK's own requests, without keys that do not apply."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Model:
    id: str
    attributes: tuple[Attribute, ...] = ()
    partner_model_id: str | None = None
    display_name: str | None = None
    status: str | None = None

    @classmethod
    def from_json(cls, value: Any) -> Model | None:
        """The model, or None without an id. Fields of the wrong type count as missing."""
        given = mapping(value)
        model_id = _text(given.get("id"))
        if model_id is None:
            return None
        listed = given.get("attributes")
        candidates = cast("list[Any]", listed) if isinstance(listed, list) else []
        return cls(
            id=model_id,
            attributes=tuple(a for a in map(Attribute.from_json, candidates) if a is not None),
            partner_model_id=_text(given.get("partner_model_id")),
            display_name=_text(given.get("display_name")),
            status=_text(given.get("status")),
        )

    @property
    def is_ready(self) -> bool:
        """Whether the model takes inferences. A model without a status counts as ready."""
        return self.status in (None, READY)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
