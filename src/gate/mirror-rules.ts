import type { TabletType } from '../lib/names.ts';
import type { MirrorRule } from '../topo/proto/types.ts';

/** Where reads of a table are sent to as well. */
export interface MirrorTarget {
  keyspace: string;
  table: string;
  percent: number;
}

interface Entry {
  from: string;
  /** Undefined for a rule that is wrong: it mirrors nothing, and hides the one without a tablet type. */
  target: MirrorTarget | undefined;
}

/**
 * A cell's mirror rules as vtgate reads them: what is wrong with one is found here, and is nobody's error.
 * Vitess: go/vt/vtgate/vindexes/vschema.go buildMirrorRule, FindMirrorRule.
 */
export class MirrorRuleSet {
  readonly #entries = new Map<string, Entry>();

  /** `exists` says whether a keyspace has a table. */
  constructor(rules: readonly MirrorRule[], exists: (keyspace: string, table: string) => boolean) {
    const targets = new Set<string>();
    for (const { from_table: name, to_table: to, percent } of rules) {
      const [from = '', ...types] = name.split('@');
      const source = qualified(from);
      const target = qualified(to);
      const twice = this.#entries.has(name);
      const right =
        !twice &&
        source !== undefined &&
        target !== undefined &&
        types.length < 2 &&
        !to.includes('@') &&
        source.keyspace !== target.keyspace &&
        exists(source.keyspace, source.table) &&
        exists(target.keyspace, target.table);
      this.#entries.set(name, { from: source?.keyspace ?? '', target: right ? { ...target, percent } : undefined });
      if (right) targets.add(target.keyspace);
    }
    // A keyspace that reads are mirrored to mirrors none of its own.
    for (const entry of this.#entries.values()) if (targets.has(entry.from)) entry.target = undefined;
  }

  /** Where reads of a table on tablets of a type are mirrored to: the rule for the type counts before the one for any. */
  find(keyspace: string, table: string, type: TabletType): MirrorTarget | undefined {
    const name = `${keyspace}.${table}`;
    const entry = this.#entries.get(`${name}@${type.toLowerCase()}`) ?? this.#entries.get(name);
    return entry?.target === undefined || entry.target.percent <= 0 ? undefined : entry.target;
  }
}

/** `keyspace.table` in two; undefined for any other form. */
function qualified(name: string): { keyspace: string; table: string } | undefined {
  const [keyspace = '', table = '', ...more] = name.split('.');
  return keyspace === '' || table === '' || more.length > 0 ? undefined : { keyspace, table };
}
