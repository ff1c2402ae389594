import { driveCase } from './drive.ts';
import { readCases } from './read-cases.ts';

/** The cases that the project keeps. */
export const OWN = 'test/conformance/cases.yaml';

/**
 * Runs the cases of a file that an adapter can drive, one line each, and counts them on the last line. Resolves to the exit
 * status: 0, 1 if a case failed, 2 for a file that cannot be read.
 */
export async function conformance(path: string, print: (line: string) => void): Promise<number> {
  let cases: ReturnType<typeof readCases>;
  try {
    cases = readCases(path);
  } catch (error) {
    print(error instanceof Error ? error.message : String(error));
    return 2;
  }
  const count = { ok: 0, fail: 0, skip: 0 };
  for (const one of cases) {
    const verdict = await driveCase(one);
    count[verdict.kind]++;
    if (verdict.kind === 'ok') print(`ok ${one.id}`);
    else if (verdict.kind === 'fail') print(`FAIL ${one.id}: ${oneLine(verdict.why)}`);
    else print(`skip ${one.id}: ${oneLine(verdict.why)}`);
  }
  print(`${count.ok} passed, ${count.fail} failed, ${count.skip} skipped`);
  return count.fail === 0 ? 0 : 1;
}

const oneLine = (text: string): string => text.replaceAll('\n', '\\n');
