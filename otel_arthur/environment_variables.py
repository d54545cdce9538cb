"""The names of every environment variable that otel-arthur reads, one constant each.

Each is listed with its default in the README's table. Where Arthur's own SDK has a
name for the same thing, that name is the fallback.
"""

from __future__ import annotations

OTEL_EXPORTER_ARTHUR_ENDPOINT = "OTEL_EXPORTER_ARTHUR_ENDPOINT"
"""Base URL of Arthur, without ``/api/v3``. Fallback ``ARTHUR_ENDPOINT_URL``."""

OTEL_EXPORTER_ARTHUR_API_KEY = "OTEL_EXPORTER_ARTHUR_API_KEY"
"""The API key. Fallback ``ARTHUR_API_KEY``."""

OTEL_EXPORTER_ARTHUR_API_KEY_FILE = "OTEL_EXPORTER_ARTHUR_API_KEY_FILE"
"""A file that holds the API key, for secrets mounted as files."""

OTEL_EXPORTER_ARTHUR_LOGIN = "OTEL_EXPORTER_ARTHUR_LOGIN"
"""User name, used with the password when there is no API key. Fallback ``ARTHUR_LOGIN``."""

OTEL_EXPORTER_ARTHUR_PASSWORD = "OTEL_EXPORTER_ARTHUR_PASSWORD"
"""Password of the login. Fallback ``ARTHUR_PASSWORD``."""

OTEL_EXPORTER_ARTHUR_ORGANIZATION_ID = "OTEL_EXPORTER_ARTHUR_ORGANIZATION_ID"
"""The organisation; asked from the API when unset. Fallback ``ARTHUR_ORGANIZATION_ID``."""

OTEL_EXPORTER_ARTHUR_MODEL_ID = "OTEL_EXPORTER_ARTHUR_MODEL_ID"
"""The Arthur model that receives the inferences. Fallback ``ARTHUR_MODEL_ID``."""

OTEL_EXPORTER_ARTHUR_MODELS = "OTEL_EXPORTER_ARTHUR_MODELS"
"""``pattern=model_id,…``: routes by ``service.name`` or request model; the first match wins."""

OTEL_EXPORTER_ARTHUR_TIMEOUT = "OTEL_EXPORTER_ARTHUR_TIMEOUT"
"""Seconds that one request to Arthur may take."""

OTEL_EXPORTER_ARTHUR_COMPRESSION = "OTEL_EXPORTER_ARTHUR_COMPRESSION"
"""``none`` or ``gzip``, for request bodies."""

OTEL_EXPORTER_ARTHUR_CERTIFICATE = "OTEL_EXPORTER_ARTHUR_CERTIFICATE"
"""A PEM file of certificate authorities to trust instead of the system's."""

OTEL_EXPORTER_ARTHUR_INSECURE = "OTEL_EXPORTER_ARTHUR_INSECURE"
"""``true`` allows plain http:// to other machines and skips certificate checks.

Fallback: the inverse of the SDK's ``VERIFY_SSL``.
"""

OTEL_EXPORTER_ARTHUR_SPOOL_DIR = "OTEL_EXPORTER_ARTHUR_SPOOL_DIR"
"""Folder of the spool; ``off`` keeps inferences in memory only."""

OTEL_EXPORTER_ARTHUR_SPOOL_MAX_MB = "OTEL_EXPORTER_ARTHUR_SPOOL_MAX_MB"
"""Size limit of the spool in megabytes."""

OTEL_EXPORTER_ARTHUR_SPOOL_MAX_AGE = "OTEL_EXPORTER_ARTHUR_SPOOL_MAX_AGE"
"""Seconds after which an unsent inference is given up; unset keeps it for ever."""

OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW = "OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW"
"""Seconds that an inference waits for another description of the same call; 0 sends at once."""

OTEL_EXPORTER_ARTHUR_INPUT_FORMAT = "OTEL_EXPORTER_ARTHUR_INPUT_FORMAT"
"""How the input text is rendered: ``transcript``, ``last_user`` or ``json``."""

OTEL_EXPORTER_ARTHUR_ATTRIBUTES = "OTEL_EXPORTER_ARTHUR_ATTRIBUTES"
"""``arthur_attribute=span.or.resource.attribute,…``: further fields of an inference."""

OTEL_EXPORTER_ARTHUR_REDACT = "OTEL_EXPORTER_ARTHUR_REDACT"
"""Names of built-in patterns, or the dotted path of a callable, applied to all texts."""

OTEL_EXPORTER_ARTHUR_CONTENT = "OTEL_EXPORTER_ARTHUR_CONTENT"
"""``full``, or ``metadata`` to send no text at all: tokens, timing and identity only."""

OTEL_EXPORTER_ARTHUR_MAX_TEXT_LENGTH = "OTEL_EXPORTER_ARTHUR_MAX_TEXT_LENGTH"
"""Characters after which a text is cut and the inference flagged ``truncated``."""

OTEL_EXPORTER_ARTHUR_SAMPLE_RATIO = "OTEL_EXPORTER_ARTHUR_SAMPLE_RATIO"
"""Share of traces, 0 to 1, whose calls are sent; decided by trace id."""

OTEL_EXPORTER_ARTHUR_LIKELIHOODS = "OTEL_EXPORTER_ARTHUR_LIKELIHOODS"
"""``true`` records token likelihoods and time to first token from LangChain."""

OTEL_EXPORTER_ARTHUR_ERRORS = "OTEL_EXPORTER_ARTHUR_ERRORS"
"""Failed calls: ``auto`` sends them when the model has ``status`` or ``error_type``; ``skip``; ``send``."""

FLUSH_ON_SIGTERM = "OTEL_EXPORTER_ARTHUR_FLUSH_ON_SIGTERM"
"""``false`` leaves SIGTERM alone, where our distro would have a process export its spans first."""

FALLBACKS: dict[str, str] = {
    OTEL_EXPORTER_ARTHUR_ENDPOINT: "ARTHUR_ENDPOINT_URL",
    OTEL_EXPORTER_ARTHUR_API_KEY: "ARTHUR_API_KEY",
    OTEL_EXPORTER_ARTHUR_LOGIN: "ARTHUR_LOGIN",
    OTEL_EXPORTER_ARTHUR_PASSWORD: "ARTHUR_PASSWORD",
    OTEL_EXPORTER_ARTHUR_ORGANIZATION_ID: "ARTHUR_ORGANIZATION_ID",
    OTEL_EXPORTER_ARTHUR_MODEL_ID: "ARTHUR_MODEL_ID",
}
"""The Arthur SDK's own names, read where ours is unset."""

VERIFY_SSL = "VERIFY_SSL"
"""The Arthur SDK's switch for certificate checks (``false`` skips them)."""
