import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { RequestLinkAnswer } from '../../src/types.js';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const oidcFolder = process.env.OIDC_DIR ?? join(repository, 'tests/oidc');

/** Where a child process listens, which it says in its first line. */
async function started(child: ChildProcess, what: string): Promise<string> {
  let complaints = '';
  child.stderr?.on('data', (text) => {
    complaints += text;
  });
  return new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${what} ended with ${code}:\n${complaints}`)));
    if (child.stdout) createInterface(child.stdout).once('line', (line) => resolve(line.replace('listening on ', '')));
  });
}

/** npm's oidc-provider, see tests/oidc. */
export class OidcProvider {
  readonly clientId = 'connect';
  readonly clientSecret = 'a secret of no use elsewhere';

  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  static async start(): Promise<OidcProvider> {
    const bundled = join(oidcFolder, 'node_modules/.bin/node');
    // It ends with its standard input.
    const child = spawn(existsSync(bundled) ? bundled : 'node', ['server.mjs'], {
      cwd: oidcFolder,
      stdio: 'pipe',
    });
    return new OidcProvider(child, await started(child, 'oidc-provider'));
  }

  /** Registers clients in the place of all others; without any, the one of the operator. */
  async register(redirectUri: string, ids = [this.clientId]): Promise<void> {
    const clients = ids.map((id) => ({ client_id: id, client_secret: this.clientSecret, redirect_uri: redirectUri }));
    const response = await fetch(`${this.url}/test/client`, { method: 'POST', body: JSON.stringify(clients) });
    if (!response.ok) throw new Error(`oidc-provider: HTTP ${response.status}`);
  }

  stop(): void {
    this.child.kill();
  }
}

/** The real connect-service with a fresh database, a tenant and its key. Its Gmail and its Clio are the provider given. */
export class Service {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    private readonly key: string,
    readonly url: string,
  ) {}

  static async start(provider: OidcProvider): Promise<Service> {
    const binary = serviceBinary();
    const folder = await mkdtemp(join(tmpdir(), 'connect-browser-'));
    await mkdir(join(folder, 'catalogue'));
    await writeFile(join(folder, 'catalogue/gmail.toml'), oauthApp(provider, GMAIL));
    await writeFile(join(folder, 'catalogue/clio.toml'), oauthApp(provider, CLIO));
    await writeFile(join(folder, 'connect.toml'), configuration(folder, provider));
    const options = { cwd: folder, env: { PATH: process.env.PATH } };
    const run = async (...words: string[]) => {
      const { stdout } = await promisify(execFile)(binary, ['--config', 'connect.toml', ...words], options);
      return stdout.trim();
    };
    const tenant = await run('tenant', 'create', 'Acme');
    const key = await run('key', 'create', '--tenant', tenant, '--capabilities', CAPABILITIES);
    const child = spawn(binary, ['--config', 'connect.toml', 'serve'], { ...options, stdio: 'pipe' });
    const service = new Service(child, folder, key, await started(child, 'connect-service'));
    await provider.register(service.redirectUri('gmail'));
    return service;
  }

  redirectUri(app: string): string {
    return `${this.url}/platform/v1/oauth/callback/${app}`;
  }

  /** What a product's backend would ask for. */
  createLink(body: Record<string, unknown>, customer?: string): Promise<RequestLinkAnswer> {
    return this.call('POST', '/connections/request-link', body, customer);
  }

  getConnection(id: string, customer?: string): Promise<{ status: string }> {
    return this.call('GET', `/connections/${id}`, undefined, customer);
  }

  /** Submits a form of the product's own; gives when it is sent, in milliseconds. */
  async submit(link: RequestLinkAnswer, option: string, fields: Record<string, string>): Promise<number> {
    const sentAt = Date.now();
    const response = await fetch(`${this.url}/platform/v1/connections/${link.connection_id}/submit`, {
      method: 'POST',
      headers: { 'x-request-token': link.request_token, 'content-type': 'application/json' },
      body: JSON.stringify({ auth_option_key: option, fields }),
    });
    if (!response.ok) throw new Error(`submit: ${response.status} ${await response.text()}`);
    return sentAt;
  }

  /** Says how the hosted page looks. */
  brand(config: Record<string, unknown>): Promise<unknown> {
    return this.call('PUT', '/tenant/sdk-config', config);
  }

  confirmConnection(id: string, code: string, customer: string): Promise<{ status: string }> {
    return this.call('POST', `/connections/${id}/confirm`, { code }, customer);
  }

  async stop(): Promise<void> {
    this.child.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** A call of the product's backend. */
  async call<T>(method: string, path: string, body?: unknown, customer = 'alice@example.com'): Promise<T> {
    const response = await fetch(`${this.url}/platform/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.key}`,
        'x-user-email': customer,
        'content-type': 'application/json',
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const { message, data } = (await response.json()) as { message: string; data: T };
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${message}`);
    return data;
  }
}

const serviceBinary = () => process.env.SERVICE_BIN ?? join(repository, 'target/debug/connect-service');

/** `connect-service dev`, whose provider plays every OAuth app. */
export class DevService {
  private constructor(
    private readonly child: ChildProcess,
    /** What a program needs, as it prints it. */
    readonly environment: Record<string, string>,
  ) {}

  static async start(): Promise<DevService> {
    const child = spawn(serviceBinary(), ['dev'], { env: { PATH: process.env.PATH }, stdio: 'pipe' });
    const environment: Record<string, string> = {};
    await new Promise<void>((resolve, reject) => {
      let complaints = '';
      child.stderr.on('data', (text) => {
        complaints += text;
      });
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`connect-service dev ended with ${code}:\n${complaints}`)));
      createInterface(child.stdout).on('line', (line) => {
        const [, name, value] = /^export (\w+)=(.*)$/.exec(line) ?? [];
        if (name && value) environment[name] = value;
        if (line.startsWith('# Ready')) resolve();
      });
    });
    return new DevService(child, environment);
  }

  get baseUrl(): string {
    return this.environment.PC_BASE_URL ?? '';
  }

  get providerUrl(): string {
    return new URL(this.environment.PC_DEV_URL ?? '').origin;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill();
    await ended;
  }
}

/** A program of examples/, with the packages of this checkout as they were built. */
export class Example {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  static async start(name: string, { environment }: DevService): Promise<Example> {
    const folder = join(repository, 'examples', name);
    const packages = join(folder, 'node_modules/@pabbly');
    await mkdir(packages, { recursive: true });
    for (const [link, target] of Object.entries({
      'connect-browser': 'browser',
      'connect-platform': 'bindings-node',
    })) {
      await rm(join(packages, link), { recursive: true, force: true });
      await symlink(join(repository, target), join(packages, link));
    }
    const env = { PATH: process.env.PATH, PORT: '0', ...environment };
    const child = spawn(process.execPath, ['server.mjs'], { cwd: folder, env, stdio: 'pipe' });
    return new Example(child, await started(child, name));
  }

  stop(): void {
    this.child.kill();
  }
}

const GMAIL = { id: 'gmail', name: 'Gmail', description: 'Read and send email.', by: 'Google' };
const CLIO = { id: 'clio', name: 'Clio', description: 'Matters, contacts and bills of a law firm.', by: 'Clio' };
const CAPABILITIES = 'apps,connections,token,delete,admin,events';

/** The catalogue takes https alone; the operator's own settings lead to loopback. */
const oauthApp = (provider: OidcProvider, app: typeof GMAIL) => `
id = "${app.id}"
name = "${app.name}"
description = "${app.description}"
categories = ["work"]

[[auth]]
key = "oauth"
type = "o_auth"
title = "Sign in with ${app.by}"

[auth.oauth]
authorization_url = "https://provider.example/auth"
token_url = "https://provider.example/token"
issuer = "${provider.url}"
client_auth = "body"
scopes = ["openid"]

[auth.revoke]
url = "https://provider.example/revoke"
`;

const configuration = (folder: string, provider: OidcProvider) => `
listen = "127.0.0.1:0"
database_url = "sqlite://${join(folder, 'connect.db')}"
key_file = "${join(folder, 'connect.key')}"
catalogue_dir = "${join(folder, 'catalogue')}"
allow_private_networks = true

[budgets]
verification = 0 # the keys here are no real ones

[apps.gmail]
client_id = "${provider.clientId}"
client_secret = "${provider.clientSecret}"
authorization_url = "${provider.url}/auth"
token_url = "${provider.url}/token"
scopes = ["openid"]

[apps.clio]
client_id = "${provider.clientId}"
client_secret = "${provider.clientSecret}"
authorization_url = "${provider.url}/auth"
token_url = "${provider.url}/token"
revocation_url = "${provider.url}/token/revocation"

# Nobody goes there: its page is only looked at.
[apps.slack]
client_id = "${provider.clientId}"
client_secret = "${provider.clientSecret}"
`;
