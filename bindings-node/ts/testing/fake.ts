// A client that calls no service: what its methods give is up to the test.
import type { Call } from '../caller.js';
import type { EventPage } from '../feed.js';
import type { Event } from '../generated/models.js';
import { Caller, EventFeed, here, List, PabblyConnectPlatform } from '../internal.js';

/** The methods that call the service. */
export type Method = {
  [M in keyof PabblyConnectPlatform & string]: PabblyConnectPlatform[M] extends (...args: never[]) => Promise<unknown> | EventFeed ? M : never;
}[keyof PabblyConnectPlatform & string];

type Args<M extends Method> = Parameters<PabblyConnectPlatform[M]>;
type Result<M extends Method> = M extends 'events' ? Event[] : Awaited<ReturnType<PabblyConnectPlatform[M]>>;

/** What a method gives: a result (of a list, its one page; of `events`, all of them), an error, or a function of its arguments that gives or throws them. */
export type FakeResult<M extends Method> = Result<M> | Error | ((...args: Args<M>) => Result<M> | Promise<Result<M>>);

/** Results by the name of the method. */
export type FakeResults = { [M in Method]?: FakeResult<M> };

/** A call that was made; also one by a `Customer`, whose e-mail comes first. */
export type FakeCall = { [M in Method]: { method: M; arguments: Args<M> } }[Method];

/** A client whose results are given, and which tells how it was called. */
export type FakeClient = PabblyConnectPlatform & { readonly calls: readonly FakeCall[] };

/**
 * Makes a client that calls no service: `fakeClient({ getToken: Token.of({ access_token: 'test' }) })`.
 *
 * Arguments are checked as the real client checks them. A method without a result rejects with an error that names it.
 * Results are looked up with each call, so a test may change them.
 */
export function fakeClient(results: FakeResults = {}): FakeClient {
  const calls: FakeCall[] = [];
  return Object.assign(new PabblyConnectPlatform(new FakeCaller(results, calls)), { calls });
}

/** Records calls in the place of sending requests. */
class FakeCaller extends Caller {
  readonly #results: FakeResults;
  readonly #calls: FakeCall[];

  constructor(results: FakeResults, calls: FakeCall[]) {
    // The real caller's settings, of which only its checks are used.
    super({ apiKey: 'pk_test_fake', baseUrl: 'http://127.0.0.1' }, here());
    this.#results = results;
    this.#calls = calls;
  }

  override run<T>(call: Call<T>): Promise<T> {
    const isOfCustomer = 'email' in call;
    if (isOfCustomer) this.checkEmail(call.email, call.place);
    return this.#record(call, [
      ...(isOfCustomer ? [call.email] : []),
      ...(call.arguments ?? []),
      ...(call.known ? [call.query] : []),
      call.options,
    ]);
  }

  override proxy(call: Call<Response>): Promise<Response> {
    return this.run(call);
  }

  override list<P, T>(call: Call<P>, items: (page: P) => T[]): List<P, T> {
    if ('email' in call) this.checkEmail(call.email, call.place);
    const page = () => this.run(call);
    const pages = () => {
      const only = [page];
      return async () => (await only.pop()?.()) ?? null;
    };
    return new List({ page, pages, items });
  }

  override feed(call: Call<EventPage>): EventFeed {
    const only = [call as unknown as Call<Event[]>];
    return new EventFeed(async () => {
      const next = only.pop();
      if (!next) return null;
      const events = await this.run(next);
      return { events, next_cursor: events.at(-1)?.cursor ?? '' };
    }, null);
  }

  async #record<T>(call: Call<T>, args: unknown[]): Promise<T> {
    this.checkOptions(call);
    const method = call.method as Method;
    while (args.length > 0 && args.at(-1) === undefined) args.pop();
    this.#calls.push({ method, arguments: args } as FakeCall);
    if (!Object.hasOwn(this.#results, method)) {
      throw new Error(`the fake client has no result for ${method}: give it one, as in fakeClient({ ${method}: … })`);
    }
    const result = this.#results[method] as FakeResult<Method>;
    if (result instanceof Error) throw result;
    return (typeof result === 'function' ? await (result as (...args: unknown[]) => unknown)(...args) : result) as T;
  }
}
