import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from '../lib/errors.ts';

/** A file system of which two machines, or a machine and its guests, may have different views. */
interface Shared {
  name: string;
  /** Refused: locks on it are known not to hold. Else they hold only as long as one kernel alone works with the files. */
  refused: boolean;
}

/** By the number that Linux gives each in `statfs(2)`. */
const SHARED: ReadonlyMap<number, Shared> = new Map([
  [0x6969, { name: 'NFS', refused: true }],
  [0x517b, { name: 'SMB', refused: true }],
  [0xff534d42, { name: 'CIFS', refused: true }],
  [0xfe534d42, { name: 'SMB', refused: true }],
  [0x5346414f, { name: 'AFS', refused: true }],
  [0x6b414653, { name: 'AFS', refused: true }],
  [0x73757245, { name: 'Coda', refused: true }],
  [0x00c36400, { name: 'Ceph', refused: true }],
  [0x0bd00bd0, { name: 'Lustre', refused: true }],
  [0x01021997, { name: '9p', refused: false }],
  [0x786f4256, { name: 'a shared folder of VirtualBox', refused: false }],
]);

/** What the system says of the place of a file; undefined where it says nothing. */
function typeOf(path: string): number | undefined {
  // Numbers of this kind mean something else on other systems.
  if (process.platform !== 'linux') return undefined;
  try {
    return statfsSync(dirname(path)).type;
  } catch {
    return undefined;
  }
}

/**
 * Throws UserError for a file on a network: SQLite's log is read through memory that all who use it share, and that machines do
 * not, so they would each see another state and damage the file. Gives a warning for what is a network only for some.
 */
export function checkFileSystem(path: string, look = typeOf): string | undefined {
  const type = look(path);
  const shared = type === undefined ? undefined : SHARED.get(type >>> 0);
  if (shared === undefined) return undefined;
  const where = `${dirname(path)} is on ${shared.name}`;
  if (!shared.refused) return `${where}: the state is safe there only as long as no other machine or guest uses it`;
  throw new UserError(`${where}, a network file system: the locks of a state file do not hold there, and it would be damaged`, {
    next: 'choose a folder on a local disk with --state',
  });
}
