// What an agent of Mastra's does. A letter means the same as with the AI SDK.
import { createOpenAI } from '@ai-sdk/openai';
import { Agent } from '@mastra/core/agent';
import { Mastra } from '@mastra/core/mastra';
import { createTool } from '@mastra/core/tools';
import { Observability } from '@mastra/observability';
import { OtelExporter } from '@mastra/otel-exporter';
import { z } from 'zod';
import { record, setup } from './recording.mjs';

const openai = createOpenAI();
const get_weather = createTool({
  id: 'get_weather',
  description: 'Get the weather.',
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}, 21C`,
});
const exporter = new OtelExporter({ provider: { custom: { endpoint: 'http://127.0.0.1:9' } }, exporter: setup.exporter });
const mastra = new Mastra({
  logger: false,
  observability: new Observability({ configs: { otel: { serviceName: 'captures', exporters: [exporter] } } }),
  agents: {
    helper: new Agent({
      id: 'helper',
      name: 'helper',
      instructions: 'You are a helpful assistant.',
      model: openai.chat('gpt-4o-mini'),
      tools: { get_weather },
      maxRetries: 0,
    }),
  },
});
const helper = mastra.getAgent('helper');
const SETTINGS = { modelSettings: { temperature: 0.2, maxOutputTokens: 64, maxRetries: 0 } };
const ask = (messages) => helper.generate(messages, SETTINGS);
async function stream(text) {
  for await (const _ of (await helper.stream(text, SETTINGS)).textStream);
}

const scenarios = {
  a_invoke: () => ask('What is OpenTelemetry?'),
  b_stream: () => stream('What is OpenTelemetry?'),
  c_multiturn: () =>
    ask([
      { role: 'user', content: 'first question' },
      { role: 'assistant', content: 'first answer' },
      { role: 'user', content: 'second question' },
    ]),
  d_tools: () => ask('TOOLS weather?'),
  e_err429: () => ask('ERR429').catch(() => {}),
  g_unicode: () => ask('EMOJI ¿Qué tal? 你好 🌍👩‍💻 "quoted" \\ back'),
};
// An exporter is told of a span some time after it ended, and writes a batch.
await record(scenarios, async () => {
  await new Promise((resolve) => setTimeout(resolve, 300));
  await exporter.flush?.();
  await mastra.observability?.getDefaultInstance?.()?.flush?.();
});
