import { type ChildProcess, spawn } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { until } from './drivers.js';

/** The name of an element's id, https://www.w3.org/TR/webdriver2/#elements. */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

/**
 * Debian's WebKitGTK on a screen of its own, driven by WebDriver: Safari's engine, but neither Safari nor a phone. Its
 * window is as wide as a phone's, its pointer is a mouse.
 */
export class WebKit {
  private constructor(
    private readonly processes: ChildProcess[],
    private readonly session: string,
  ) {}

  static async start(): Promise<WebKit> {
    const processes: ChildProcess[] = [];
    try {
      const screen = spawn('Xvfb', ['-displayfd', '1', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      processes.push(screen);
      const display = await new Promise<string>((resolve, reject) => {
        screen.once('error', reject);
        screen.once('exit', () => reject(new Error('Xvfb ended')));
        createInterface(screen.stdout).once('line', resolve);
      });
      const port = await freePort();
      const driver = spawn('WebKitWebDriver', [`--port=${port}`, '--host=127.0.0.1'], {
        env: { ...process.env, DISPLAY: `:${display}` },
        stdio: 'ignore',
      });
      processes.push(driver);
      const driverUrl = `http://127.0.0.1:${port}`;
      await until('WebKitWebDriver', () => send('GET', `${driverUrl}/status`));
      const { sessionId } = await send<{ sessionId: string }>('POST', `${driverUrl}/session`, { capabilities: {} });
      const webkit = new WebKit(processes, `${driverUrl}/session/${sessionId}`);
      await webkit.call('POST', '/window/rect', { width: 390, height: 844 });
      return webkit;
    } catch (error) {
      for (const child of processes) child.kill();
      throw error;
    }
  }

  async stop(): Promise<void> {
    try {
      await this.call('DELETE', '');
    } finally {
      for (const child of this.processes.reverse()) child.kill();
    }
  }

  async goto(url: string): Promise<void> {
    await this.call('POST', '/url', { url });
  }

  /** The address of the current window's page. */
  url(): Promise<string> {
    return this.call('GET', '/url');
  }

  /** Windows and tabs: WebKitGTK's window decides which it is. */
  windows(): Promise<string[]> {
    return this.call('GET', '/window/handles');
  }

  async switchTo(handle: string): Promise<void> {
    await this.call('POST', '/window', { handle });
  }

  evaluate<T>(expression: string): Promise<T> {
    return this.call('POST', '/execute/sync', { script: `return ${expression}`, args: [] });
  }

  /** Clicks something as soon as it is there. */
  async click(selector: string): Promise<void> {
    await this.call('POST', `/element/${await this.find(selector)}/click`, {});
  }

  async enter(selector: string, text: string): Promise<void> {
    await this.call('POST', `/element/${await this.find(selector)}/value`, { text });
  }

  private async find(selector: string): Promise<string> {
    const element = await until(selector, () =>
      this.call<Record<string, string>>('POST', '/element', { using: 'css selector', value: selector }),
    );
    return element[ELEMENT] ?? '';
  }

  private call<T>(method: string, path: string, body?: unknown): Promise<T> {
    return send(method, this.session + path, body);
  }
}

async function send<T>(method: string, url: string, body?: unknown): Promise<T> {
  const response = await fetch(url, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
  const { value } = (await response.json()) as { value: T & { error?: string; message?: string } };
  if (!response.ok) throw new Error(`${method} ${url}: ${value.error}: ${value.message}`);
  return value;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
