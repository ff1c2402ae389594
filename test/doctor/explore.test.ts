import { it } from 'vitest';
import { findRelease, LANDMARKS } from '../../src/lib/releases.ts';
import { planSteps } from '../../src/workflow/switch/plan.ts';
import { FULL_PATH } from '../../src/workflow/switch/path.ts';
import { lineWords } from '../../src/scenario/words.ts';
import { makeShell } from '../../src/cli/shell.ts';
import { forkCluster, movingCluster, switchLine, forked, type TestCluster } from '../helpers/shell.ts';
import { fingerprint } from '../helpers/fingerprint.ts';
import { partialCluster, partialLine } from '../helpers/partial.ts';
import { tenantCluster, tenantLine } from '../helpers/tenants.ts';
import { reshardingCluster, reshardLine } from '../helpers/reshard.ts';
import { reshardingWithStreams } from '../helpers/other-streams.ts';
import { shardedCluster } from '../helpers/sharded.ts';
import * as S from '../helpers/subjects.ts';

const versions = (process.env['V'] ?? ['hardened', ...LANDMARKS].join(',')).split(',');
const faults = (process.env['F'] ?? 'return(INTERNAL),panic,ctx(cancel),lease(expire)').split(',');
const reversed = (key: string, make: (v: string) => Promise<TestCluster>, line: string) => (v: string) => forked(`rev ${key} ${v}`, async () => { const c = await make(v); await c.ok(line); return c; });
const movT = (v: string) => movingCluster(v);
const part = (v: string) => partialCluster(v);
const ten = (v: string) => tenantCluster(v, 'sharded');
const re = (v: string) => reshardingCluster('2 to 4', { rows: 6, version: v });
const reS = (v: string) => reshardingWithStreams('2 to 4', v);
const SUBJECTS: Record<string, { make: (v: string) => Promise<TestCluster>; line: (f: string) => string; kind: 'tables' | 'partial' | 'multi-tenant' | 'shards'; write: S.Subject['write'] }> = {
  tables: { make: movT, line: switchLine, kind: 'tables', write: S.TABLES.write },
  writes: { make: movT, line: (f) => switchLine(`--tablet-types primary ${f}`), kind: 'tables', write: S.TABLES.write },
  reversed: { make: reversed('tables', movT, switchLine()), line: (f) => switchLine(f).replace('switchtraffic', 'reversetraffic'), kind: 'tables', write: S.TABLES.write },
  sharded: { make: (v) => shardedCluster({ rows: 5, version: v } as never), line: switchLine, kind: 'tables', write: S.TABLES.write },
  partial: { make: part, line: (f) => partialLine('p80d', `switchtraffic ${f}`), kind: 'partial', write: S.PARTIAL.write },
  partialrev: { make: reversed('partial', part, partialLine('p80d', 'switchtraffic')), line: (f) => partialLine('p80d', `reversetraffic ${f}`), kind: 'partial', write: S.PARTIAL.write },
  tenant: { make: ten, line: (f) => tenantLine(1, `switchtraffic ${f}`), kind: 'multi-tenant', write: S.tenantSubject('sharded').write },
  reshard: { make: re, line: (f) => reshardLine(`switchtraffic ${f}`), kind: 'shards', write: S.reshardSubject('2 to 4').write },
  reshardrev: { make: reversed('reshard', re, reshardLine('switchtraffic')), line: (f) => reshardLine(`reversetraffic ${f}`), kind: 'shards', write: S.reshardSubject('2 to 4').write },
  streams: { make: reS, line: (f) => reshardLine(`switchtraffic ${f}`), kind: 'shards', write: S.reshardSubject('2 to 4').write },
};
const subjects = (process.env['S'] ?? Object.keys(SUBJECTS).join(',')).split(',');
const nth = Number(process.env['NTH'] ?? 1);
it.each(versions.flatMap((v) => subjects.map((s) => [v, s] as const)))('%s %s', async (version, name_) => {
  const { behaviours } = findRelease(version);
  const { make, line, kind, write } = SUBJECTS[name_]!;
  const steps = planSteps({ ...FULL_PATH, kind }, behaviours);
  const out: string[] = [];
  const hand: string[] = [];
  let n = 0;
  let m = 0;
  let cases = 0;
  let base: TestCluster;
  try { base = await make(version); } catch (error) { console.log(version, name_, 'cannot be made', String(error).slice(0, 200)); return; }
  for (const step of steps) for (const edge of ['before', 'after']) for (const fault of faults) {
    if (m++ % nth !== 0) continue;
    const cluster = forkCluster(base);
    const name = `${step.name}:${edge}#${step.occurrence}=${fault}`;
    const { exit, stderr } = await cluster.run(line(`--fault '${name}'`));
    if (exit === 2) { console.log(stderr); continue; }
    const byHand = forkCluster(cluster);
    const before = await cluster.run('doctor');
    const fixed = await cluster.run('doctor --fix');
    n++;
    let wrote = 'ok';
    const again = await cluster.run('doctor');
    const print = fingerprint(cluster.host);
    try { await write(cluster); } catch (error) { wrote = String(error).slice(0, 400); }
    const report = `=== ${name} switch ${exit} doctor ${before.exit} fix ${fixed.exit} write ${wrote} again ${again.exit}\n${before.stdout.split('\n').slice(0, 60).join('\n')}\n--fix\n${fixed.stdout}${fixed.stderr}`;
    if (fixed.exit !== 0 || wrote !== 'ok' || again.exit !== 0) out.push(report);
    if (before.exit === 0 || fault === 'panic' || before.stdout.includes('SWT0308')) continue;
    // By hand.
    cases++;
    const shell = makeShell(byHand.host);
    let text = '';
    for (let pass = 0; pass < 4; pass++) {
      const plan = await shell(['doctor', '--plan', '--format', 'json']);
      if (plan.exit === 0) break;
      const { problems } = JSON.parse(plan.stdout) as { problems: { repairs: { commands: string[] }[] }[] };
      for (const problem of problems) for (const command of problem.repairs[0]?.commands ?? []) {
        const r = await shell(lineWords(command));
        text += `$ ${command} -> ${r.exit} ${r.exit === 0 ? '' : r.stderr}\n`;
      }
    }
    const other = fingerprint(byHand.host);
    const a = JSON.stringify(print), b = JSON.stringify(other);
    if (a !== b) {
      const diff = [...new Set([...Object.keys(print), ...Object.keys(other)])].filter((k) => JSON.stringify(print[k]) !== JSON.stringify(other[k]));
      hand.push(`=== HAND ${name}\n${text}\n${diff.map((k) => `${k}\n  fix  ${JSON.stringify(print[k])}\n  hand ${JSON.stringify(other[k])}`).join('\n')}`);
    }
  }
  console.log(version, name_, n, 'runs', out.length, 'bad', cases, 'by hand', hand.length, 'differ');
  const most = Number(process.env['N'] ?? 1);
  if (out.length > 0) console.log(out.slice(0, most).join('\n'));
  for (const text of out) console.log(text.split('\n')[0]);
  if (hand.length > 0) console.log(hand.slice(0, most).join('\n'));
  for (const text of hand) console.log(text.split('\n')[0]);
}, 1200_000);
