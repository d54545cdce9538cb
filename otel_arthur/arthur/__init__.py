"""Arthur's v3 API: transport, authentication, models, inferences, ground truth.

Knows nothing of spans. `requests` is imported on the first call, not with this package.
"""

from __future__ import annotations

from otel_arthur.arthur.authentication import Authentication
from otel_arthur.arthur.client import ArthurClient
from otel_arthur.arthur.models import Attribute, Model
from otel_arthur.arthur.rows import Outcome, RowResult
from otel_arthur.arthur.transport import Transport

__all__ = ["ArthurClient", "Attribute", "Authentication", "Model", "Outcome", "RowResult", "Transport"]
