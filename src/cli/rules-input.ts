import { readFileSync } from 'node:fs';
import { errorText, UserError } from '../lib/errors.ts';
import { fromProtojson } from '../topo/proto/decode.ts';
import type { MessageType } from '../topo/proto/schema.ts';
import type { RoutingRules } from '../topo/proto/types.ts';
import { clientSide } from './client-error.ts';
import { inputPath } from './input-path.ts';
import type { Invocation } from './spec.ts';

/** Rules from the command line. */
export interface ReadRules<T extends object = RoutingRules> {
  rules: T;
  /** Where fields stood that no rule has; they are left out, as Vitess does. */
  unknownFields: string[];
}

const ONE_OF = 'must pass exactly one of --rules or --rules-file';

/**
 * The rules that `--rules` or `--rules-file` gives; a file's path counts from the working directory. Most commands name both where
 * both are given; with `named` false they are refused as none is.
 *
 * @throws UserError in vtctldclient's words, or Go's for a file that cannot be read
 */
export function readRules<T extends object>(inv: Invocation, type: MessageType<T>, named = true): ReadRules<T> {
  const rules = inv.flags.str('rules');
  const file = inv.flags.str('rules-file');
  if (rules !== '' && file !== '') throw new UserError(named ? `cannot pass both --rules (=${rules}) and --rules-file (=${file})` : ONE_OF);
  if (rules === '' && file === '') throw new UserError(ONE_OF);
  const json = parseJson(file === '' ? rules : readText(inv, file));
  const unknownFields: string[] = [];
  const options = { unknownFields: 'drop', onUnknown: (path: string) => unknownFields.push(path) } as const;
  return { rules: clientSide(() => fromProtojson(type, json, options)), unknownFields };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new UserError(`proto: syntax error: ${errorText(error)}`, { cause: error });
  }
}

/** What Go says of the usual reasons; another keeps the system's own text. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'open PATH: no such file or directory',
  EACCES: 'open PATH: permission denied',
  ENOTDIR: 'open PATH: not a directory',
  EISDIR: 'read PATH: is a directory',
};

function readText(inv: Invocation, path: string): string {
  const full = inputPath(inv.io, path);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(full);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    throw new UserError((REASONS[code] ?? errorText(error)).replace('PATH', () => path), { cause: error });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new UserError(`proto: syntax error: invalid UTF-8 in ${path}`, { cause: error });
  }
}
