import { describe, expect, it } from 'vitest';
import { findRelease } from '../../src/lib/releases.ts';
import { END_STEPS, type Ending, type EndStep, type EndVerb, type EndZone, endZoneOf, planEnding } from '../../src/workflow/end/steps.ts';
import { END_SUBJECTS as SUBJECTS, type EndSubject, endStart as start } from '../helpers/end-subjects.ts';
import { fingerprint } from '../helpers/fingerprint.ts';
import { sample } from '../helpers/sample.ts';

/*
 * A complete or a cancel that fails anywhere says what is left, and where it can be repeated the second run comes to what an
 * undisturbed one comes to. On `hardened` that is everywhere. `npm test` has every third place, `npm run test:all` each.
 */
interface Place {
  fault: string;
  zone: EndZone;
}

function places(subject: EndSubject, verb: EndVerb, version: string): Place[] {
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

describe.each(Object.entries(SUBJECTS))('%s', (name, subject) => {
  describe.each(['complete', 'cancel'] as const)('%s on hardened', (verb) => {
    it.each(sample(places(subject, verb, 'hardened'), 5))('that fails at $fault: $zone', async ({ fault, zone }) => {
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

  it.each(sample(all, 5))('$fault: $zone', async ({ verb, fault, zone }) => {
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
