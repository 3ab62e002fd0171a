// Compiled, never run: everything in the types is used as a strict TypeScript project would, and what must not
// compile stands under `@ts-expect-error`, which itself fails to compile where the next line is fine.
import {
  NeedsReconnectionError,
  PabblyConnectError,
  PabblyConnectPlatform,
  RateLimitedError,
  UpstreamUnavailableError,
  WaitTimeoutError,
  type AdminLink,
  type App,
  type AppPage,
  type AppSettings,
  type AuthOption,
  type CallOptions,
  type ClientSource,
  type ConnectionActive,
  type Connection,
  type ConnectionChanges,
  type ConnectionPage,
  type ConnectionStatus,
  type Contact,
  type ContactPage,
  type Customer,
  type Erasure,
  type ErrorCode,
  type ErrorResponse,
  type Event,
  type EventFeed,
  type EventsQuery,
  type FieldsToken,
  type Hooks,
  type LinkRequest,
  type List,
  type ManagedBy,
  type OAuthClient,
  type OAuthClientRemoval,
  type OAuthToken,
  type PromotedKey,
  proxyFetch,
  type ProxyBody,
  type ProxyRequest,
  type RequestLink,
  type RotatedKey,
  type Settings,
  type Submission,
  type SubmittedForm,
  type TenantKey,
  type Token,
  type UnknownEvent,
  type Verification,
  type WaitOptions,
  webhooks,
} from '@pabbly/connect-platform';
import { EmulatorError, fakeClient, startEmulator, type FakeCall, type FakeClient, type FakeResults } from '@pabbly/connect-platform/testing';

declare function equal<A>(): <B>(value: B & ([A] extends [B] ? ([B] extends [A] ? unknown : never) : never)) => void;
const { signal } = new AbortController();

// --- the client ---
const everything: Settings = {
  apiKey: process.env['PC_TENANT_KEY'],
  baseUrl: undefined,
  maxRetries: 2,
  timeoutMs: 30_000,
  backoffMs: 500,
  allowInsecureHttp: false,
  proxy: 'http://127.0.0.1:3128',
  caCertificates: '-----BEGIN CERTIFICATE-----',
  systemTrustStore: true,
  userAgent: 'shop/1',
  requestsPerMinute: 120,
  logger: console,
  onRequest: ({ call, method, path, attempt }) => console.log(call, method, path, attempt.toFixed()),
  onResponse: ({ status, elapsedMs, requestId }) => console.log(status?.toFixed(), elapsedMs.toFixed(), requestId?.length),
  onRetry: ({ delayMs }) => console.log(delayMs.toFixed()),
  onWait: ({ connectionId, status }) => console.log(connectionId.length, status === 'pending'),
};
new PabblyConnectPlatform();
const pc = new PabblyConnectPlatform(everything);
pc.setApiKey('pk_live_new');
pc.close();
// @ts-expect-error: no such option
new PabblyConnectPlatform({ key: 'pk_live_x' });
// @ts-expect-error: a number
new PabblyConnectPlatform({ timeoutMs: '30s' });
// @ts-expect-error: the key is not to be read
pc.apiKey;

// --- calls ---
const options: CallOptions = { signal, timeoutMs: 1, deadlineMs: 2, maxRetries: 0 };
const wait: WaitOptions = { signal, intervalMs: 1, timeoutMs: 2, onPoll: ({ status, nextInMs }) => console.log(status, nextInMs) };
const request: LinkRequest = {
  appId: 'gmail', name: 'Work', connectionId: 'c', authOptionKey: 'oauth', allowedApps: ['gmail'], returnUrl: 'https://a',
  allowedOrigin: 'https://a', displayName: 'Acme', expiresIn: 600, allowMultipleConnections: true, scopes: ['mail'],
  confirm: true, customerId: 'c', customerName: 'n', metadata: { plan: ['pro'] },
  webhookUrl: 'https://a/hook', idempotencyKey: 'k',
};
const changes: ConnectionChanges = { name: 'Work', customerId: null, customerName: 'n', metadata: {} };
const form: SubmittedForm = { authOptionKey: 'api_key', fields: { api_key: 'x' } };

function handled(event: Event): string {
  switch (event.type) {
    case 'connection.active':
      equal<ConnectionActive>()(event.data);
      return event.data.connection.id;
    case 'connection.needs_reconnection':
      return event.data.reason;
    case 'key.revoked':
      return event.data.key.id;
    case 'connection.deleted':
    case 'connection.expired':
    case 'connection.expiring':
    case 'connection.failed':
    case 'connection.rejected':
    case 'connection.updated':
      return event.data.connection.status;
    case 'oauth_client.changed':
      return event.data.app_id;
    case 'key.created':
    case 'key.promoted':
    case 'key.rotated':
    case 'webhook.test':
      return event.cursor;
    default: {
      const unknown: UnknownEvent = event;
      return unknown.type;
    }
  }
}

export async function received(request: Request, raw: { headers: NodeJS.Dict<string | string[]>; body: Uint8Array }) {
  equal<Event>()(webhooks.verify(request.headers, await request.text(), 'whsec_x'));
  equal<Event>()(webhooks.verify(request.headers, await request.arrayBuffer(), ['whsec_x', 'whsec_y']));
  equal<Event>()(webhooks.verify(raw.headers, raw.body, 'whsec_x', { receivedAt: new Date() }));
  // @ts-expect-error: it was parsed already
  webhooks.verify(raw.headers, { id: 'evt_1' }, 'whsec_x');
}

export async function calls(email: string, id: string) {
  equal<List<AppPage, App>>()(pc.listApps({ search: 'gmail', page: 1, limit: 5 }, options));
  equal<AppPage>()(await pc.listApps());
  for await (const app of pc.listApps()) equal<App>()(app);
  equal<App>()(await pc.getApp('gmail', options));
  equal<RequestLink>()(await pc.createRequestLink(email, { appId: 'gmail', name: 'Work Gmail' }));
  equal<RequestLink>()(await pc.createRequestLink(email, request, options));
  equal<Connection>()(await pc.getConnection(email, id, options));
  equal<Connection>()(await pc.waitForConnection(email, id, wait));
  equal<Connection>()(await pc.confirmConnection(email, id, 'code', options));
  equal<Token>()(await pc.getToken(email, id, options));
  const body = new Blob([]).stream();
  const proxied: ProxyRequest = { path: 'a', query: { a: 1 }, headers: new Headers(), body, signal };
  equal<Response>()(await pc.proxy(email, id, proxied));
  for (const body of ['a', new Uint8Array(), new ArrayBuffer(1), proxied.body] as ProxyBody[]) {
    const query = new URLSearchParams();
    equal<Response>()(await pc.customer(email).proxy(id, { method: 'POST', path: 'a', query, body }));
  }
  equal<typeof fetch>()(proxyFetch(pc.customer(email), id, { baseUrl: 'https://api.example.com', timeoutMs: 1 }));
  // @ts-expect-error: there has to be a path.
  await pc.proxy(email, id, { method: 'GET' });
  equal<ConnectionPage>()(await pc.listConnections(email, { appId: 'gmail', page: 1, limit: 2 }, options));
  for await (const connection of pc.listConnections(email)) equal<Connection>()(connection);
  equal<ContactPage>()(await pc.listContacts(email, { appId: 'hubspot', search: 'ada', limit: 2 }, options));
  for await (const contact of pc.listContacts(email, { connectionId: 'c' })) equal<Contact>()(contact);
  equal<void>()(await pc.deleteConnection(email, id, options));
  equal<Connection>()(await pc.updateConnection(email, id, changes, options));
  equal<Verification>()(await pc.verifyConnection(email, id, options));
  equal<Connection>()(await pc.importConnection(email, { appId: 'gmail', name: 'Mail', accessToken: 'at' }, options));
  equal<void>()(await pc.addUsage(email, id, 'workflow', options));
  equal<void>()(await pc.removeUsage(email, id, 'workflow'));
  pc.listConnections(email, { status: 'active', customerId: 'c', needsReconnection: true });
  equal<AuthOption[]>()((await pc.listAuthOptions(id, 'rt', options)).auth_options);
  equal<Submission>()(await pc.submitCredentials(id, 'rt', form, options));
  const clientOf = { clientId: 'c', clientSecret: 's', scopes: ['read'], params: { key: 'k' }, sandbox: true };
  equal<OAuthClient>()(await pc.setOAuthClient('clio', clientOf, options));
  equal<OAuthClient>()(await pc.getOAuthClient('clio', options));
  equal<OAuthClientRemoval>()(await pc.deleteOAuthClient('clio'));
  equal<OAuthClient>()(await pc.setOrganizationOAuthClient('org', 'clio', clientOf));
  equal<OAuthClient>()(await pc.getOrganizationOAuthClient('org', 'clio'));
  equal<number>()((await pc.deleteOrganizationOAuthClient('org', 'clio', options)).connections);
  equal<AppSettings>()(await pc.setAppSettings('clio', { managedBy: 'organization', adminRoleRequired: true }, options));
  equal<ManagedBy | null | undefined>()((await pc.getAppSettings('clio')).managed_by);
  equal<Erasure>()(await pc.deleteOrganizationApp('org', 'clio', { force: true }, options));
  equal<Erasure>()(await pc.deleteCustomer(email));
  equal<AdminLink>()(await pc.createAdminLink(email, 'org', { name: 'Example Ltd' }, options));
  equal<ClientSource | null | undefined>()((await pc.getApp('clio')).client_source);
  equal<string | undefined>()((await pc.getConnection(email, id)).organization?.id);
  equal<TenantKey[]>()((await pc.listKeys(options)).keys);
  equal<RotatedKey>()(await pc.rotateKey());
  equal<PromotedKey>()(await pc.promoteKey({ keyId: 'k' }, options));
  const query: EventsQuery = { after: 'latest', types: ['connection.active'], connectionId: id, limit: 5, waitMs: 0 };
  equal<EventFeed>()(pc.events(query, options));
  for await (const event of pc.events()) equal<string>()(handled(event));
  equal<string | null>()(pc.events().cursor);
  equal<void>()(await pc[Symbol.asyncDispose]());

  const alice: Customer = pc.customer(email);
  equal<RequestLink>()(await alice.createRequestLink(request, options));
  equal<Connection>()(await alice.getConnection(id, options));
  equal<Connection>()(await alice.waitForConnection(id, wait));
  equal<Token>()(await alice.getToken(id, options));
  equal<List<ConnectionPage, Connection>>()(alice.listConnections({ appId: 'gmail' }, options));
  equal<void>()(await alice.deleteConnection(id, options));
  equal<Erasure>()(await alice.deleteCustomer({ force: true }));
  equal<AdminLink>()(await alice.createAdminLink('org'));

  // @ts-expect-error: the secret is missing
  pc.setOAuthClient('clio', { clientId: 'c' });
  // @ts-expect-error: nobody else brings clients
  pc.setAppSettings('clio', { managedBy: 'partner' });
  // @ts-expect-error: a name cannot be removed
  pc.updateConnection(email, id, { name: null });
  // @ts-expect-error: no such status
  pc.listConnections(email, { status: 'activ' });
  // @ts-expect-error: the e-mail is missing
  pc.getToken(id);
  // @ts-expect-error: the e-mail is missing
  pc.listConnections();
  // @ts-expect-error: the e-mail is missing
  pc.createRequestLink({ appId: 'gmail', name: 'Work' });
  // @ts-expect-error: an e-mail is a text
  pc.getToken(undefined, id);
  // @ts-expect-error: a link has a name
  pc.createRequestLink(email, { appId: 'gmail' });
  // @ts-expect-error: the wire's spelling is for answers
  pc.createRequestLink(email, { app_id: 'gmail', name: 'Work' });
  // @ts-expect-error: the signal belongs into the last argument
  pc.listApps({ signal });
  // @ts-expect-error: no such option
  pc.getToken(email, id, { timeout: 5 });
  // @ts-expect-error: a wait has no retries of its own
  pc.waitForConnection(email, id, { maxRetries: 1 });
  // @ts-expect-error: a narrowed client knows the e-mail
  alice.getToken(email, id, options);
}

// --- what is answered ---
export async function answers(connection: Connection, link: RequestLink, app: App, token: Token) {
  equal<string>()(connection.id);
  equal<ConnectionStatus>()(connection.status);
  equal<string>()(link.request_token);
  equal<string>()(app.name);
  if (connection.status !== 'active') return;
  // @ts-expect-error: it is active here
  if (connection.status === 'pending') return;
  // @ts-expect-error: no such status
  if (app.auth_type === 'oauth') return;
  // @ts-expect-error: the wire's spelling
  link.requestToken;

  if (token.access_token !== undefined) {
    equal<OAuthToken>()(token);
    equal<string>()(token.access_token);
    equal<string>()(token.authorization);
    equal<string | undefined>()(token.token_type);
  } else {
    equal<FieldsToken>()(token);
    equal<string | undefined>()(token.fields['api_key'] as string | undefined);
  }
  await fetch(...token.apply('/x'));
  await fetch(...token.apply('/x', { method: 'POST', body: '{}', headers: { accept: 'text/csv' } }));
  const [url, init] = token.apply('/x', { method: 'POST' as const });
  equal<string>()(url);
  equal<'POST'>()(init.method);
  equal<Record<string, string>>()(init.headers);
  equal<readonly string[] | null>()(token.scopes);
  equal<string | null>()(token.api_base_url);
  equal<boolean | null | undefined>()(connection.needs_reconnection);
  if (token.auth_type === 'o_auth') equal<string>()(token.access_token);
  else equal<Readonly<Record<string, string>>>()(token.fields);
  // @ts-expect-error: perhaps it is no OAuth app
  token.access_token.length;
  // @ts-expect-error: perhaps the provider does not say
  token.expires_in.toFixed();
  // @ts-expect-error: it is not to be changed
  token.access_token = 'x';
}

// --- errors ---
export function errors(error: unknown) {
  if (error instanceof NeedsReconnectionError) equal<ErrorCode | null>()(error.code);
  if (error instanceof RateLimitedError || error instanceof UpstreamUnavailableError) equal<number | null>()(error.retryAfter);
  if (error instanceof WaitTimeoutError) equal<ConnectionStatus | undefined>()(error.connection?.status);
  if (!(error instanceof PabblyConnectError)) return;
  equal<number | null>()(error.status);
  equal<ErrorResponse | null>()(error.response);
  equal<Record<string, string> | null | undefined>()(error.fields);
  equal<number>()(error.attempts);
  const { message, stack, cause, name }: Error = error;
  console.log(message, stack, cause, name);
  switch (error.code) {
    case 'invalid_user_email':
    case 'rate_limited':
    case 'wait_timeout':
    case null:
      break;
    // @ts-expect-error: no such code
    case 'rate_limitd':
      break;
  }
  // @ts-expect-error: it is not to be changed
  error.status = 200;
}

// --- testing ---
export async function testing(link: RequestLink, token: Token) {
  const results: FakeResults = {
    getToken: token,
    createRequestLink: async (email, { appId, name }, options) => {
      console.log(email.length, appId?.length, name.length, options?.timeoutMs);
      return link;
    },
    getConnection: (_email, id) => ({ id, status: 'active' }),
    deleteConnection: undefined,
    addUsage: () => {},
    listApps: { apps: [{ id: 'gmail', name: 'Gmail' }] },
    listConnections: (_email, query) => ({ connections: [], total: query?.page ?? 0 }),
    verifyConnection: new NeedsReconnectionError('revoked'),
  };
  const pc: FakeClient = fakeClient(results);
  equal<Token>()(await pc.customer('alice@example.com').getToken('c'));
  const client: PabblyConnectPlatform = pc;
  equal<readonly FakeCall[]>()(pc.calls);
  for (const call of pc.calls) {
    if (call.method === 'getToken') equal<string>()(call.arguments[1]);
  }
  // @ts-expect-error: no such method
  fakeClient({ getTokens: token });
  // @ts-expect-error: it calls nothing
  fakeClient({ close: undefined });
  // @ts-expect-error: a link is no token
  fakeClient({ getToken: link });
  // @ts-expect-error: an id is a text
  fakeClient({ getApp: (id: number) => ({ id: `${id}`, name: 'Gmail' }) });
  // @ts-expect-error: only the tests' own client takes another's calls
  new PabblyConnectPlatform(client);

  const emulator = await startEmulator({ binary: 'connect-service', args: ['--seed'] });
  new PabblyConnectPlatform({ apiKey: emulator.tenantKey, baseUrl: emulator.baseUrl });
  equal<unknown>()(await emulator.ctl('expire', 'c'));
  equal<void>()(await emulator.stop());
  equal<void>()(await emulator[Symbol.asyncDispose]());
  const environment: NodeJS.ProcessEnv = { ...process.env, ...emulator.env };
  console.log(environment, new EmulatorError('x').stderr.length);
}

export const hooks: Hooks = {
  // @ts-expect-error: no hook is told a header
  onRequest: ({ headers }) => headers,
};
