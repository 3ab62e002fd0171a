// Starts and steers `connect-service dev`, the whole platform on this machine.
import { execFile, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';
import { asyncDispose } from '../internal.js';

/** Far longer than it takes, also on a busy machine. */
const START_TIMEOUT_MS = 30_000;

/** How much of what it says about itself is kept. */
const MAX_STDERR = 16_384;

/** How to start an emulator. */
export interface EmulatorOptions {
  /** The program. Default: `PC_DEV_BIN` of the environment, else `connect-service` on the `PATH`. */
  binary?: string | undefined;
  /** Further options of `connect-service dev`, such as `--seed`. */
  args?: readonly string[] | undefined;
}

/** The environment variables by which programs find an emulator. */
export interface EmulatorEnv {
  readonly PC_TENANT_KEY: string;
  readonly PC_BASE_URL: string;
  /** What `connect-service dev ctl` needs; whoever has it controls the emulator. */
  readonly PC_DEV_URL: string;
}

/** The emulator did not start, or did not carry a command out. */
export class EmulatorError extends Error {
  override name = 'EmulatorError';
  /** What the program said about it. */
  readonly stderr: string;

  constructor(message: string, stderr = '', options?: ErrorOptions) {
    super(stderr ? `${message}:\n${stderr.trimEnd()}` : message, options);
    this.stderr = stderr;
  }
}

/** A running `connect-service dev`. It ends with `stop()`, else with this process. */
export class Emulator {
  /** Where the service is: a client's `baseUrl`. */
  readonly baseUrl: string;
  /** The tenant's key: a client's `apiKey`. */
  readonly tenantKey: string;
  /** For programs that find the service by their environment. */
  readonly env: EmulatorEnv;
  readonly #program: string;
  readonly #child: ChildProcessWithoutNullStreams;

  /** @internal */
  constructor(program: string, child: ChildProcessWithoutNullStreams, env: EmulatorEnv) {
    this.#program = program;
    this.#child = child;
    this.env = env;
    this.baseUrl = env.PC_BASE_URL;
    this.tenantKey = env.PC_TENANT_KEY;
  }

  /**
   * Steers it as `connect-service dev ctl` does, and gives the result, which is JSON: `ctl('expire', connection.id)`.
   *
   * Rejects with an `EmulatorError` where the command was refused.
   */
  async ctl(...args: string[]): Promise<unknown> {
    const env = { ...process.env, ...this.env };
    const command = promisify(execFile)(this.#program, ['dev', 'ctl', ...args], { env });
    const { stdout } = await command.catch(({ stderr }: { stderr?: string }) => {
      // Without the arguments, among which a link's secret may be.
      throw new EmulatorError(`connect-service dev ctl ${args[0] ?? ''} failed`, stderr);
    });
    return JSON.parse(stdout);
  }

  /** Ends it, and waits until it has ended. Everything that it stored is deleted. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    child.kill('SIGINT');
    await once(child, 'exit');
  }

  /** `await using` ends it at the end of the block. */
  [asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/**
 * Starts `connect-service dev` and waits until it is ready, which takes about a second.
 *
 * Rejects with an `EmulatorError` where the program is not found or does not start.
 */
export async function startEmulator({ binary, args = [] }: EmulatorOptions = {}): Promise<Emulator> {
  const program = binary ?? (process.env['PC_DEV_BIN'] || 'connect-service');
  const child = spawn(program, ['dev', '--watch-stdin', ...args]);
  try {
    const exports = (await printed(child, program)).matchAll(/^export (\w+)=(.*)$/gm);
    const env = Object.fromEntries(Array.from(exports, ([, name, value]) => [name, value])) as unknown as EmulatorEnv;
    // It does not keep this process alive, whose end closes its standard input and thereby ends it.
    child.unref();
    for (const stream of child.stdio) (stream as Socket).unref?.();
    return new Emulator(program, child, env);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

/** What it prints until it is ready. */
function printed(child: ChildProcessWithoutNullStreams, program: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let [stdout, stderr] = ['', ''];
    const fail = (message: string, cause?: Error) => reject(new EmulatorError(message, stderr, cause && { cause }));
    const timer = setTimeout(() => fail(`${program} is not ready after ${START_TIMEOUT_MS / 1000} s`), START_TIMEOUT_MS);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (!/^# Ready/m.test(stdout)) return;
      clearTimeout(timer);
      resolve(stdout);
    });
    // Read to its end: a full pipe would stop it.
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-MAX_STDERR)));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      fail(`${program} ended with ${code ?? signal}`);
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      const missing = `there is no program ${program}: build it with \`cargo build -p connect-service\`, and set PC_DEV_BIN to its path`;
      fail(error.code === 'ENOENT' ? missing : `${program} could not be started`, error);
    });
  });
}
