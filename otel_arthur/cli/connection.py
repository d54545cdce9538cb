"""How commands connect to Arthur, and how Arthur's errors become one line."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

from otel_arthur.cli.terminal.errors import WorkFailed, WrongUse
from otel_arthur.configuration import Configuration
from otel_arthur.inference.fields import GROUND_TRUTH_STAGE
from otel_arthur.inference.schema import Schema, SchemaError, schema_of

if TYPE_CHECKING:
    from otel_arthur.arthur.client import ArthurClient
    from otel_arthur.arthur.models import Model


_ADVICE: Final = {
    "Unavailable": "; check OTEL_EXPORTER_ARTHUR_ENDPOINT and the network, or try again later",
    "NotFound": "; `otel-arthur models` lists the models that there are",
    "Forbidden": "; set the key or the login of somebody who may",
}
"""Class of error -> what to do."""


@contextmanager
def connected(configuration: Configuration) -> Generator[ArthurClient, None, None]:
    """A client by the configuration; Arthur's errors leave as `WorkFailed`, bad settings as `WrongUse`.

    Args:
        configuration: from `configured`, so that no key goes to an address that was not meant.
    """
    from otel_arthur.arthur.client import ArthurClient
    from otel_arthur.http.errors import ArthurError, ConfigurationError

    try:
        with closing(ArthurClient.from_configuration(configuration)) as client:
            yield client
    except ConfigurationError as error:
        raise WrongUse(str(error)) from None
    except ArthurError as error:
        words = f" (Arthur says: {error.detail})" if error.detail else ""
        advice = "" if "OTEL_" in str(error) else _ADVICE.get(type(error).__name__, "")
        raise WorkFailed(f"{error}{words}{advice}") from None


def model_json(model: Model) -> dict[str, Any]:
    """A model for programs."""
    attributes = {one.name: {"type": one.value_type, "stage": one.stage} for one in model.attributes}
    name = model.display_name or model.partner_model_id
    return {"id": model.id, "name": name, "status": model.status, "attributes": attributes}


def fetch_schema(configuration: Configuration, model_id: str) -> Schema:
    """The schema of a model in Arthur."""
    with connected(configuration) as client:
        return fitting_schema(client.model(model_id), configuration)


def fitting_schema(model: Model, configuration: Configuration) -> Schema:
    """The schema of `model`; what is wrong with the model becomes one line."""
    try:
        return schema_of(model.attributes, configuration.attributes)
    except SchemaError as error:
        raise WorkFailed(f"model {model.id}: {error}") from None


def ground_truth_types(configuration: Configuration, model_ids: Sequence[str]) -> dict[str, str] | None:
    """Name and value type of each ground truth attribute of these models; None where Arthur is not there.

    A name that two models have with different types has none of them: such values go as they are written.
    """
    from otel_arthur.http.errors import ArthurError

    found: dict[str, set[str]] = {}
    with connected(configuration) as client:
        try:
            for model_id in model_ids:
                for attribute in client.model(model_id).attributes:
                    if attribute.stage == GROUND_TRUTH_STAGE:
                        found.setdefault(attribute.name, set()).add(attribute.value_type)
        except ArthurError as error:
            if error.retryable:
                return None
            raise
    return {name: types.pop() if len(types) == 1 else "" for name, types in found.items()}
