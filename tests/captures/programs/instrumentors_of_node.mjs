// Instrumentations for JavaScript, each switched on as its documentation says, its own exporter left out.
//
// What a function gives is for the scenarios: `observed` wraps a client, `inside` runs one under a trace,
// `flush` waits for spans.
import { dirname, join } from 'node:path';
import { require } from './recording.mjs';

/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:9';
const soon = () => new Promise((resolve) => setTimeout(resolve, 200));
const nothing = { export: (_, done) => done({ code: 0 }), shutdown: async () => {}, forceFlush: async () => {} };

export async function langfuse({ provide }) {
  const { LangfuseSpanProcessor } = await import('@langfuse/otel');
  const { observeOpenAI } = await import('@langfuse/openai');
  const provider = provide(
    new LangfuseSpanProcessor({ exporter: nothing, publicKey: 'pk', secretKey: 'sk', baseUrl: NOWHERE }),
  );
  // A stream's generation ends after its reader has gone on.
  const flush = () => soon().then(() => provider.forceFlush());
  return { observed: observeOpenAI, flush };
}

export async function openlit({ processor, arguments: settings }) {
  // It makes a provider of its own.
  require(join(dirname(require.resolve('openlit')), 'otel/tracing.js')).default.buildSpanProcessors = () => [processor()];
  const Openlit = require('openlit').default;
  Openlit.init({ applicationName: 'captures', environment: 'test', disableMetrics: true, ...settings });
}

export async function traceloop({ exporter, arguments: settings }) {
  const traceloop = require('@traceloop/node-server-sdk');
  traceloop.initialize({
    appName: 'captures',
    disableBatch: true,
    exporter,
    traceloopSyncEnabled: false,
    silenceInitializationMessage: true,
    ...settings,
  });
  // A call's span ends after its answer was given.
  return { flush: soon };
}

export async function langtrace({ exporter }) {
  const Langtrace = require('@langtrase/typescript-sdk');
  Langtrace.init({
    batch: false,
    custom_remote_exporter: exporter,
    disable_latest_version_check: true,
    logging: { disable: true },
  });
}

export async function sentry({ processor, arguments: settings }) {
  const Sentry = require('@sentry/node');
  Sentry.init({
    dsn: 'http://key@127.0.0.1:9/1',
    tracesSampleRate: 1,
    openTelemetrySpanProcessors: [processor()],
    ...settings,
  });
}

/** LangChain itself calls the instrumentation back. */
export async function openinference({ provide, arguments: traceConfig }) {
  const { LangChainInstrumentation } = await import('@arizeai/openinference-instrumentation-langchain');
  const provider = provide();
  const instrumentation = new LangChainInstrumentation({ tracerProvider: provider, traceConfig });
  instrumentation.manuallyInstrument(await import('@langchain/core/callbacks/manager'));
  return { flush: () => provider.forceFlush() };
}

export async function langwatch({ processor, arguments: settings }) {
  const { setupObservability } = await import('langwatch/observability/node');
  const { LangWatchCallbackHandler } = await import('langwatch/observability/instrumentation/langchain');
  setupObservability({
    langwatch: 'disabled',
    serviceName: 'captures',
    spanProcessors: [processor()],
    advanced: { throwOnSetupError: true },
    ...settings,
  });
  return { callbacks: [new LangWatchCallbackHandler()], flush: soon };
}

/** What traces itself, with the application's provider. */
export async function provided({ provide }) {
  const provider = provide();
  return { flush: () => provider.forceFlush() };
}

/** Up to version 6 each call says that it is traced. */
export async function aiSdk({ provide }) {
  const provider = provide();
  return { flush: () => provider.forceFlush() };
}

/** From version 7 on a package of its own traces all calls: by the conventions, or as version 6 did. */
export async function aiSdkOtel({ provide, arguments: { legacy } }) {
  const { LegacyOpenTelemetry, OpenTelemetry } = await import('@ai-sdk/otel');
  const { registerTelemetry } = await import('ai');
  const provider = provide();
  registerTelemetry(legacy ? new LegacyOpenTelemetry() : new OpenTelemetry());
  return { flush: () => provider.forceFlush() };
}
