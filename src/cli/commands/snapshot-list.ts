import { errorText } from '../../lib/errors.ts';
import { Archive } from '../../store/snapshot/read.ts';
import { hostOf } from '../cluster.ts';
import { printFacts } from '../facts-output.ts';
import { KNOWN_SCHEMA } from '../snapshot/save.ts';
import type { Shelf } from '../snapshot/shelf.ts';
import { type ListedSnapshot, renderSnapshots } from '../../report/snapshot/list.ts';
import type { Invocation } from '../spec.ts';

/** Lists the snapshots that have a name. */
export async function run(inv: Invocation): Promise<number> {
  const shelf = await hostOf(inv).shelf();
  const snapshots: ListedSnapshot[] = [];
  for (const name of shelf.names()) snapshots.push(await look(shelf, name));
  snapshots.sort((a, b) => (a.savedAt ?? '').localeCompare(b.savedAt ?? ''));
  if (inv.flags.str('format') === 'json') printFacts(inv, { snapshots });
  else inv.io.stdout.write(renderSnapshots(snapshots).map((line) => `${line}\n`).join(''));
  return 0;
}

/** Only its header is read. One that is damaged is listed, with what is wrong with it. */
async function look(shelf: Shelf, name: string): Promise<ListedSnapshot> {
  const nothing = { name, savedAt: undefined, vitessVersion: undefined, bytes: undefined, reason: undefined };
  let bytes;
  try {
    bytes = shelf.read(name);
    if (bytes === undefined) return { ...nothing, problem: 'it has just gone' };
    const { header } = await Archive.open(name, bytes, KNOWN_SCHEMA);
    return { name, savedAt: header.saved_at, vitessVersion: header.vitess_version, bytes: bytes.size, reason: header.reason, problem: undefined };
  } catch (error) {
    return { ...nothing, bytes: bytes?.size, problem: errorText(error) };
  } finally {
    await bytes?.close();
  }
}
