import { findRelease, type Release } from '../lib/releases.ts';
import { background } from '../runtime/context.ts';
import { readCluster } from '../topo/cluster-record.ts';
import { commandOf, type MigrationKind } from '../workflow/switcher.ts';
import { lookAtCluster } from './look.ts';
import type { Invocation } from './spec.ts';
import { unknownName } from './unknown-name.ts';

/** The commands whose steps are a list that can be shown. */
const VERBS = ['create', 'switchtraffic', 'reversetraffic', 'rollback', 'complete', 'cancel'] as const;

type Verb = (typeof VERBS)[number];

/** A command whose steps can be shown, and what it moves. */
export interface PlannedCommand {
  verb: Verb;
  kind: MigrationKind;
  title: string;
  /** What else is worth knowing of it. */
  note: string | undefined;
}

const NOTES: Readonly<Record<Verb, string | undefined>> = {
  create: 'these are the steps that change anything; that of Materialize has those that Reshard has',
  switchtraffic: undefined,
  reversetraffic: 'it runs the reverse workflow forward: the same steps, with source and target changing places',
  rollback: undefined,
  complete: undefined,
  cancel: '`Workflow delete` is the same',
};

/** `SwitchTraffic`, `switch-traffic`, `movetables switchtraffic` are all one; `Reshard switchtraffic` is another. Throws UserError for another name. */
export function plannedCommand(list: string, typed: string): PlannedCommand {
  const [, type = 'movetables', name = ''] = /^(?:(movetables|reshard)\b\s*)?(.*)$/s.exec(typed.toLowerCase()) ?? [];
  const wanted = name.replace(/[-_\s]/g, '');
  const verb = VERBS.find((command) => command === wanted);
  if (verb === undefined) throw unknownName(list, typed, VERBS, `there are lists for ${VERBS.join(', ')}, each also after the word Reshard`);
  const kind = type === 'reshard' ? 'shards' : 'tables';
  const of = verb === 'rollback' ? (kind === 'shards' ? 'the roll-back of a Reshard' : 'the roll-back of a switch') : `${commandOf(kind)} ${verb}`;
  return { verb, kind, title: of, note: NOTES[verb] };
}

/** The version asked for, else the cluster's, else `hardened`. */
export async function releaseAsked(inv: Invocation): Promise<Release> {
  const asked = inv.flags.str('vitess-version') || (inv.io.env['SWITCHTRAFFIC_VITESS_VERSION'] ?? '');
  if (asked !== '') return findRelease(asked);
  const recorded = await lookAtCluster(inv, async ({ conn }) => (await readCluster(background(), conn))?.vitess_version);
  return findRelease(recorded ?? 'hardened');
}
