import type { TestCluster } from '../../helpers/shell.ts';

/** A problem as `doctor` printed it. */
export interface Printed {
  code: string;
  /** Codes of what was found of the same cause. */
  also: string[];
  /** Command lines of each way, as printed, with the program's name. */
  ways: string[][];
}

/** What `doctor` said. */
export interface Said {
  exit: number;
  problems: Printed[];
  text: string;
}

/** Asks `doctor`, as a person does. */
export async function consult(cluster: TestCluster): Promise<Said> {
  const { exit, stdout, stderr } = await cluster.run('doctor');
  return { exit, problems: readPrinted(stdout), text: `${stdout}${stderr}` };
}

/** Reads the problems and the commands of their repairs out of what `doctor` prints; what takes a repair back is none. */
export function readPrinted(text: string): Printed[] {
  const problems: Printed[] = [];
  let way: string[] | undefined;
  let label = '';
  for (const line of text.split('\n')) {
    const head = /^ [x!-] (SWT\d{4}) /.exec(line);
    if (head !== null) problems.push({ code: head[1]!, also: [], ways: [] });
    const problem = problems.at(-1);
    if (problem === undefined) continue;
    const labelled = /^ {4}(\S.{0,8}\S) {2,}/.exec(line);
    if (head !== null) way = undefined;
    if (labelled !== null) {
      label = labelled[1]!;
      way = /^(Repair|Way \d+)$/.test(label) ? [] : undefined;
      if (way !== undefined) problem.ways.push(way);
    }
    if (label === 'Also') problem.also.push(...(/^\s+(?:Also\s+)?(SWT\d{4}) /.exec(line)?.slice(1) ?? []));
    const command = /^ {6}((?:vtctldclient|switchtraffic) .*)$/.exec(line);
    if (command !== null) way?.push(command[1]!);
  }
  return problems;
}

/** The words of a command line as bash takes them, without the program's name. */
export function shellWords(line: string): string[] {
  const found: string[] = [];
  let word = '';
  let open = false;
  for (const [part, single, double, escaped, blank] of line.matchAll(/'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|(\s+)|[^\s'"\\]+/gs)) {
    if (blank !== undefined) {
      if (open) found.push(word);
      word = '';
      open = false;
      continue;
    }
    open = true;
    word += single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? part;
  }
  if (open) found.push(word);
  return found.slice(1);
}
