"""Retrieval: the passages nearest to the question go into the prompt. Embeddings are no inferences.

    pip install 'otel-arthur[langchain]' langchain langchain-openai
    OTEL_TRACES_EXPORTER=arthur opentelemetry-instrument python rag.py "How long may I send something back?"

Environment: README.md beside this file says where Arthur is; OPENAI_API_KEY, OPENAI_BASE_URL, MODEL,
EMBEDDING_MODEL.
"""

from __future__ import annotations

import os
import sys

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

PASSAGES = [
    "Goods can be sent back within 30 days, unused and in their box.",
    "We deliver within three working days. Islands take a week.",
    "The warranty is two years and covers the battery for one.",
]
PROMPT = ChatPromptTemplate.from_template(
    "Answer from these passages alone:\n{passages}\n\nQuestion: {question}"
)


def nearest(embeddings: OpenAIEmbeddings, question: str, count: int = 2) -> list[str]:
    """The passages whose vectors are nearest to the question's. A vector store does this for many."""
    asked = embeddings.embed_query(question)
    vectors = embeddings.embed_documents(PASSAGES)
    scores = [sum(a * b for a, b in zip(asked, vector, strict=True)) for vector in vectors]
    ranked = sorted(zip(scores, PASSAGES, strict=True), reverse=True)
    return [passage for _score, passage in ranked[:count]]


def main() -> None:
    question = " ".join(sys.argv[1:]) or "How long may I send something back?"
    # Texts go out as they are: any OpenAI-compatible service takes them.
    embeddings = OpenAIEmbeddings(
        model=os.environ.get("EMBEDDING_MODEL", "text-embedding-3-small"), check_embedding_ctx_length=False
    )
    chain = PROMPT | ChatOpenAI(model=os.environ.get("MODEL", "gpt-4o-mini")) | StrOutputParser()
    passages = nearest(embeddings, question)
    print(chain.invoke({"question": question, "passages": "\n".join(passages)}))


if __name__ == "__main__":
    main()
