import { describe, expect, it } from 'vitest';
import type { Io, OutStream } from '../../../src/cli/io.ts';
import type { Invocation } from '../../../src/cli/spec.ts';
import { VDiffBar } from '../../../src/cli/vdiff-progress.ts';
import type { VDiffAdvance } from '../../../src/workflow/vdiff/run.ts';
import { movingCluster } from '../../helpers/shell.ts';
import { UUID, VDIFF } from '../../helpers/vdiff.ts';

/** What the commands print. */
describe('VDiff', () => {
  it('takes the names of vtctldclient', async () => {
    const cluster = await movingCluster();
    for (const line of ['vdiff -w c2c --target-keyspace customer Create', `vdiff -w c2c Show LAST --target_keyspace=customer`, `VDiff -w c2c --target-keyspace customer Delete ALL`]) await cluster.ok(line);
    expect(await cluster.ok(`${VDIFF} create {${UUID.toUpperCase()}}`)).toContain(`VDiff ${UUID} scheduled`);
    expect(await cluster.ok(`${VDIFF} show ${UUID.replaceAll('-', '')}`)).toContain(`(${UUID})`);
  });

  it('answers in JSON', async () => {
    const cluster = await movingCluster();
    expect(await cluster.ok(`${VDIFF} create ${UUID} --format json`)).toBe(`{\n  "UUID": "${UUID}"\n}\n`);
    expect(await cluster.ok(`${VDIFF} resume ${UUID} --format json`)).toBe('{\n  "Action": "resume",\n  "Status": "scheduled"\n}\n');
    expect(await cluster.ok(`${VDIFF} stop ${UUID} --format JSON`)).toBe('{\n  "Action": "stop",\n  "Status": "completed"\n}\n');
    expect(await cluster.ok(`${VDIFF} delete ${UUID} --format json`)).toBe('{\n  "Action": "delete",\n  "Status": "completed"\n}\n');
    expect(await cluster.ok(`${VDIFF} show all --format json`)).toBe('[]\n');
  });

  it('lists the newest first, and says which there are', async () => {
    const cluster = await movingCluster();
    const other = UUID.replace('c', 'd');
    for (const uuid of [UUID, other]) await cluster.ok(`${VDIFF} create ${uuid}`);
    expect((await cluster.ok(`${VDIFF} show all`)).match(/[0-9a-f]{8}-[0-9a-f-]{27}/g)).toEqual([other, UUID]);
    const { stderr } = await cluster.run(`${VDIFF} show ${UUID.replace('c', 'e')}`);
    expect(stderr.split('\n')[1]).toBe(`next: VDiffs of customer.c2c: ${other}, ${UUID}`);
    await cluster.ok(`${VDIFF} delete all`);
    expect(await cluster.ok(`${VDIFF} show all`)).toBe('No vdiffs found for customer.c2c\n');
    expect(await cluster.ok(`${VDIFF} delete all`)).toBe('VDiff delete completed\n');
  });

  it('on a release takes a stop of what is not there, with a warning', async () => {
    const cluster = await movingCluster('24.0.0-SNAPSHOT');
    const { exit, stdout, stderr } = await cluster.run(`${VDIFF} stop ${UUID}`);
    expect([exit, stdout, stderr]).toEqual([0, 'VDiff stop completed\n', `warning: workflow customer.c2c has no VDiff ${UUID}: nothing is stopped\n`]);
    const panicked = await cluster.run(`${VDIFF} create --wait --wait-update-interval 0s`);
    expect([panicked.exit, panicked.stderr.split('\n')]).toEqual([1, expect.arrayContaining(['panic: non-positive interval for NewTicker'])]);
  });
});

describe('the bar', () => {
  const at = (compared: number, more: Partial<VDiffAdvance> = {}): VDiffAdvance => ({ shard: '0', table: 'corder', compared, rows: 1000, place: 0, shards: 1, ...more });

  function bar(stderr: Partial<OutStream>, options: { json?: boolean; quiet?: boolean } = {}): { show: (ms: number, advance: VDiffAdvance) => void; clear: () => void; text: () => string } {
    let text = '';
    let now = 0;
    const out: OutStream = { write: (more) => void (text += more), isTTY: true, columns: 120, raw: process.stderr, ...stderr };
    const io: Io = { stdout: out, stderr: out, env: {}, cwd: '/', now: () => now };
    const inv = { io, flags: { bool: () => options.quiet === true } } as unknown as Invocation;
    const drawn = new VDiffBar(inv, { json: options.json === true });
    return {
      show: (ms, advance) => {
        now = ms;
        drawn.show(advance);
      },
      clear: () => drawn.clear(),
      text: () => text,
    };
  }

  it('tells how far it is, and goes without a trace', () => {
    const drawn = bar({});
    drawn.show(100, at(100));
    expect(drawn.text()).toBe('');
    drawn.show(1000, at(500));
    drawn.show(1010, at(510));
    expect(drawn.text()).toBe('[############............] 50% shard 0, table corder: 500 rows, 1s left');
    drawn.show(2000, at(1234, { rows: 2468, place: 1, shards: 2, shard: '80-' }));
    expect(drawn.text()).toContain('\r\u001b[2K[##################......] 75% shard 80- (2 of 2), table corder: 1,234 rows, 1s left');
    drawn.clear();
    drawn.clear();
    expect(drawn.text().endsWith('left\r\u001b[2K')).toBe(true);
  });

  it('fits into the line', () => {
    const drawn = bar({ columns: 20 });
    drawn.show(1000, at(500));
    expect(drawn.text()).toBe('[############......');
  });

  it.each<[string, Partial<OutStream>, { json?: boolean; quiet?: boolean }]>([
    ['no terminal', { isTTY: false }, {}],
    ['a terminal without a width', { columns: 0 }, {}],
    ['JSON', {}, { json: true }],
    ['--quiet', {}, { quiet: true }],
  ])('is not drawn: %s', (_, stderr, options) => {
    const drawn = bar(stderr, options);
    drawn.show(1000, at(500));
    expect(drawn.text()).toBe('');
  });
});
