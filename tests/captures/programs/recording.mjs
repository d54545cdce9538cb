// Runs inside a capture environment of npm: instruments, runs scenarios one by one, writes what was emitted.
//
// Speaks with recapture.py as recording.py does: the name of each scenario when it is over, then waits for a
// line. An instrumentor is a function of `instrumentors_of_node.mjs`: it is given what is below and switches
// a package on; some bring a provider of their own, so that the application's is made only when asked for.
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import * as resources from '@opentelemetry/resources';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';

// What instrumentations print is no name of a scenario.
const say = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);

const [out, argumentsText, instrumentor, ...only] = process.argv.slice(2);
const spans = new InMemorySpanExporter();

/** The tools of a request of OpenAI's. */
export const TOOLS = [
  {
    type: 'function',
    function: {
      name: 'get_weather',
      description: 'Get the weather.',
      parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    },
  },
];

export const setup = {
  arguments: JSON.parse(argumentsText),
  exporter: spans,
  processor: () => new SimpleSpanProcessor(spans),
  /** The application's own tracer provider, with the processors that an instrumentation asks for. */
  provide(...processors) {
    const named = { 'service.name': 'captures' };
    const provider = new NodeTracerProvider({
      // Of version 1 of the SDK, which some still need, it is a class.
      resource: resources.resourceFromAttributes?.(named) ?? new resources.Resource(named),
      spanProcessors: [...processors, new SimpleSpanProcessor(spans)],
    });
    provider.register();
    return provider;
  },
};
/** Packages that are patched when they are required must be required after that. */
export const require = createRequire(import.meta.url);

/** Switches the instrumentation on; gives what it made of the setup. */
export async function instrument() {
  return (await import('./instrumentors_of_node.mjs'))[instrumentor](setup);
}

/** The main of a scenario program. `flush` waits for spans that are written later than the call ends. */
export async function record(scenarios, flush = async () => {}) {
  mkdirSync(out, { recursive: true });
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  for (const [name, run] of Object.entries(scenarios)) {
    if (only.length && !only.includes(name)) continue;
    await run();
    await flush();
    writeFileSync(`${out}/${name}.pb`, ProtobufTraceSerializer.serializeRequest(spans.getFinishedSpans()));
    spans.reset();
    say(`${name}\n`);
    await lines.next();
  }
  process.exit(0);
}
