import { describe, expect, it } from 'vitest';
import { findRelease } from '../../src/lib/releases.ts';
import type { Edge } from '../../src/runtime/edges.ts';
import { FULL_PATH, type SwitchPath } from '../../src/workflow/switch/path.ts';
import { planRollback, planSteps } from '../../src/workflow/switch/plan.ts';
import { rollbackZoneOf, type Zone, zoneOf } from '../../src/workflow/switch/zones.ts';
import { feltState } from '../helpers/felt.ts';
import { movingCluster, switchLine } from '../helpers/shell.ts';

/*
 * `fault list` says what a failure comes to without running anything. Here it is run: where a stretch of places with the
 * same zone begins, where every second one ends, and at the steps of the roll-back.
 */
const VERSIONS = ['hardened', '21.0.2', '22.0.4', '24.0.0-SNAPSHOT'];

interface Place {
  fault: string;
  zone: Zone | undefined;
}

/** Every place of a switch in the order in which it is come by. */
function places(version: string, path: SwitchPath): Place[] {
  const { behaviours } = findRelease(version);
  return planSteps(path, behaviours).flatMap(({ name, occurrence }) =>
    (['before', 'after'] as Edge[]).map((edge) => ({
      fault: `${name}:${edge}#${occurrence}=return`,
      zone: zoneOf(behaviours, path, { step: name, occurrence, edge }),
    })),
  );
}

/** The first of each stretch, and the last of every second one. */
function ends(all: readonly Place[]): Place[] {
  const starts = all.flatMap(({ zone }, index) => (index === 0 || all[index - 1]!.zone !== zone ? [index] : []));
  const chosen = starts.flatMap((start, index) => {
    const end = (starts[index + 1] ?? all.length) - 1;
    return index % 2 === 0 ? [start] : [start, end];
  });
  return [...new Set(chosen)].map((index) => all[index]!);
}

/** The zone that a run shows: its state, and what the command says where states are alike. */
async function shownZone(version: string, faults: readonly string[], types: string): Promise<Zone | undefined> {
  const cluster = await movingCluster(version);
  const flags = faults.map((fault) => `--fault '${fault}'`).join(' ');
  const { exit, stderr } = await cluster.run(switchLine(`--tablet-types ${types} ${flags}`));
  expect(stderr).not.toContain('never fired');
  const felt = feltState(cluster);
  if (felt.journaled || (exit === 0 && felt.reads === 'switched')) return 'past the point of no return';
  expect(exit, stderr).toBe(1);
  const said = (text: string): boolean => stderr.includes(`state: ${text}`);
  if (said('the roll-back was interrupted, what is left of it is recorded')) return 'left to the next run';
  if (felt.sourceDenied || felt.streams === 'stopped' || felt.reverse) return 'strands';
  if (said('nothing was changed')) return 'nothing changed';
  if (said('what was done before the failure is left as it is')) return 'left as is';
  if (said('past the point of no return')) return 'past the point of no return';
  return said('rolled back') || said('the roll-back') ? 'rolls back' : undefined;
}

describe.each(VERSIONS)('a failure on %s', (version) => {
  it.each(ends(places(version, FULL_PATH)))('at $fault: $zone', async ({ fault, zone }) => {
    expect(await shownZone(version, [fault], 'primary,replica,rdonly')).toBe(zone);
  });

});

describe.each(['hardened', '22.0.4'])('a failure in the roll-back of %s', (version) => {
  const { behaviours } = findRelease(version);
  const last = planSteps(FULL_PATH, behaviours).findLast((step) => step.leadsTo === 'rolls back')!;
  const failing = planRollback('tables', behaviours).map((step, index) => {
    const edge: Edge = index % 2 === 0 ? 'before' : 'after';
    return { fault: `${step}:${edge}=return`, zone: rollbackZoneOf(behaviours, FULL_PATH, { step, edge }) };
  });
  it.each(failing)('at $fault: $zone', async ({ fault, zone }) => {
    expect(await shownZone(version, [`${last.name}:after#${last.occurrence}=return`, fault], 'primary,replica,rdonly')).toBe(zone);
  });
});

describe('a failure of a switch of reads alone on hardened', () => {
  const version = 'hardened';
  it.each(ends(places(version, { ...FULL_PATH, writes: false })))('at $fault: $zone', async ({ fault, zone }) => {
    expect(await shownZone(version, [fault], 'replica,rdonly')).toBe(zone);
  });
});

describe('zones', () => {
  it('of hardened never strand, wherever the failure', () => {
    for (const path of [FULL_PATH, { ...FULL_PATH, writes: false }, { ...FULL_PATH, reads: false }, { ...FULL_PATH, readsMirrored: true, writesMirrored: true }]) {
      expect(places('hardened', path).map((place) => place.zone)).not.toContain('strands');
    }
  });

  it('tell the release of vitessio/vitess#17620 from the one that cured it', () => {
    const at = (version: string): Zone | undefined =>
      zoneOf(findRelease(version).behaviours, FULL_PATH, { step: 'switchTraffic/writes/waitForCatchup', occurrence: 1, edge: 'before' });
    expect([at('21.0.2'), at('21.0.3')]).not.toEqual([at('21.0.2'), at('21.0.2')]);
  });
});
