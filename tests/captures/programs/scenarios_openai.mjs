// What an application on OpenAI's own client for JavaScript does. A letter means the same as in Python.
import { instrument, record, require, TOOLS } from './recording.mjs';

const { observed = (client) => client, inside = (run) => run(), flush } = (await instrument()) ?? {};
const { OpenAI } = require('openai');
const client = (...settings) => observed(new OpenAI({ maxRetries: 0 }), ...settings);

const SYSTEM = { role: 'system', content: 'You are a helpful assistant.' };
const USAGE = { stream: true, stream_options: { include_usage: true } };
const ask = (text) => [SYSTEM, { role: 'user', content: text }];
const create = (messages, more) =>
  client().chat.completions.create({ model: 'gpt-4o-mini', temperature: 0.2, max_tokens: 64, messages, ...more });
async function read(stream) {
  for await (const _ of await stream);
}
async function tools() {
  const question = ask('TOOLS weather?');
  const { message } = (await create(question, { tools: TOOLS })).choices[0];
  const result = { role: 'tool', tool_call_id: message.tool_calls[0].id, content: 'sunny in Paris, 21C' };
  await create([...question, message, result], { tools: TOOLS });
}
const responses = (more) =>
  client().responses.create({
    model: 'gpt-4o-mini',
    instructions: SYSTEM.content,
    input: 'What is OpenTelemetry?',
    max_output_tokens: 64,
    ...more,
  });

const scenarios = {
  a_invoke: () => create(ask('What is OpenTelemetry?')),
  b_stream: () => read(create(ask('What is OpenTelemetry?'), USAGE)),
  d_tools: tools,
  e_err429: () => create(ask('ERR429')).catch(() => {}),
  g_unicode: () => create(ask('EMOJI ¿Qué tal? 你好 🌍👩‍💻 "quoted" \\ back')),
  i_n2: () => create([{ role: 'user', content: 'two' }], { n: 2 }),
  l_responses: () => responses(),
  m_embeddings: () => client().embeddings.create({ model: 'text-embedding-3-small', input: 'hello' }),
  v_responses_stream: () => read(responses({ stream: true })),
};
await record(
  Object.fromEntries(Object.entries(scenarios).map(([name, run]) => [name, () => inside(run)])),
  flush,
);
