import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { renderGithub, renderStepSummary } from '../../../src/report/scenario/github.ts';
import { renderJson, runDocument } from '../../../src/report/scenario/json.ts';
import { renderJunit } from '../../../src/report/scenario/junit.ts';
import { exitOf, type NotRun, problemsOf, problemText, titleOf } from '../../../src/report/scenario/result.ts';
import { renderTap } from '../../../src/report/scenario/tap.ts';
import { visible, visibleLine } from '../../../src/report/visible.ts';
import { elements, readXml } from '../../helpers/read-xml.ts';
import { anyRun, failed, problem, runOf, scenario, step } from './some-run.ts';

const broken: NotRun = { file: 'b.swt.yaml', name: 'b', label: '', reason: 'error', problem: 'b.swt.yaml: died', next: undefined, exit: 70 };
const stopped: NotRun = { ...broken, name: 'c', reason: 'stopped', problem: 'the run was stopped', exit: 130 };
const vacuous = scenario({ name: 'v', status: 'vacuous', steps: [step([problem({ subject: 'vacuous' })])] });
const mixed = runOf([scenario(), failed({ label: 'vitess=21.0.2' }), vacuous], [broken, stopped]);

describe('JUnit', () => {
  it('has a suite for each file and a case for each scenario', () => {
    const root = readXml(renderJunit(mixed));
    expect(root.attributes).toEqual({ name: 'switchtraffic', tests: '5', failures: '2', errors: '1', skipped: '1', time: '2.000' });
    expect(elements(root, 'testsuite').map(({ attributes }) => [attributes['name'], attributes['tests'], attributes['time']])).toEqual([
      ['a.swt.yaml', '3', '3.704'],
      ['b.swt.yaml', '2', '0.000'],
    ]);
    expect(elements(root, 'testcase').map(({ attributes, children }) => [attributes['name'], children[0]?.name, children[0]?.attributes['type']])).toEqual([
      ['catch-up', undefined, undefined],
      ['catch-up [vitess=21.0.2]', 'failure', 'exit'],
      ['v', 'failure', 'vacuous'],
      ['b', 'error', 'error'],
      ['c', 'skipped', undefined],
    ]);
    const [failure] = elements(root, 'failure');
    expect(failure!.attributes['message']).toBe('a.swt.yaml:7:5: exit: is 1, not 0');
    expect(failure!.text).toContain('$ switchtraffic GetKeyspaces\n');
    expect(failure!.text).toContain('reproduce: switchtraffic run a.swt.yaml --seed 1');
  });

  it('is well-formed whatever the texts are, and says them', () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        const cases = elements(readXml(renderJunit(run)), 'testcase');
        const names = [...run.results, ...run.notRun].map((one) => visible(titleOf(one)));
        expect(cases.map(({ attributes }) => attributes['name']).toSorted()).toEqual(names.toSorted());
      }),
      { numRuns: 60 },
    );
  });
});

/** The test points of a TAP stream, each with its YAML block. */
function readTap(text: string): { ok: boolean; title: string; skip: boolean; block: Record<string, unknown> | undefined }[] {
  const [version, plan, ...lines] = text.split('\n');
  expect(version).toBe('TAP version 14');
  const points: ReturnType<typeof readTap> = [];
  for (let at = 0; at < lines.length - 1; at++) {
    const match = /^(not )?ok (\d+) - ((?:\\[\s\S]|[^\\#])*)( # SKIP .*|#?)$/.exec(lines[at]!);
    if (match === null) throw new Error(`not TAP: ${JSON.stringify(lines[at])}`);
    expect(Number(match[2])).toBe(points.length + 1);
    let block: Record<string, unknown> | undefined;
    if (lines[at + 1] === '  ---') {
      const end = lines.indexOf('  ...', at);
      block = parse(lines.slice(at + 2, end).map((line) => line.slice(2)).join('\n')) as Record<string, unknown>;
      at = end;
    }
    points.push({ ok: match[1] === undefined, title: match[3]!.replace(/\\(.)/g, '$1'), skip: match[4] !== '', block });
  }
  expect(plan).toBe(`1..${points.length}`);
  return points;
}

describe('TAP', () => {
  it('has a point for each scenario, and what was wrong below it', () => {
    const points = readTap(renderTap(mixed));
    expect(points.map(({ ok, skip, title, block }) => [ok, skip, title, block?.['severity']])).toEqual([
      [true, false, 'catch-up', undefined],
      [false, false, 'catch-up [vitess=21.0.2]', 'fail'],
      [false, false, 'v', 'vacuous'],
      [false, false, 'b', 'error'],
      [true, true, 'c', undefined],
    ]);
    expect(points[1]!.block).toMatchObject({ message: 'exit: is 1, not 0', at: { file: 'a.swt.yaml', line: 7, column: 5 }, reproduce: 'switchtraffic run a.swt.yaml --seed 1' });
  });

  it('parses back whatever the texts are', () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        const points = readTap(renderTap(run));
        expect(points.map(({ ok }) => ok)).toEqual([...run.results.map(({ status }) => status === 'passed'), ...run.notRun.map(({ reason }) => reason === 'stopped')]);
        for (const [index, result] of run.results.entries()) {
          expect(points[index]!.title.trimEnd()).toBe(visibleLine(titleOf(result)).trim());
          const told = (points[index]!.block?.['problems'] ?? []) as { subject: string; text: string }[];
          if (result.status === 'passed') continue;
          expect(told.map(({ subject }) => subject)).toEqual(problemsOf(result).map(({ subject }) => subject));
          expect(told.map(({ text }) => text.replace(/\n$/, ''))).toEqual(problemsOf(result).map(({ lines }) => lines.join('\n').replace(/\n$/, '')));
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('GitHub', () => {
  it('has an annotation for each that did not pass, in the escapes of the runner', () => {
    const run = runOf([scenario(), failed({ name: 'a,b:c', steps: [step([problem({ lines: ['100%', 'x'] })])] })], [broken]);
    expect(renderGithub(run, (file) => `sub/${file}`)).toBe(
      '::error file=sub/a.swt.yaml,line=7,col=5,title=a%2Cb%3Ac failed::exit: 100%25%0Ax%0Areproduce: switchtraffic run a.swt.yaml --seed 1\n' +
        '::error file=sub/b.swt.yaml,line=1,col=1,title=b could not be run::b.swt.yaml: died\n',
    );
  });

  it.each([
    [10, 10, ''],
    [11, 10, '2 more scenarios did not pass'],
    [50, 10, '41 more scenarios did not pass'],
  ])('of %i failures shows %i annotations', (count, shown, last) => {
    const lines = renderGithub(runOf(Array.from({ length: count }, () => failed()))).trimEnd().split('\n');
    expect(lines).toHaveLength(shown);
    expect(lines.at(-1)).toContain(last);
  });

  it('parses back whatever the texts are', () => {
    const unescape = (text: string): string => text.replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
    fc.assert(
      fc.property(anyRun, (run) => {
        const text = renderGithub(run);
        const bad = run.results.filter(({ status }) => status !== 'passed');
        const lines = text.split('\n').slice(0, -1);
        expect(lines).toHaveLength(bad.length + run.notRun.filter(({ reason }) => reason === 'error').length);
        for (const [index, result] of bad.entries()) {
          const match = /^::error file=([^,:]*),line=\d+,col=\d+,title=([^,:]*)::(.*)$/.exec(lines[index]!);
          expect(match, lines[index]).not.toBeNull();
          const [, file, title, message] = match!;
          expect(unescape(title!).startsWith(visibleLine(titleOf(result)))).toBe(true);
          expect(unescape(file!)).toBe(visible(problemsOf(result)[0]?.place.file ?? result.file));
          for (const one of problemsOf(result)) expect(unescape(message!)).toContain(visible(problemText(one)));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('has a page with what did not pass first, on which no text is markup', () => {
    const page = renderStepSummary(runOf([scenario({ name: 'good' }), failed({ name: '<b>|x|`' })], [broken]));
    expect(page).toContain('1 of 3 scenarios passed');
    expect(page).toContain('| ❌ | &lt;b>\\|x\\|\\` | hardened | `a.swt.yaml:7` exit\\: is 1, not 0 |');
    expect(page.indexOf('| ❌')).toBeLessThan(page.indexOf('| ✅ | good'));
  });

  it('has a page of less than a megabyte, however much failed', () => {
    const long = problem({ lines: ['|'.repeat(5000)] });
    expect(renderStepSummary(runOf(Array.from({ length: 3000 }, () => failed({ steps: [step([long])] })))).length).toBeLessThan(500_000);
  });
});

describe('JSON', () => {
  it('has a version, a summary and every key, null where there is nothing', () => {
    const document = JSON.parse(renderJson(mixed)) as ReturnType<typeof runDocument>;
    expect(document).toEqual(runDocument(mixed));
    expect(document.version).toBe(1);
    expect(document.summary).toEqual({ scenarios: 3, passed: 1, failed: 1, vacuous: 1, notRun: 2, durationMs: 2000, exit: 70 });
    expect(document.scenarios[1]!.title).toBe('catch-up [vitess=21.0.2]');
    expect(JSON.parse(renderJson(runOf([failed({ steps: [step([], { line: undefined, exit: undefined })] })])))).toMatchObject({ scenarios: [{ steps: [{ line: null, exit: null }] }] });
  });
});

describe('the exit status', () => {
  it.each([
    [runOf([scenario()]), 0],
    [runOf([scenario(), failed()]), 1],
    [runOf([scenario(), vacuous]), 4],
    [runOf([failed(), vacuous]), 1],
    [runOf([]), 4],
    [runOf([failed()], [{ ...broken, exit: 2 }]), 2],
    [mixed, 70],
    [runOf([scenario()], [stopped]), 0],
  ])('%#: is %i', (run, exit) => {
    expect(exitOf(run)).toBe(exit);
  });
});
