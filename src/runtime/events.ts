import type { Clock } from './clock.ts';

/** What happened in a world, in order. The command line renders them; `show history` keeps them. */
export type WorldEvent = { at: number } & EventBody;

export type EventBody =
  /** A line that vtctld or a tablet would have logged, in its wording. */
  | { kind: 'log'; level: 'info' | 'warning' | 'error'; text: string }
  /** A step of a switch began, ended or failed. */
  | { kind: 'step'; step: string; state: 'begin' | 'done' | 'failed'; targets: readonly string[]; text?: string }
  /** A fault was injected. */
  | { kind: 'fault'; point: string; action: string }
  /** A fault has something to say: `print`, and where a `pause` waits. */
  | { kind: 'print'; point: string; text: string }
  /** A command waits at a `pause`, and can be let go on from here on. */
  | { kind: 'paused'; point: string }
  /** Writes of these tables were refused from here on, or served again. */
  | { kind: 'writes'; state: 'refused' | 'served'; keyspace: string; tables: readonly string[] }
  /** What clients felt of a switch, for people. */
  | { kind: 'outage'; text: string }
  /** A warning for the person at the keyboard. */
  | { kind: 'warning'; text: string };

/** Collects events and hands them on. */
export class Events {
  readonly #clock: Clock;
  readonly #listeners = new Set<(event: WorldEvent) => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  emit(body: EventBody): void {
    const event = { at: this.#clock.now(), ...body } as WorldEvent;
    for (const listener of this.#listeners) listener(event);
  }

  /** Listens until the returned function is called. */
  listen(fn: (event: WorldEvent) => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  log(level: 'info' | 'warning' | 'error', text: string): void {
    this.emit({ kind: 'log', level, text });
  }
}
