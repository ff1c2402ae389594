import type { WorldEvent } from '../runtime/events.ts';

/** How long writes of tables were refused, from what the switches reported. */
export class Outages {
  readonly #since = new Map<string, number>();
  #longestMs = 0;

  add(events: readonly WorldEvent[]): void {
    for (const event of events) {
      if (event.kind !== 'writes') continue;
      for (const table of event.tables) this.#turn(table, event.state, event.at);
    }
  }

  #turn(table: string, state: 'refused' | 'served', at: number): void {
    const since = this.#since.get(table);
    if (state === 'refused') {
      if (since === undefined) this.#since.set(table, at);
      return;
    }
    if (since !== undefined) this.#longestMs = Math.max(this.#longestMs, at - since);
    this.#since.delete(table);
  }

  /** The longest outage so far, in milliseconds, one that lasts still included. */
  longestMs(now: number): number {
    return Math.max(this.#longestMs, ...[...this.#since.values()].map((since) => now - since));
  }
}
