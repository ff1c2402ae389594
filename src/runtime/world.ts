import { type Clock, realClock, VirtualClock } from './clock.ts';
import { Events } from './events.ts';
import { Failpoints } from './failpoints.ts';
import { Pauses } from './pauses.ts';
import { type Processes, realProcesses, VirtualProcesses } from './processes.ts';
import { type Random, seededRandom } from './random.ts';

/** Everything a command takes from outside: time, chance, the process it runs in, faults, a place to report to. */
export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly processes: Processes;
  readonly events: Events;
  readonly faults: Failpoints;
}

/** A world on the machine's own clock and process table. The seed is the only chance in it. */
export function realWorld(seed: number): World {
  const clock = realClock();
  return {
    clock,
    random: seededRandom(seed),
    processes: realProcesses(),
    events: new Events(clock),
    // Whoever has a terminal can send a signal.
    faults: new Failpoints(seed, new Pauses(true)),
  };
}

/** Where virtual time starts: 27 March 2026 12:00 UTC, the day of the Vitess that the sheets describe. */
export const VIRTUAL_START = Date.UTC(2026, 2, 27, 12);

/** A family of virtual worlds that share a clock and a process table, as several commands on one machine do. */
export class VirtualMachine {
  readonly clock: VirtualClock;
  /** Where its commands wait at a `pause`. Set `expected` when somebody is there to release them. */
  readonly pauses = new Pauses(false);
  readonly #dead = new Set<number>();
  #nextPid = 1000;
  readonly #seed: number;

  constructor(seed = 1, start = VIRTUAL_START) {
    this.#seed = seed;
    this.clock = new VirtualClock(start);
  }

  /** A machine like this one is now, which goes its own way. */
  fork(): VirtualMachine {
    const other = new VirtualMachine(this.#seed, this.clock.now());
    for (const pid of this.#dead) other.#dead.add(pid);
    other.#nextPid = this.#nextPid;
    return other;
  }

  /** Remembers time and processes; the function goes back to there. */
  mark(): () => void {
    const [time, dead, nextPid] = [this.clock.mark(), [...this.#dead], this.#nextPid];
    return () => {
      time();
      this.#dead.clear();
      for (const pid of dead) this.#dead.add(pid);
      this.#nextPid = nextPid;
    };
  }

  /** A process of this machine. `onDeath` is called if it dies by a `panic`. */
  world(onDeath?: () => void): World {
    const pid = this.#nextPid++;
    const seed = this.#seed * 7919 + pid;
    return {
      clock: this.clock,
      random: seededRandom(seed),
      processes: new VirtualProcesses(pid, this.#dead, onDeath),
      events: new Events(this.clock),
      faults: new Failpoints(seed, this.pauses),
    };
  }
}
