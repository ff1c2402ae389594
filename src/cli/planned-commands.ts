import { findRelease, type Release } from '../lib/releases.ts';
import { background } from '../runtime/context.ts';
import { readCluster } from '../topo/cluster-record.ts';
import { lookAtCluster } from './look.ts';
import type { Invocation } from './spec.ts';
import { unknownName } from './unknown-name.ts';

/** The commands whose steps are a list that can be shown. */
const COMMANDS = ['switchtraffic', 'reversetraffic', 'rollback'] as const;

export type PlannedCommand = (typeof COMMANDS)[number];

export const TITLES: Readonly<Record<PlannedCommand, string>> = {
  switchtraffic: 'MoveTables switchtraffic',
  reversetraffic: 'MoveTables reversetraffic',
  rollback: 'the roll-back of a switch',
};

/** What else is worth knowing of a command. */
export const NOTES: Readonly<Record<PlannedCommand, string | undefined>> = {
  switchtraffic: undefined,
  reversetraffic: 'it runs the reverse workflow forward: the same steps, with source and target changing places',
  rollback: undefined,
};

/** `SwitchTraffic`, `switch-traffic`, `movetables switchtraffic` are all one. Throws UserError for another name. */
export function plannedCommand(list: string, typed: string): PlannedCommand {
  const wanted = typed.toLowerCase().replace(/^movetables\s+/, '').replace(/[-_\s]/g, '');
  const found = COMMANDS.find((command) => command === wanted);
  if (found !== undefined) return found;
  throw unknownName(list, typed, COMMANDS, `there are lists for ${COMMANDS.join(', ')}`);
}

/** The version asked for, else the cluster's, else `hardened`. */
export async function releaseAsked(inv: Invocation): Promise<Release> {
  const asked = inv.flags.str('vitess-version') || (inv.io.env['SWITCHTRAFFIC_VITESS_VERSION'] ?? '');
  if (asked !== '') return findRelease(asked);
  const recorded = await lookAtCluster(inv, async ({ conn }) => (await readCluster(background(), conn))?.vitess_version);
  return findRelease(recorded ?? 'hardened');
}
