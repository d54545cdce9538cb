// What Gemini's CLI does for a question on its command line. A letter means the same as in Python.
//
// The CLI is a process of its own and exports by itself, to CAPTURES_ENDPOINT.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const only = process.argv.slice(5);
const cli = fileURLToPath(new URL('node_modules/@google/gemini-cli/bundle/gemini.js', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'gemini-'));
mkdirSync(join(home, '.gemini'));
writeFileSync(join(home, '.gemini', 'settings.json'), '{"security":{"auth":{"selectedType":"gemini-api-key"}}}');
const env = {
  ...process.env,
  HOME: home,
  GEMINI_TELEMETRY_ENABLED: 'true',
  GEMINI_TELEMETRY_TARGET: 'local',
  GEMINI_TELEMETRY_OTLP_PROTOCOL: 'http',
  GEMINI_TELEMETRY_OTLP_ENDPOINT: process.env.CAPTURES_ENDPOINT,
};
const ask = (text) => {
  const command = [cli, '--skip-trust', '-m', 'gemini-2.5-flash', '-p', text];
  const { status, stderr } = spawnSync(process.execPath, command, { env, cwd: home, encoding: 'utf8' });
  if (status) throw new Error(stderr);
};

const scenarios = {
  a_invoke: () => ask('What is OpenTelemetry?'),
  g_unicode: () => ask('EMOJI ¿Qué tal? 你好 🌍👩‍💻 "quoted" \\ back'),
};
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
for (const [name, run] of Object.entries(scenarios)) {
  if (only.length && !only.includes(name)) continue;
  run();
  console.log(name);
  await lines.next();
}
process.exit(0);
