// What an application on LangChain for JavaScript does. A letter means the same as in Python.
import { instrument, record, TOOLS } from './recording.mjs';

const { callbacks = [], flush } = (await instrument()) ?? {};
const { AIMessage, HumanMessage, SystemMessage, ToolMessage } = await import('@langchain/core/messages');
const { ChatOpenAI, OpenAIEmbeddings } = await import('@langchain/openai');

const SYSTEM = new SystemMessage('You are a helpful assistant.');
const configuration = { baseURL: process.env.OPENAI_BASE_URL };
const model = (more) =>
  new ChatOpenAI({ model: 'gpt-4o-mini', temperature: 0.2, maxTokens: 64, maxRetries: 0, configuration, ...more });
const asked = (text) => [SYSTEM, new HumanMessage(text)];
const invoke = (messages, more, options) => model(more).invoke(messages, { callbacks, ...options });
async function stream(messages, more) {
  for await (const _ of await model(more).stream(messages, { callbacks }));
}
async function tools() {
  const question = asked('TOOLS weather?');
  const answer = await invoke(question, {}, { tools: TOOLS });
  const result = new ToolMessage({ content: 'sunny in Paris, 21C', tool_call_id: answer.tool_calls[0].id, name: 'get_weather' });
  await invoke([...question, answer, result], {}, { tools: TOOLS });
}

const scenarios = {
  a_invoke: () => invoke(asked('What is OpenTelemetry?')),
  b_stream: () => stream(asked('What is OpenTelemetry?'), { streamUsage: true }),
  c_multiturn: () =>
    invoke([SYSTEM, new HumanMessage('first question'), new AIMessage('first answer'), new HumanMessage('second question')]),
  d_tools: tools,
  e_err429: () => invoke(asked('ERR429')).catch(() => {}),
  g_unicode: () => invoke(asked('EMOJI ¿Qué tal? 你好 🌍👩‍💻 "quoted" \\ back')),
  i_n2: () => model({ n: 2 }).generate([[new HumanMessage('two choices')]], { callbacks }),
  l_responses: () => invoke(asked('What is OpenTelemetry?'), { useResponsesApi: true }),
  m_embeddings: () => new OpenAIEmbeddings({ model: 'text-embedding-3-small', configuration }).embedQuery('hello'),
};
await record(scenarios, flush);
