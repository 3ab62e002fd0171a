// A list: one page when it is awaited, all pages when it is iterated over.
import { here, type Place } from './failure.js';

/** What a list needs of the client that made it. */
interface Source<P, T> {
  /** Asks for the one page that was asked for. */
  page(): Promise<P>;
  /** Begins to go through all pages, from that one on: each call asks for the next, and gives `null` after the last. */
  pages(): (place: Place) => Promise<P | null>;
  /** What a page holds. */
  items(page: P): T[];
}

/**
 * `await` gives one page, as the guide does; `for await` gives every item of every page. Nothing is sent before
 * either of them begins, and awaiting again gives the same page.
 */
export class List<P, T> implements Promise<P>, AsyncIterable<T> {
  readonly #source: Source<P, T>;
  #page: Promise<P> | undefined;

  constructor(source: Source<P, T>) {
    this.#source = source;
  }

  get [Symbol.toStringTag](): string {
    return 'List';
  }

  then<A = P, B = never>(
    onPage?: ((page: P) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#page ??= this.#source.page();
    return this.#page.then(onPage, onError);
  }

  catch<B = never>(onError?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<P | B> {
    return this.then(undefined, onError);
  }

  finally(onEnd?: (() => void) | null): Promise<P> {
    return this.then().finally(onEnd);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    const next = this.#source.pages();
    for (;;) {
      const page = await next(here());
      if (page === null) return;
      yield* this.#source.items(page);
    }
  }
}
