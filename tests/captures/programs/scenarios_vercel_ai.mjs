// What an application on the Vercel AI SDK does. A letter means the same as with LangChain.
import { createOpenAI } from '@ai-sdk/openai';
import { embed, generateText, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';
import { instrument, record, setup } from './recording.mjs';

const { flush } = await instrument();
const telemetry = { isEnabled: true, ...setup.arguments };
const openai = createOpenAI();
const SYSTEM = 'You are a helpful assistant.';
const getWeather = tool({
  description: 'Get the weather.',
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}, 21C`,
});
const settings = (more) => ({
  model: openai.chat('gpt-4o-mini'),
  system: SYSTEM,
  temperature: 0.2,
  maxOutputTokens: 64,
  maxRetries: 0,
  experimental_telemetry: telemetry,
  ...more,
});
const generate = (more) => generateText(settings(more));
async function stream(more) {
  for await (const _ of streamText({ ...settings(more), onError: () => {} }).textStream);
}

const scenarios = {
  a_invoke: () => generate({ prompt: 'What is OpenTelemetry?' }),
  b_stream: () => stream({ prompt: 'What is OpenTelemetry?' }),
  c_multiturn: () =>
    generate({
      messages: [
        { role: 'user', content: 'first question' },
        { role: 'assistant', content: 'first answer' },
        { role: 'user', content: 'second question' },
      ],
    }),
  d_tools: () =>
    generate({ prompt: 'TOOLS weather?', tools: { get_weather: getWeather }, stopWhen: stepCountIs(3) }),
  e_err429: () => generate({ prompt: 'ERR429' }).catch(() => {}),
  g_unicode: () => generate({ prompt: 'EMOJI ¿Qué tal? 你好 🌍👩‍💻 "quoted" \\ back' }),
  k_async: () =>
    Promise.all([0, 1, 2].map((i) => generate({ prompt: `SLEEP 0.05 ECHO async${i}` }))),
  l_responses: () => generate({ model: openai.responses('gpt-4o-mini'), prompt: 'What is OpenTelemetry?' }),
  m_embeddings: () =>
    embed({ model: openai.embedding('text-embedding-3-small'), value: 'hello', experimental_telemetry: telemetry }),
  s_image: () =>
    generate({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is in this image?' },
            { type: 'image', image: Buffer.from('iVBORw0KGgo=', 'base64'), mediaType: 'image/png' },
          ],
        },
      ],
    }),
};

await record(scenarios, flush);
