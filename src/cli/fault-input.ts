import { readFileSync } from 'node:fs';
import { UserError } from '../lib/errors.ts';
import { inputPath } from './input-path.ts';
import type { Invocation } from './spec.ts';

/** Faults as somebody wrote them, and where. */
export interface FaultText {
  text: string;
  /** `FILE:LINE: ` for one from a file, else ''. */
  where: string;
}

/**
 * The faults of a command line: `--fault`, then `--faults-file`, then SWITCHTRAFFIC_FAILPOINTS. They are not parsed here.
 * Throws UserError for a file that cannot be read, and for an empty `--fault`.
 */
export function faultTexts(inv: Invocation): FaultText[] {
  const flags = inv.flags.strings('fault');
  if (flags.includes('')) throw new UserError('bad fault "": it is empty', { next: 'switchtraffic fault list', exit: 2 });
  const fromEnvironment = inv.io.env['SWITCHTRAFFIC_FAILPOINTS'] ?? '';
  return [
    ...flags.map((text) => ({ text, where: '' })),
    ...(inv.flags.given('faults-file') ? readFaults(inv, inv.flags.str('faults-file')) : []),
    ...(fromEnvironment === '' ? [] : [{ text: fromEnvironment, where: '' }]),
  ];
}

/** One `point=terms` per line; a line that begins with `#` is a comment. */
function readFaults(inv: Invocation, path: string): FaultText[] {
  const lines = readText(inv, path).split(/\r?\n/);
  return lines.flatMap((line, index) => {
    const text = line.trim();
    return text === '' || text.startsWith('#') ? [] : [{ text, where: `${path}:${index + 1}: ` }];
  });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
};

function readText(inv: Invocation, path: string): string {
  if (path === '') throw new UserError('--faults-file needs the name of a file', { exit: 2 });
  const full = inputPath(inv.io, path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(full));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const why = code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'it is not UTF-8' : (REASONS[code] ?? code);
    throw new UserError(`cannot read the faults file ${path}: ${why}`, { exit: 2, cause: error });
  }
}

/** Runs `body` for each, and says where a text stood that it refuses. */
export function forEachFault(texts: readonly FaultText[], body: (fault: FaultText) => void): void {
  for (const fault of texts) {
    try {
      body(fault);
    } catch (error) {
      if (!(error instanceof UserError) || fault.where === '') throw error;
      const next = error.next === undefined ? {} : { next: error.next };
      throw new UserError(`${fault.where}${error.message}`, { exit: error.exit, ...next, cause: error });
    }
  }
}
