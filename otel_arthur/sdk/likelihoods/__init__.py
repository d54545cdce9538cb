"""Token likelihoods and time to first token from LangChain, which no instrumentation records."""

from otel_arthur.sdk.likelihoods.instrumentor import LikelihoodsInstrumentor as LikelihoodsInstrumentor
