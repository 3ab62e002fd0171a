// The feed of events.
import { here, type Place } from './failure.js';
import type { Event } from './generated/models.js';

/** One request's part of the feed. */
export interface EventPage {
  events: Event[];
  next_cursor: string;
}

/**
 * `for await` gives event after event. Nothing is sent before, and where one loop was left or failed, the next goes on: no
 * event is given twice.
 */
export class EventFeed implements AsyncIterable<Event> {
  readonly #next: (place: Place) => Promise<EventPage | null>;
  #rest: Event[] = [];
  /** Where the feed goes on after the rest. */
  #end: string | null;
  #cursor: string | null;

  constructor(next: (place: Place) => Promise<EventPage | null>, after: string | null) {
    this.#next = next;
    this.#end = this.#cursor = after;
  }

  /** After which event the feed goes on, for `after`; `null` before the first. It also moves where a filter leaves events out. */
  get cursor(): string | null {
    return this.#cursor;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Event, void, undefined> {
    for (;;) {
      for (let event; (event = this.#rest.shift()); ) {
        this.#cursor = event.cursor;
        yield event;
      }
      this.#cursor = this.#end;
      const page = await this.#next(here());
      if (page === null) return;
      this.#rest.push(...page.events);
      this.#end = page.next_cursor;
    }
  }
}
