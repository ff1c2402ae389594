import { describe, expect, it } from 'vitest';
import { PRIVILEGES, privilegeProblem, missingPrivileges } from '../../../src/tablet/privileges.ts';
import { movingCluster, switchLine } from '../../helpers/shell.ts';

describe('tablet privileges', () => {
  it('takes rights away and gives them back; the switch on hardened says which one is missing and changes nothing', async () => {
    const cluster = await movingCluster();
    expect(await cluster.ok('tablet privileges zone1-101 --allow select,insert,update')).toBe(
      'The MySQL user of zone1-0000000101 (shard commerce/0) may do all but DELETE of what managing workflows takes\n',
    );
    const failed = await cluster.run(switchLine());
    expect(failed.exit).toBe(1);
    expect(failed.stderr.split('\n')[0]).toBe(
      'primary tablets are not able to fully manage the reverse vreplication workflow in the commerce keyspace: ' +
        'failed to validate required vreplication metadata permissions: user vt_filtered does not have DELETE permission on _vt.vreplication table on tablet ' +
        "zone1-0000000100: DELETE command denied to user 'vt_filtered'@'localhost' for table 'vreplication' (errno 1142) (sqlstate 42000)",
    );
    const dry = await cluster.run(switchLine('--dry-run'));
    expect([dry.exit, dry.stderr.split('\n')[0]]).toEqual([1, failed.stderr.split('\n')[0]]);
    expect(failed.stderr).toContain('rolled back; everything is as it was before the command');
    expect(await cluster.ok('tablet privileges zone1-100')).toContain('may do everything');
    await cluster.ok(switchLine());
  });

  it('without the reverse workflow nobody asks before the switch', async () => {
    const cluster = await movingCluster('22');
    await cluster.ok("tablet privileges zone1-100 --on '_v%'");
    await cluster.ok(switchLine('--enable-reverse-replication=false'));
  });

  it.each([
    ['*', true, true],
    ['_vt', true, true],
    ['\\_vt', true, true],
    ['_vt.vreplication', true, true],
    ['_vt.*', true, true],
    ['_v%', false, true],
    ['%', false, true],
    ['vt_customer', false, false],
    ['_vt.copy_state', false, false],
    ['_v', false, false],
    ['.*', false, false],
  ])('a grant on %s counts for a look at grants: %s; with patterns, and in truth: %s', (on, exact, really) => {
    const grants = { on, allow: [...PRIVILEGES] };
    expect(privilegeProblem(grants, 'exact', 'a') === undefined).toBe(exact);
    expect(privilegeProblem(grants, 'wildcards', 'a') === undefined).toBe(really);
    expect(privilegeProblem(grants, 'tried', 'a') === undefined).toBe(really);
    expect(missingPrivileges(grants)).toEqual(really ? [] : [...PRIVILEGES]);
  });
});
