import { vi } from 'vitest';

/** A window that was opened, as its opener sees it. */
export class FakePopup {
  closed = false;
  /** Where it was sent; null before. */
  sentTo: string | null = null;
  name = '';
  /** What reading its address gives; throws where that is another origin's. */
  address = () => 'about:blank';
  readonly location = {
    replace: (url: URL | 'about:blank') => {
      if (url instanceof URL) this.sentTo = url.href;
      else this.address = () => url;
    },
    page: this,
    get href() {
      return this.page.address();
    },
  };

  close() {
    this.closed = true;
  }

  /** The hosted page comes, of another origin. */
  arrive() {
    this.address = () => {
      throw new DOMException('Blocked a frame', 'SecurityError');
    };
  }
}

/** A form that the page makes and sends. */
class FakeForm {
  method = 'get';
  action = '';
  target = '';

  constructor(private readonly browser: FakeBrowser) {}

  submit() {
    const { method, action, target } = this;
    this.browser.forms.push({ method, action, target });
  }

  remove() {}
}

/** What the platform is going to answer: a status, or an HTTP answer, or nothing usable. */
export type Reply = Record<string, unknown> | Response | Error | 'never';

/** Just enough of a browser: a page, its storage, windows, the network. */
export class FakeBrowser {
  readonly window = new EventTarget();
  readonly document = Object.assign(new EventTarget(), {
    createElement: () => new FakeForm(this),
    body: { append: () => {} },
  });
  /** The forms that were sent. */
  readonly forms: Pick<FakeForm, 'method' | 'action' | 'target'>[] = [];
  readonly popups: FakePopup[] = [];
  readonly storage = new Map<string, string>();
  readonly requests: { url: string; init: RequestInit }[] = [];
  readonly console = vi.fn();
  /** Some blockers give a window that is closed already. */
  blocksPopups: boolean | 'with a closed window' = false;
  hasSmallScreen = false;
  isFramed = false;
  features = '';
  leftFor: string | null = null;
  reply: Reply = pending();
  /** What addresses other than that of the status are answered with. */
  readonly replies: Record<string, Reply> = {};
  /** How long a reply is on its way, in milliseconds. */
  latency = 0;
  /** Whether the platform holds a pending status back as `Prefer: wait` asks. */
  longPolls = false;
  /** Whether a page of another origin may send `Prefer`. */
  allowsPrefer = true;

  constructor() {
    const page = Object.assign(this.window, {
      screenX: 100,
      screenY: 50,
      outerWidth: 1500,
      outerHeight: 900,
      open: (_url: string, _target: string, features: string) => {
        if (this.blocksPopups === true) return null;
        this.features = features;
        this.popups.push(new FakePopup());
        this.popup.closed = this.blocksPopups !== false;
        return this.popup;
      },
    });
    Object.defineProperty(page, 'top', { get: () => (this.isFramed ? null : page) });
    vi.stubGlobal('window', page);
    vi.stubGlobal('document', this.document);
    vi.stubGlobal('matchMedia', () => ({ matches: this.hasSmallScreen }));
    vi.stubGlobal('location', { assign: (url: URL) => (this.leftFor = url.href) });
    vi.stubGlobal('sessionStorage', {
      getItem: (key: string) => this.storage.get(key) ?? null,
      setItem: (key: string, value: string) => this.storage.set(key, value),
      removeItem: (key: string) => this.storage.delete(key),
    });
    vi.stubGlobal('fetch', (url: string | URL, init: RequestInit) => this.fetch(String(url), init));
    vi.spyOn(console, 'error').mockImplementation(this.console);
  }

  get popup(): FakePopup {
    const popup = this.popups.at(-1);
    if (!popup) throw new Error('no window was opened');
    return popup;
  }

  private async fetch(url: string, init: RequestInit): Promise<Response> {
    this.requests.push({ url, init });
    const reply = this.replies[new URL(url).pathname.split('/').at(-1) ?? ''] ?? this.reply;
    if (!this.allowsPrefer && new Headers(init.headers).has('prefer')) throw new TypeError('Failed to fetch');
    const wait =
      this.longPolls && reply === this.reply && new Headers(init.headers).get('prefer')?.match(/^wait=(\d+)$/)?.[1];
    if (wait) return this.longPoll(Number(wait) * 1000, url, init);
    if (reply === 'never' || this.latency > 0) {
      await new Promise<void>((resolve, reject) => {
        const timer = reply === 'never' ? undefined : setTimeout(resolve, this.latency);
        init.signal?.addEventListener('abort', () => {
          clearTimeout(timer);
          reject(new DOMException('Aborted', 'AbortError'));
        });
      });
    }
    if (reply instanceof Error) throw reply;
    return reply instanceof Response ? reply.clone() : Response.json({ data: reply });
  }

  /** Answers when there is another status, phase or error, or when the time is over. */
  private async longPoll(ms: number, url: string, { signal }: RequestInit): Promise<Response> {
    const end = Date.now() + ms;
    const known = new URL(url).searchParams.get('revision');
    const isKnown = () => known === (this.reply as Record<string, unknown>).revision;
    while (isKnown() && (this.reply as Record<string, unknown>).status === 'pending' && Date.now() < end) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(resolve, 100);
        signal?.addEventListener('abort', () => {
          clearTimeout(timer);
          reject(signal.reason);
        });
      });
    }
    return Response.json({ data: this.reply }, { headers: { 'preference-applied': `wait=${ms / 1000}` } });
  }

  /** Sends a message to the page. */
  message(data: unknown, { source = this.popup as unknown, origin = 'https://connect.example' } = {}) {
    this.window.dispatchEvent(Object.assign(new Event('message'), { data, source, origin }));
  }
}

export function pending({ phase = 'form', ...more }: Record<string, unknown> = {}) {
  const revision = `${phase}.${(more.last_error as { code: string } | undefined)?.code}`;
  return {
    connection_id: 'conn_1',
    status: 'pending',
    phase,
    operation: 'creation',
    expires_in: 600,
    revision,
    ...more,
  };
}

export function status(status: string, more: Record<string, unknown> = {}) {
  return pending({ status, ...more });
}

/** What `onSuccess` is told where the platform tells no more than the operation. */
export const details = (operation: 'creation' | 'reauth') => ({ operation, appId: null, account: null });

export const request = {
  requestLink: 'https://connect.example/platform/v1/connect/secret',
  requestToken: 'rt_1',
  connectionId: 'conn_1',
};

/** As the platform makes it where the link has a `return_url`. */
export const returning = { ...request, requestLink: `${request.requestLink}?has_return_url=true` };
