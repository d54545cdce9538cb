"""Commands that talk to Arthur: what they need to connect, and their errors as one line."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from otel_arthur.cli.errors import WorkFailed, WrongUse
from otel_arthur.configuration import Configuration
from otel_arthur.inference.schema import Schema, SchemaError, schema_of

if TYPE_CHECKING:
    from otel_arthur.arthur.client import ArthurClient


@contextmanager
def connected(configuration: Configuration) -> Generator[ArthurClient, None, None]:
    """A client by the configuration; Arthur's errors leave as `WorkFailed`, bad settings as `WrongUse`.

    Args:
        configuration: from `configured`, so that no key goes to an address that was not meant.
    """
    from otel_arthur.arthur.client import ArthurClient
    from otel_arthur.arthur.errors import ArthurError, ConfigurationError

    try:
        client = ArthurClient.from_configuration(configuration)
        try:
            yield client
        finally:
            client.close()
    except ConfigurationError as error:
        raise WrongUse(str(error)) from None
    except ArthurError as error:
        words = f" (Arthur says: {error.detail})" if error.detail else ""
        raise WorkFailed(f"{error}{words}") from None


def fetch_schema(configuration: Configuration, model_id: str) -> Schema:
    """The schema of a model in Arthur."""
    with connected(configuration) as client:
        model = client.model(model_id)
    try:
        return schema_of(model.attributes, configuration.attributes)
    except SchemaError as error:
        raise WorkFailed(f"model {model_id}: {error}") from None
