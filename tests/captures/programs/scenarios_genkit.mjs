// What an application on Genkit for JavaScript does. A letter means the same as with the AI SDK.
import { openAI } from '@genkit-ai/compat-oai/openai';
import { genkit, z } from 'genkit';
import { enableTelemetry } from 'genkit/tracing';
import { record, setup } from './recording.mjs';

// Genkit makes the provider: it has a processor of its own for its developers' tools.
await enableTelemetry({ spanProcessors: [setup.processor()], instrumentations: [] });
const ai = genkit({ plugins: [openAI()], model: openAI.model('gpt-4o-mini') });
const SYSTEM = 'You are a helpful assistant.';
const get_weather = ai.defineTool(
  { name: 'get_weather', description: 'Get the weather.', inputSchema: z.object({ city: z.string() }), outputSchema: z.string() },
  async ({ city }) => `sunny in ${city}, 21C`,
);
const settings = (more) => ({ system: SYSTEM, config: { temperature: 0.2, maxOutputTokens: 64 }, ...more });
const ask = (prompt, more) => ai.generate(settings({ prompt, ...more }));
async function stream(prompt) {
  const { stream, response } = ai.generateStream(settings({ prompt }));
  for await (const _ of stream);
  await response;
}

const scenarios = {
  a_invoke: () => ask('What is OpenTelemetry?'),
  b_stream: () => stream('What is OpenTelemetry?'),
  c_multiturn: () =>
    ai.generate(
      settings({
        messages: [
          { role: 'user', content: [{ text: 'first question' }] },
          { role: 'model', content: [{ text: 'first answer' }] },
          { role: 'user', content: [{ text: 'second question' }] },
        ],
      }),
    ),
  d_tools: () => ask('TOOLS weather?', { tools: [get_weather] }),
  e_err429: () => ask('ERR429').catch(() => {}),
  g_unicode: () => ask('EMOJI ¿Qué tal? 你好 🌍👩‍💻 "quoted" \\ back'),
};
await record(scenarios);
