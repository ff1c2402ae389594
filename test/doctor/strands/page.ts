import { PROBLEMS } from '../../../src/lib/problems.ts';
import { LEFT_OUT, STRANDS } from './index.ts';
import type { Strand } from './types.ts';

/** docs/stranded-states.md: what is shown to be found and put right, and what is not built. */
export function strandsPage(): string {
  return [
    '# Stranded states',
    '',
    'Every weak place of the switch that was found by reading its source (K1 to K55), on the releases that have it. For each of them a test lets',
    'the thing happen by its own cause, sees in the records that it did, asks `switchtraffic doctor`, and runs the lines that it prints, as',
    'printed and nothing else, until it is healthy; no line may make anything worse on its way. Then every table takes a write and shows every',
    'row of before. Where there are two ways, each is gone in a cluster of its own. What a code means: [codes](codes.md).',
    '',
    'Written by `npx vitest run --mode all test/doctor/strands.test.ts -u` from the table in `test/doctor/strands/`.',
    '',
    '| id | what happens | releases | found as |',
    '|---|---|---|---|',
    ...STRANDS.toSorted((a, b) => numberOf(a) - numberOf(b)).map((strand) => `| ${strand.id} | ${strand.about} | ${strand.releases.join(', ')} | ${foundAs(strand)} |`),
    '',
    '## Left out',
    '',
    '| id | what it is | why it is no row |',
    '|---|---|---|',
    ...LEFT_OUT.map(({ id, what, why }) => `| ${id} | ${what} | ${why} |`),
    '',
  ].join('\n');
}

/** Those of the catalogue first, in its order. */
function numberOf({ id }: Strand): number {
  return Number(/^K(\d+)/.exec(id)?.[1] ?? Infinity);
}

function foundAs({ finds, ways, gone }: Strand): string {
  const codes = finds.map((kind) => PROBLEMS[kind].code).toSorted().join(', ');
  return `${codes}${ways === 2 ? '; two ways' : ''}${gone === true ? '; nothing brings the rows back' : ''}`;
}
