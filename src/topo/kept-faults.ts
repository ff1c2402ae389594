import { background } from '../runtime/context.ts';
import type { KeptFault } from '../runtime/failpoints.ts';
import type { PauseDesk } from '../runtime/pauses.ts';
import type { Liveness, ProcessIdentity, Processes } from '../runtime/processes.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Conn, Writer } from './conn/conn.ts';
import { paths } from './paths.ts';

/** A fault that is kept for a cluster (`fault set`), and what all its processes together have counted of it. */
export interface FaultRecord {
  /** Its place, in the one spelling. */
  name: string;
  /** `POINT=TERMS`, in the one spelling. */
  text: string;
  evaluated: number;
  fired: number;
  /** How often each term fired. */
  taken: number[];
}

interface FaultsRecord {
  faults: FaultRecord[];
}

/** A command that waits at a `pause`, seen from outside. */
export interface PauseRecord {
  /** The key of its record. */
  id: string;
  point: string;
  since: number;
  owner: ProcessIdentity;
}

/** The faults that are kept for a cluster, in the order in which they were set. One look; nearly always there are none. */
export async function readFaults(conn: Conn): Promise<FaultRecord[]> {
  const node = await conn.find(background(), paths.faults);
  return node === undefined ? [] : (JSON.parse(node.contents) as FaultsRecord).faults;
}

/** Changes them, in one transaction; `change` may be called again. Without any the record goes too. */
export async function changeFaults(conn: Conn, change: (faults: FaultRecord[]) => FaultRecord[] | undefined): Promise<void> {
  await conn.atomically(background(), {}, (writer) => changed(writer, change));
}

function changed(writer: Writer, change: (faults: FaultRecord[]) => FaultRecord[] | undefined): void {
  const node = writer.get('global', paths.faults);
  const faults = change(node === undefined ? [] : (JSON.parse(node.contents) as FaultsRecord).faults);
  if (faults === undefined) return;
  if (faults.length === 0) writer.remove('global', paths.faults);
  else writer.put('global', paths.faults, JSON.stringify({ faults } satisfies FaultsRecord));
}

/** How a process counts one of them, together with all others. One that was cleared or set anew takes nothing more. */
export function keptFault(conn: Conn, { name, text }: FaultRecord): KeptFault {
  const edit = async (body: (fault: FaultRecord) => boolean): Promise<void> =>
    changeFaults(conn, (faults) => {
      const fault = faults.find((one) => one.name === name && one.text === text);
      return fault !== undefined && body(fault) ? faults : undefined;
    });
  return {
    take: async (term, limit, { idle, reached }) => {
      let took = false;
      await edit((fault) => {
        const before = fault.taken[term] ?? 0;
        took = limit === undefined || before < limit;
        fault.evaluated += reached;
        if (took) {
          for (let index = 0; index <= term; index++) fault.taken[index] ??= 0;
          fault.taken[term] = before + 1;
          if (!idle) fault.fired++;
        }
        return took || reached > 0;
      });
      return took;
    },
    tell: (reached) =>
      edit((fault) => {
        fault.evaluated += reached;
        return true;
      }),
  };
}

/** Where the commands of a process are seen to wait by others. */
export function pauseDesk(conn: Conn, { clock, processes }: { clock: Clock; processes: Processes }): PauseDesk {
  let count = 0;
  return {
    wait: async (point) => {
      const { self } = processes;
      const path = paths.pause(`${self.pid}-${self.start}-${++count}`);
      await conn.update(background(), path, JSON.stringify({ point, since: clock.now(), owner: self }), null);
      return {
        released: () => !conn.has(path),
        end: async () => conn.atomically(background(), {}, (writer) => writer.remove('global', path)),
      };
    },
  };
}

/** Who waits at a `pause`, as far as it is not proved dead. */
export async function readPauses(conn: Conn, liveness: (owner: ProcessIdentity) => Liveness): Promise<PauseRecord[]> {
  const entries = await conn.entries(background(), paths.pauses);
  const found: PauseRecord[] = [];
  for (const { name } of entries) {
    const node = await conn.find(background(), paths.pause(name));
    if (node !== undefined) found.push({ id: name, ...(JSON.parse(node.contents) as Omit<PauseRecord, 'id'>) });
  }
  return found.filter(({ owner }) => liveness(owner) !== 'dead').toSorted((a, b) => a.since - b.since);
}

/** Lets those go on whose place is accepted, and forgets those of dead processes. Resolves to who was let go. */
export async function releasePauses(conn: Conn, liveness: (owner: ProcessIdentity) => Liveness, accepts: (point: string) => boolean): Promise<PauseRecord[]> {
  const released = (await readPauses(conn, liveness)).filter(({ point }) => accepts(point));
  await conn.atomically(background(), {}, (writer) => {
    for (const { id } of released) writer.remove('global', paths.pause(id));
    for (const { path, contents } of writer.list('global', `${paths.pauses}/`)) {
      if (liveness((JSON.parse(contents) as PauseRecord).owner) === 'dead') writer.remove('global', path);
    }
  });
  return released;
}
