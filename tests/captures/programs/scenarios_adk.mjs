// What an agent of Google's ADK for JavaScript does, on Gemini. A letter means the same as in Python.
import { instrument, record } from './recording.mjs';

const { flush } = await instrument();
const { FunctionTool, Gemini, InMemoryRunner, LlmAgent, StreamingMode } = await import('@google/adk');
const { z } = await import('zod');

const get_weather = new FunctionTool({
  name: 'get_weather',
  description: 'Get the weather.',
  parameters: z.object({ city: z.string() }),
  execute: ({ city }) => `sunny in ${city}, 21C`,
});
async function ask(texts, { streamed = false, tools = [] } = {}) {
  const agent = new LlmAgent({
    name: 'helper',
    model: new Gemini({ model: 'gemini-2.5-flash', apiKey: 'test' }),
    instruction: 'You are a helpful assistant.',
    generateContentConfig: { temperature: 0.2, maxOutputTokens: 64 },
    tools,
  });
  const runner = new InMemoryRunner({ agent, appName: 'captures' });
  const session = await runner.sessionService.createSession({ appName: 'captures', userId: 'user-9' });
  for (const text of texts) {
    const run = runner.runAsync({
      userId: 'user-9',
      sessionId: session.id,
      newMessage: { role: 'user', parts: [{ text }] },
      runConfig: { streamingMode: streamed ? StreamingMode.SSE : StreamingMode.NONE },
    });
    for await (const _ of run);
  }
}

const scenarios = {
  a_invoke: () => ask(['What is OpenTelemetry?']),
  b_stream: () => ask(['What is OpenTelemetry?'], { streamed: true }),
  d_tools: () => ask(['TOOLS weather?'], { tools: [get_weather] }),
  e_err429: () => ask(['ERR429']).catch(() => {}),
  g_unicode: () => ask(['EMOJI ¿Qué tal? 你好 🌍👩‍💻 "quoted" \\ back']),
};
await record(scenarios, flush);
