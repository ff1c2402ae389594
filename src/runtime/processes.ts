import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';

/**
 * Who holds a lock, precisely enough to prove its death: a process id alone is reused, and containers
 * share them. Dead is proved only on the same host, boot and pid namespace.
 */
export interface ProcessIdentity {
  host: string;
  boot: string;
  pidNamespace: string;
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

/** Field 22 of /proc/PID/stat; the command name before it may hold spaces and brackets. */
function startOf(pid: number): string | undefined {
  const stat = readOr(`/proc/${pid}/stat`, '');
  return stat === '' ? undefined : stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return 'none';
  }
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
  const start = startOf(process.pid);
  const self: ProcessIdentity = {
    host: hostname(),
    boot: readOr('/proc/sys/kernel/random/boot_id', 'none'),
    pidNamespace: pidNamespace(),
    pid: process.pid,
    start: start ?? 'none',
    user: userName(),
  };
  return {
    self,
    liveness: (other) => {
      if (other.host !== self.host) return 'unknown';
      if (other.boot !== self.boot) return 'dead';
      if (other.pidNamespace !== self.pidNamespace) return 'unknown';
      if (!pidExists(other.pid)) return 'dead';
      const started = startOf(other.pid);
      if (started === undefined) return 'unknown';
      return started === other.start ? 'alive' : 'dead';
    },
    die: () => {
      process.kill(process.pid, 'SIGKILL');
      return new Promise<never>(() => {});
    },
    ended: () => {},
  };
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
    this.self = { host: 'virtual', boot: 'virtual', pidNamespace: 'virtual', pid, start: '0', user: 'vitess' };
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
