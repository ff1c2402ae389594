import { describe, expect, it } from 'vitest';
import { findRelease } from '../../src/lib/releases.ts';
import type { MigrationKind } from '../../src/workflow/switcher.ts';
import { END_STEPS, type Ending, type EndStep, type EndVerb, type EndZone, endZoneOf, planEnding } from '../../src/workflow/end/steps.ts';
import { fingerprint } from '../helpers/fingerprint.ts';
import { createPartial, partialCluster, partialLine, twoByTwo } from '../helpers/partial.ts';
import { reshardingCluster, reshardLine } from '../helpers/reshard.ts';
import { shardedCluster } from '../helpers/sharded.ts';
import { forkCluster, forked, type TestCluster } from '../helpers/shell.ts';
import { tenantCluster, tenantLine } from '../helpers/tenants.ts';

/*
 * A complete or a cancel that fails anywhere says what is left, and where it can be repeated the second run comes to what an
 * undisturbed one comes to. On `hardened` that is everywhere.
 */
interface Subject {
  kind: MigrationKind;
  line(rest: string): string;
  /** A target shard whose streams are deleted before those of another. */
  first: string | undefined;
  /** Copied, with reads switched where a cancel may find them so; or switched. */
  at(verb: EndVerb, version: string): Promise<TestCluster>;
}

const moveLine = (rest: string): string => `MoveTables --workflow c2c --target-keyspace customer ${rest}`;
const wholeLine = (rest: string): string => `MoveTables --workflow all --target-keyspace customer2 ${rest}`;

const SUBJECTS: Readonly<Record<string, Subject>> = {
  'tables to two shards': {
    kind: 'tables',
    line: moveLine,
    first: 'customer/-80',
    at: async (verb, version) => {
      const cluster = await shardedCluster({ version });
      if (verb === 'complete') await cluster.ok(moveLine('switchtraffic'));
      else if (findRelease(version).behaviours.cancelAfterReads) await cluster.ok(moveLine('switchtraffic --tablet-types replica'));
      return cluster;
    },
  },
  // Once the streams of one shard are gone, the other looks like a partial move.
  'tables from two shards to two': {
    kind: 'tables',
    line: wholeLine,
    first: 'customer2/-80',
    at: async (verb, version) => {
      const cluster = await twoByTwo(version);
      await cluster.ok(wholeLine('create --source-keyspace customer --all-tables'));
      await cluster.ok(wholeLine('status'));
      if (verb === 'complete') await cluster.ok(wholeLine('switchtraffic'));
      return cluster;
    },
  },
  'the first shard of a move': {
    kind: 'partial',
    line: (rest) => partialLine('p80d', rest),
    first: undefined,
    at: async (verb, version) => {
      const cluster = await partialCluster(version);
      if (verb === 'complete') await cluster.ok(partialLine('p80d', 'switchtraffic'));
      return cluster;
    },
  },
  'the last shard of a move': {
    kind: 'partial',
    line: (rest) => partialLine('pd80', rest),
    first: undefined,
    at: async (verb, version) => {
      const cluster = await partialCluster(version);
      await cluster.ok(partialLine('p80d', 'switchtraffic'));
      await cluster.ok(partialLine('p80d', 'complete'));
      await cluster.ok(createPartial('pd80'));
      await cluster.ok(partialLine('pd80', 'status'));
      if (verb === 'complete') await cluster.ok(partialLine('pd80', 'switchtraffic'));
      return cluster;
    },
  },
  'a tenant': {
    kind: 'multi-tenant',
    line: (rest) => tenantLine(1, rest),
    first: 'mt/-80',
    at: async (verb, version) => {
      const cluster = await tenantCluster(version, 'sharded');
      if (verb === 'complete') await cluster.ok(tenantLine(1, 'switchtraffic'));
      return cluster;
    },
  },
  'a Reshard': {
    kind: 'shards',
    line: reshardLine,
    first: 'customer/-80',
    at: async (verb, version) => {
      const cluster = await reshardingCluster('1 to 2', { rows: 6, version });
      if (verb === 'complete') await cluster.ok(reshardLine('switchtraffic'));
      return cluster;
    },
  },
};

interface Place {
  fault: string;
  zone: EndZone;
}

function places(subject: Subject, verb: EndVerb, version: string): Place[] {
  const { behaviours } = findRelease(version);
  const ending: Ending = { verb, kind: subject.kind, keepData: false, keepRoutingRules: false, ignoreSource: false };
  return planEnding(ending, behaviours).flatMap(({ name, occurrence }) => {
    const zone = (edge: 'before' | 'after'): EndZone => endZoneOf(behaviours, ending, { name, occurrence, edge })!;
    const both = (['before', 'after'] as const).map((edge) => ({ fault: `${name}:${edge}`, zone: zone(edge) }));
    const { perTarget, side }: EndStep = END_STEPS[name];
    // In the middle of a step: one shard is done, the other is not.
    const middle: Place[] = perTarget === true && side === 'target' && subject.first !== undefined ? [{ fault: `${name}:after@${subject.first}`, zone: 'run again' }] : [];
    return [...both, ...middle];
  });
}

async function start(name: string, verb: EndVerb, version: string): Promise<TestCluster> {
  return forkCluster(await forked(`${name} ${verb} ${version}`, () => SUBJECTS[name]!.at(verb, version)));
}

describe.each(Object.entries(SUBJECTS))('%s', (name, subject) => {
  describe.each(['complete', 'cancel'] as const)('%s on hardened', (verb) => {
    it.each(places(subject, verb, 'hardened'))('that fails at $fault: $zone', async ({ fault, zone }) => {
      const undisturbed = await start(name, verb, 'hardened');
      const before = fingerprint(undisturbed.host);
      await undisturbed.ok(subject.line(verb));
      const end = fingerprint(undisturbed.host);
      const cluster = await start(name, verb, 'hardened');
      const failed = await cluster.run(subject.line(`${verb} --fault '${fault}=return'`));
      expect(failed.exit, failed.stderr).toBe(1);
      expect(failed.stderr).not.toContain('never fired');
      if (zone === 'nothing changed') expect(fingerprint(cluster.host)).toEqual(before);
      else expect(failed.stderr).toContain('state: what was done before the failure stays done');
      if (zone !== 'done') await cluster.ok(subject.line(verb));
      expect(fingerprint(cluster.host)).toEqual(end);
      expect((await cluster.run(subject.line(verb))).stderr).toContain('no streams found');
    });

    it('that dies in the middle is finished by the next run', async () => {
      const undisturbed = await start(name, verb, 'hardened');
      await undisturbed.ok(subject.line(verb));
      const cluster = await start(name, verb, 'hardened');
      await cluster.run(subject.line(`${verb} --fault '${verb}/rebuildSrvVSchema=panic'`));
      await cluster.ok(subject.line(verb));
      expect(fingerprint(cluster.host)).toEqual(fingerprint(undisturbed.host));
    });
  });
});

describe.each(['18.0.8', '21.0.6', '22.0.4', '24.0.4'])('tables to two shards on %s', (version) => {
  const name = 'tables to two shards';
  const subject = SUBJECTS[name]!;
  const all = (['complete', 'cancel'] as const).flatMap((verb) => places(subject, verb, version).filter(({ fault }) => !fault.includes('@')).map((place) => ({ verb, ...place })));

  it.each(all)('$fault: $zone', async ({ verb, fault, zone }) => {
    const cluster = await start(name, verb, version);
    const before = fingerprint(cluster.host);
    const failed = await cluster.run(subject.line(`${verb} --fault '${fault}=return'`));
    expect(failed.exit).toBe(1);
    if (zone === 'nothing changed') expect(fingerprint(cluster.host)).toEqual(before);
    const again = await cluster.run(subject.line(verb));
    expect(again.exit === 0).toBe(zone === 'nothing changed' || zone === 'run again');
    if (zone === 'half done') expect(failed.stderr).toContain('it cannot be run again');
    if (zone === 'run again') expect(failed.stderr).toContain('run it again, which does the rest');
  });
});
