"""Whether one recorder alone writes the calls of this process: then no call waits for a second description.

A recorder is whatever writes spans of LLM calls: an instrumentation, or a library that writes them by itself.
Three things tell of recorders: the instrumentors that were made, the scopes of the tracers, and the scopes of
calls. None of the three ever shrinks, so a recorder that is alone now was alone when each call here started.

A scope that nobody knows is the application's own until a call comes under it. Should that call describe one
that has left, the spool finds that too: the second is the duplicate, and from then on calls wait.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any, Final

from otel_arthur.genai.dialects import DIALECTS
from otel_arthur.genai.duplicates.relations import RELATED
from otel_arthur.sdk.inside_the_sdk import scopes_of_tracers

_INSTRUMENTOR: Final = "opentelemetry.instrumentation.instrumentor"
_OF_A_PACKAGE: Final = re.compile(r"\w+\.instrumentation\.(genai\.)?\w+")
_WRITERS: Final = (
    *(scope for dialect in DIALECTS for scope in dialect.scopes if scope),
    *("agentops", "autogen", "azure.", "braintrust", "crewai", "langfuse", "langsmith", "langtrace"),
    *("langwatch", "llama", "lmnr", "logfire", "mlflow", "netra.", "openlit", "opentelemetry.", "opik"),
    *("promptflow", "semantic_kernel", "sentry", "strands", "traceai", "traceloop", "vllm", "weave"),
)
"""How scopes of recorders begin, by the dialects' tables and wider, and of others of OpenTelemetry's own."""
_NO_WRITERS: Final = re.compile(
    r"otel_arthur\..*|opentelemetry\.instrumentation\.("
    "aio_pika|aiohttp_client|aiohttp_server|aiokafka|aiopg|asgi|asyncclick|asyncio|asyncpg|aws_lambda|boto3sqs|"
    "cassandra|celery|chromadb|click|confluent_kafka|dbapi|django|elasticsearch|falcon|fastapi|flask|grpc|httpx|"
    "jinja2|kafka|lancedb|logging|marqo|milvus|mysql|mysqlclient|pika|pinecone|psycopg|psycopg2|pymemcache|"
    "pymongo|pymssql|pymysql|pyramid|qdrant|redis|remoulade|requests|sqlalchemy|sqlite3|starlette|"
    "system_metrics|threading|tornado|tortoiseorm|urllib|urllib3|weaviate|wsgi)"
)
"""Instrumentations that write no LLM call. Botocore's does, for Bedrock."""


class Recorders:
    """What the calls of one process told of their recorders so far."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._are_several = False

    def is_one(self, labels: str) -> bool:
        """Whether no second recorder can have described the calls of a batch; False where that is unknown.

        Args:
            labels: of the batch's evidence (`Relations.labels`).
        """
        if self._are_several:
            return False
        lines = labels.split("\n")
        scopes = {scope for scope, tab, _ in (line.partition("\t") for line in lines) if tab}
        self._seen |= scopes
        registered = scopes_of_tracers()
        if registered is None or not self._seen <= registered:
            return False
        writers = (scope for scope in registered if scope.startswith(_WRITERS))
        known = {
            one for one in map(_package, {*_instrumentors(), *writers}) if not _NO_WRITERS.fullmatch(one)
        }
        recorders = known | set(map(_package, self._seen))
        self._are_several = len(recorders) > 1 or RELATED in lines
        return not self._are_several


def _instrumentors() -> Iterator[str]:
    """The modules of the instrumentors that this process has made.

    Source: ``opentelemetry.instrumentation.instrumentor.BaseInstrumentor`` (0.60 to 0.66): it keeps the one
    instance of each class.
    """
    base: Any = getattr(sys.modules.get(_INSTRUMENTOR), "BaseInstrumentor", None)
    classes: list[Any] = [] if base is None else [*base.__subclasses__()]
    while classes:
        one = classes.pop()
        classes += one.__subclasses__()
        # One with a `__new__` of its own may keep its instance elsewhere.
        if getattr(one, "_instance", None) is not None or one.__new__ is not base.__new__:
            yield one.__module__


def _package(name: str) -> str:
    """The instrumentation's package, of a module or a scope of it."""
    found = _OF_A_PACKAGE.match(name)
    return found[0] if found else name
