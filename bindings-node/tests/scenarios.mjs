// Runs every scenario of tests/scenarios/ against this SDK, and fails unless all of the index has run.
//
//   node tests/scenarios.mjs [TEXT]    runs those whose id holds TEXT
//
// Each scenario runs twice: with the e-mail as first argument, and with a client narrowed to the customer.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { PabblyConnectError, PabblyConnectPlatform, Token } from '@pabbly/connect-platform';
import { asker, scriptedServer } from './support.mjs';

/** Scenarios under way at once: they mostly wait. */
const AT_ONCE = 24;
const CHILD = 'SCENARIO_CHILD';

// --- playing one scenario -----------------------------------------------------------------------------------------

async function play(ask, task, narrowed) {
  const prints = [];
  const log = (...parts) => prints.push({ of: 'log', form: 'line', text: parts.map((part) => inspect(part, { depth: null })).join(' ') });
  const hooks = { onRequest: log, onResponse: log, onRetry: log, onWait: log, logger: { debug: log, info: log } };
  let client;
  try {
    client = new PabblyConnectPlatform({ ...task.client, ...hooks });
  } catch (error) {
    print(prints, 'error', error);
    return { refused: shownError(error), prints };
  }
  print(prints, 'client', client);
  const outcomes = [];
  for (const [number, step] of task.steps.entries()) {
    if (step.pause) await settle(ask, task.session, step.pause === 'blocked');
    const moment = `/sessions/${task.session}/moment?step=${number}`;
    const callers = Array.from({ length: step.callers }, () => perform(ask, client, step, moment, narrowed, prints));
    const [first, ...others] = await Promise.all(callers);
    outcomes.push({ ...first, others });
  }
  client.close();
  return { outcomes, prints };
}

/** Pauses until the server has done what it does unasked after the responses so far; `blocked`, nothing else runs here. */
async function settle(ask, session, blocked) {
  const path = `/sessions/${session}/settled`;
  if (!blocked) return ask('GET', path);
  const wait = 'fetch(process.argv[1]).then(({ ok }) => process.exit(ok ? 0 : 1))';
  execFileSync(process.execPath, ['-e', wait, `${ask.address}${path}`]);
}

async function perform(ask, client, step, moment, narrowed, prints) {
  const outcome = { polls: [] };
  const controller = new AbortController();
  const reason = new Error('taken back');
  const start = performance.now();
  try {
    if (step.cancel === 'before_start') controller.abort(reason);
    else if (step.cancel) ask('GET', moment).then(() => controller.abort(reason));
    const call = begin(client, step, controller.signal, narrowed, outcome.polls);
    if (step.rekey) ask('GET', moment).then(() => client.setApiKey(step.rekey));
    if (step.iterate) await iterate(call, step.take ?? Infinity, (outcome.items = []));
    else outcome.value = handed(step, await call, prints);
    for (const item of outcome.items ?? []) print(prints, 'item', item);
  } catch (error) {
    if (error === reason) outcome.cancelled = true;
    else {
      print(prints, 'error', error);
      outcome.error = shownError(error);
    }
  }
  return { ...outcome, ms: Math.round(performance.now() - start) };
}

/** Makes the call that a step describes. */
function begin(client, { call, with: given, options }, signal, narrowed, polls) {
  const { email, id, appId, usageId, requestToken, onPoll, apply, ...rest } = given;
  const target = narrowed && 'email' in given ? client.customer(email) : client;
  const customer = target === client && 'email' in given ? [email] : [];
  const callOptions = { ...options, signal };
  switch (call) {
    case 'listApps':
      return client.listApps(rest, callOptions);
    case 'getApp':
      return client.getApp(appId, callOptions);
    case 'createRequestLink':
    case 'importConnection':
      return target[call](...customer, { appId, ...rest }, callOptions);
    case 'waitForConnection':
      return target.waitForConnection(...customer, id, { ...rest, signal, onPoll: onPoll && ((poll) => polls.push(poll)) });
    case 'listConnections':
      return target.listConnections(...customer, { appId, ...rest }, callOptions);
    case 'confirmConnection':
      return target.confirmConnection(...customer, id, rest.code, callOptions);
    case 'setApiKey':
      return client.setApiKey(rest.apiKey);
    case 'updateConnection':
      return target.updateConnection(...customer, id, rest, callOptions);
    case 'addUsage':
    case 'removeUsage':
      return target[call](...customer, id, usageId, callOptions);
    case 'listAuthOptions':
      return client.listAuthOptions(id, requestToken, callOptions);
    case 'submitCredentials':
      return client.submitCredentials(id, requestToken, { appId, ...rest }, callOptions);
    case 'events':
      return client.events(rest, callOptions);
    case 'listKeys':
      return client.listKeys(callOptions);
    case 'rotateKey':
    case 'promoteKey':
      return client[call](rest, callOptions);
    case 'getToken': {
      const rejected = rest.rejected && Token.of(rest.rejected);
      return target.getToken(...customer, id, { ...callOptions, rejected });
    }
    case 'proxy':
      return read(target.proxy(...customer, id, { ...proxied(rest), ...callOptions }));
    case 'verifyConnection':
    case 'getConnection':
    case 'deleteConnection':
      return target[call](...customer, id, callOptions);
    default:
      throw new Error(`no method is called ${call}`);
  }
}

/** A body in parts becomes a stream, and now and then an async iterable. */
function proxied({ bodyParts, ...request }) {
  if (!bodyParts) return request;
  const iterable = (async function* () {
    yield* bodyParts;
  })();
  const body = Math.random() < 0.5 ? iterable : new Blob(bodyParts).stream();
  return { ...request, body };
}

/** A response is part of the call until it has been read. */
async function read(call) {
  const response = await call;
  return { response, body: await response.text() };
}

async function iterate(list, most, items) {
  for await (const item of list) {
    items.push(item);
    if (items.length >= most) return;
  }
}

// --- reporting ----------------------------------------------------------------------------------------------------

const TYPES = {
  getToken: 'Token', rotateKey: 'RotatedKey', createRequestLink: 'RequestLink', listApps: 'Page', listConnections: 'Page',
};

/** What a call handed out, as JSON; what holds a credential is taken apart, since it does not serialise. */
function handed({ call, with: { apply } }, value, prints) {
  if (value === undefined) return null;
  if (call === 'proxy') {
    const { response, body } = value;
    print(prints, 'Object', response);
    return { status: response.status, headers: Object.fromEntries(response.headers), body };
  }
  print(prints, TYPES[call] ?? 'Object', value);
  if (call === 'rotateKey') return { ...value, api_key: value.api_key };
  if (call !== 'getToken') return value;
  if (apply !== undefined) {
    const request = value.apply(apply);
    print(prints, 'Object', request);
    const [url, { headers }] = request;
    return { url, headers };
  }
  const taken = {};
  for (const name of TOKEN) {
    taken[name] = value[name];
    if (!SECRETS.includes(name) || !value[name]) continue;
    print(prints, 'Fields', value[name]);
    taken[name] = { ...value[name] };
  }
  return taken;
}

const SECRETS = ['fields', 'provider_data', 'api_headers', 'api_query'];
const TOKEN = ['auth_type', 'access_token', 'token_type', 'expires_in', 'scopes', 'account', 'api_base_url', ...SECRETS];

/** Every form in which a value may end up in a log. */
function print(prints, of, value) {
  const add = (form, text) => prints.push({ of, form, text: String(text) });
  add('debug', inspect(value));
  add('debug', inspect({ in: [value] }, { depth: null, colors: true, showProxy: true }));
  add('json', JSON.stringify(value));
  if (of === 'Page' || of === 'item' || of === 'Object') return;
  add('string', `${value} ${value + ''}`);
  if (of === 'RequestLink') return; // It is made to be handed on whole.
  add('debug', inspect(value, { depth: null, showHidden: true, customInspect: false }));
  try {
    add('clone', inspect(structuredClone(value), { depth: null, showHidden: true }));
  } catch (error) {
    if (error.name !== 'DataCloneError') throw error;
  }
  if (value instanceof Error) add('stack', `${value.stack} ${inspect(value.cause)}`);
  if (of === 'Token') add('spread', inspect({ ...value }));
}

function shownError(error) {
  if (!(error instanceof PabblyConnectError)) throw error;
  const { name, code, status, retryAfter, attempts, message, response, connection, fields, oldestCursor } = error;
  return { class: name, code, status, retryAfter, attempts, message, response, connection, fields, oldestCursor };
}

// --- running all of them ------------------------------------------------------------------------------------------

/** An environment of its own takes a process of its own: this program once more. */
async function inChild(address, task, narrowed) {
  const env = { ...process.env, ...task.env, [CHILD]: JSON.stringify({ address, narrowed }) };
  const child = spawn(process.execPath, [process.argv[1]], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(task));
  const [output] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return JSON.parse(output);
}

async function scenario(ask, { id, alone }, narrowed) {
  const task = await ask('POST', '/sessions', { id, language: 'node' });
  const report = alone ? await inChild(ask.address, task, narrowed) : await play(ask, task, narrowed);
  const { failures } = await ask('POST', `/sessions/${task.session}/verdict`, report);
  return failures;
}

async function main(only) {
  const ask = await scriptedServer();
  const index = (await ask('GET', '/scenarios?language=node')).filter(({ id, skip }) => !skip && id.includes(only));
  const queue = index.flatMap((entry) => [false, true].map((narrowed) => ({ entry, narrowed })));
  const ran = new Set();
  let failed = 0;
  const worker = async () => {
    for (let next; (next = queue.shift()); ) {
      const { entry, narrowed } = next;
      const failures = await scenario(ask, entry, narrowed).catch((error) => [inspect(error)]);
      ran.add(entry.id);
      if (failures.length === 0) continue;
      failed += 1;
      console.log(`FAILED ${entry.id} (${narrowed ? 'narrowed' : 'flat'})`);
      for (const failure of failures) console.log(`    ${failure}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const end = await ask('POST', '/finish', { language: 'node', ran: [...ran] });
  console.log(end.text);
  if (!only) for (const failure of end.failures) console.log(`INCOMPLETE ${failure}`);
  if (failed || (!only && end.failures.length)) process.exitCode = 1;
}

const child = process.env[CHILD];
if (child) {
  const { address, narrowed } = JSON.parse(child);
  console.log(JSON.stringify(await play(asker(address), JSON.parse(await text(process.stdin)), narrowed)));
} else {
  await main(process.argv[2] ?? '');
}
