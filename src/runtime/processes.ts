import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';

/**
 * Who holds a lock, precisely enough to prove its death: a process id alone is reused, and containers
 * share them. What proves it: `livenessOf`.
 */
export interface ProcessIdentity {
  host: string;
  /** Drawn anew by the kernel at each boot; `none` where it has none to give. */
  boot: string;
  pidNamespace: string;
  /** Whoever has another one reads other figures from the clock that counts since the boot. Absent in old records. */
  timeNamespace?: string;
  pid: number;
  /** Start of the process in the kernel's own units; tells two users of one pid apart. */
  start: string;
  user: string;
}

export type Liveness = 'alive' | 'dead' | 'unknown';

/** The world's process table. */
export interface Processes {
  readonly self: ProcessIdentity;
  liveness(identity: ProcessIdentity): Liveness;
  /** Dies as by SIGKILL: no clean-up of any kind runs. The promise never settles. */
  die(): Promise<never>;
  /** The command is over. A real process ends by itself; a virtual one has to be told. */
  ended(): void;
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return otherwise;
  }
}

/** Fields 3 and 22 of /proc/PID/stat; the command name before them may hold spaces and brackets. */
function statOf(pid: number): { state: string; start: string } | undefined {
  const stat = readOr(`/proc/${pid}/stat`, '');
  if (stat === '') return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', start: fields[19] ?? NONE };
}

/** Where a machine has nothing to tell boots, namespaces or users of a pid apart by. */
const NONE = 'none';

function namespaceOf(kind: 'pid' | 'time'): string {
  try {
    return readlinkSync(`/proc/self/ns/${kind}`);
  } catch {
    return NONE;
  }
}

/** What the kernel says of a pid: nothing; that there is a process, and no more; or since when, and whether it has ended. */
export type PidLook = undefined | 'exists' | { start: string; ended: boolean };

/**
 * Whether `other` lives, as `self` can tell. Dead is proved by the kernel that both run on: on the same host, boot and pid namespace
 * there is no such pid, or it is a process that has ended and that its parent has not asked after, or one that was started at another
 * time. Or the same host has been started anew since. All else is unknown, and then only a lease can end.
 */
export function livenessOf(self: ProcessIdentity, other: ProcessIdentity, look: (pid: number) => PidLook): Liveness {
  if (other.host !== self.host) return 'unknown';
  if (isOfEarlierBoot(self, other)) return 'dead';
  if (other.boot !== self.boot) return 'unknown';
  if (other.pidNamespace !== self.pidNamespace) return 'unknown';
  const found = look(other.pid);
  if (found === undefined) return 'dead';
  if (found === 'exists' || other.start === NONE) return 'unknown';
  // The kernel gives the start in the time of whoever asks.
  if (!haveSameClock(self, other)) return 'unknown';
  return found.start === other.start && !found.ended ? 'alive' : 'dead';
}

/** True if both read the same figures from the clock that counts since the boot. */
export function haveSameClock(self: ProcessIdentity, other: ProcessIdentity): boolean {
  if (self.boot !== other.boot) return false;
  if (self.boot === NONE && self.host !== other.host) return false;
  return (other.timeNamespace ?? self.timeNamespace) === self.timeNamespace;
}

/** True if `other` ran on this host before it was started anew. */
export function isOfEarlierBoot(self: ProcessIdentity, other: ProcessIdentity): boolean {
  return self.host === other.host && self.boot !== other.boot && self.boot !== NONE && other.boot !== NONE;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
}

/** The machine's process table. Without /proc, a pid that exists counts as unknown rather than alive. */
export function realProcesses(): Processes {
  const self: ProcessIdentity = {
    host: hostname(),
    boot: readOr('/proc/sys/kernel/random/boot_id', NONE),
    pidNamespace: namespaceOf('pid'),
    timeNamespace: namespaceOf('time'),
    pid: process.pid,
    start: statOf(process.pid)?.start ?? NONE,
    user: userName(),
  };
  return {
    self,
    liveness: (other) => livenessOf(self, other, lookAtPid),
    die: () => {
      process.kill(process.pid, 'SIGKILL');
      return new Promise<never>(() => {});
    },
    ended: () => {},
  };
}

/** Without /proc, a pid that exists may be anybody's. */
function lookAtPid(pid: number): PidLook {
  if (!pidExists(pid)) return undefined;
  const stat = statOf(pid);
  if (stat === undefined) return 'exists';
  return { start: stat.start, ended: stat.state === 'Z' || stat.state === 'X' };
}

function pidExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The process table of a virtual world: processes are numbers, and die when told to. */
export class VirtualProcesses implements Processes {
  readonly self: ProcessIdentity;
  readonly #dead: Set<number>;
  readonly #onDeath: ((pid: number) => void) | undefined;

  constructor(pid: number, dead: Set<number>, onDeath?: (pid: number) => void) {
    this.self = { host: 'virtual', boot: 'virtual', pidNamespace: 'virtual', timeNamespace: 'virtual', pid, start: '0', user: 'vitess' };
    this.#dead = dead;
    this.#onDeath = onDeath;
  }

  liveness(identity: ProcessIdentity): Liveness {
    if (identity.host !== 'virtual') return 'unknown';
    return this.#dead.has(identity.pid) ? 'dead' : 'alive';
  }

  ended(): void {
    this.#dead.add(this.self.pid);
  }

  die(): Promise<never> {
    this.#dead.add(this.self.pid);
    this.#onDeath?.(this.self.pid);
    return new Promise<never>(() => {});
  }
}
