// The three official clients behind one function each: what they are told is { url, headers, calls: [{ name,
// arguments }] }, what they give is { tools, results }, or { error: text } where the server refuses them.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** npm's @modelcontextprotocol/sdk. */
async function sdk({ url, headers, calls }) {
  const client = new Client({ name: 'connect-tests', version: '1' });
  try {
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
    const { tools } = await client.listTools();
    const results = [];
    for (const call of calls) results.push(await client.callTool(call));
    return { tools, results };
  } catch (error) {
    return { error: String(error) };
  } finally {
    await client.close();
  }
}

/** The inspector's command line, one process for each call. */
async function inspector({ url, headers, calls }) {
  const program = here('node_modules/@modelcontextprotocol/inspector/clients/cli/build/index.js');
  const given = Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]);
  const run = async (...method) => {
    const { code, output, errors } = await execute(process.execPath, [program, '--server-url', url, '--transport', 'http', ...given, ...method]);
    if (output.trim().startsWith('{')) return JSON.parse(output);
    throw new Error(`exit ${code}: ${errors}${output}`);
  };
  try {
    const { tools } = await run('--method', 'tools/list');
    const results = [];
    for (const { name, arguments: given } of calls) {
      const pairs = Object.entries(given).map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
      const last = pairs.length > 0 ? ['--tool-arg', ...pairs] : [];
      results.push(await run('--method', 'tools/call', '--tool-name', name, ...last));
    }
    return { tools, results };
  } catch (error) {
    return { error: String(error) };
  }
}

/** PyPI's mcp. */
async function python(task) {
  const { output, errors } = await execute(process.env.MCP_PYTHON, [here('client.py')], JSON.stringify(task));
  try {
    return JSON.parse(output);
  } catch {
    return { error: errors };
  }
}

function execute(program, args, input) {
  return new Promise((resolve) => {
    const child = execFile(program, args, { timeout: 120_000, maxBuffer: 1 << 24 }, (error, output, errors) => resolve({ code: error?.code ?? 0, output, errors }));
    child.stdin.end(input);
  });
}

export const CLIENTS = { sdk, inspector, python };
