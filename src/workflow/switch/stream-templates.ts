import { plainError } from '../../lib/errors.ts';
import { isValidKeyRange } from '../../lib/key-range.ts';
import { parseStatement } from '../../sql/parser.ts';
import { BinlogSource as BinlogSourceMessage, Rule as RuleMessage } from '../../topo/proto/messages-binlogdata.ts';
import { prototext } from '../../topo/proto/prototext.ts';
import type { BinlogSource, Rule } from '../../topo/proto/types-workflow.ts';
import type { VSchemaKeyspace } from '../../topo/proto/types.ts';

/** What stands in a template where a shard's key range will. */
const RANGE_MARK = '{{.}}';
/** The key range is the last argument of in_keyrange, whether it has one or three. */
const IN_KEYRANGE = /\bin_keyrange\(\s*((?:'[^']*'|[^')])*?)'([^']*)'\s*\)/i;
const TAIL = /\s+(?:group by|order by|having|limit)\b.*$/is;

/**
 * True if a stream is about reference tables alone, which every shard has in whole. Throws for a stream that mixes them with others
 * and for a table that the vschema does not know. Vitess: StreamMigrator.blsIsReference.
 */
export function isReferenceStream(source: BinlogSource, vschema: VSchemaKeyspace): boolean {
  const kinds = new Set((source.filter?.rules ?? []).map((rule) => isReferenceRule(rule, vschema)));
  if (kinds.size > 1) throw plainError(`cannot reshard streams with a mix of reference and sharded tables: ${prototext(BinlogSourceMessage, source)}`);
  return kinds.has(true);
}

function isReferenceRule(rule: Rule, vschema: VSchemaKeyspace): boolean {
  const table = vschema.tables?.[rule.match];
  if (table === undefined) throw plainError(`table ${rule.match} not found in vschema`);
  return table.type === 'reference';
}

/**
 * A stream's source with a mark in each rule where the key range of its shard stands. Throws for rules in which there is no telling.
 * Vitess: StreamMigrator.templatize.
 */
export function templateOf(source: BinlogSource, vschema: VSchemaKeyspace): BinlogSource {
  return { ...source, filter: { ...source.filter, rules: (source.filter?.rules ?? []).map((rule) => templateRule(rule, vschema)) } };
}

function templateRule(rule: Rule, vschema: VSchemaKeyspace): Rule {
  const { match, filter = '' } = rule;
  const text = (): string => prototext(RuleMessage, rule);
  if (filter === '') throw plainError(`rule ${text()} does not have a select expression in vreplication`);
  if (isValidKeyRange(filter)) return { ...rule, filter: RANGE_MARK };
  if (filter === 'exclude') throw plainError(`unexpected rule in vreplication: ${text()}`);
  refuseOther(filter);
  if (filter.includes('{{')) throw plainError(`cannot migrate queries that contain '{{' in their string: ${filter}`);
  if (/\bin_keyrange\(/i.test(filter)) {
    if (!IN_KEYRANGE.test(filter)) throw plainError(`unexpected in_keyrange parameters: ${/in_keyrange\(.*$/is.exec(filter)?.[0] ?? filter}`);
    return { ...rule, filter: filter.replace(IN_KEYRANGE, (_, before: string) => `in_keyrange(${before}'${RANGE_MARK}')`) };
  }
  return { ...rule, filter: withRange(filter, match, vschema) };
}

/** Throws for a statement that is no select: the syntax error of one that is no statement at all. */
function refuseOther(filter: string): void {
  if (/^\s*select\b/i.test(filter)) return;
  parseStatement(filter);
  throw plainError(`unexpected query: ${filter}`);
}

/** A rule that took every row gets the condition that its shard's range needs. */
function withRange(filter: string, table: string, vschema: VSchemaKeyspace): string {
  const primary = vschema.tables?.[table]?.column_vindexes?.[0];
  if (primary === undefined) throw plainError(`table ${table} has no primary vindex in the vschema`);
  const column = primary.column ?? primary.columns?.[0] ?? '';
  const type = vschema.vindexes?.[primary.name ?? '']?.type ?? '';
  const tail = TAIL.exec(filter)?.[0] ?? '';
  const head = filter.slice(0, filter.length - tail.length);
  return `${head} ${/\swhere\s/i.test(head) ? 'and' : 'where'} in_keyrange(${column}, '${type}', '${RANGE_MARK}')${tail}`;
}

/** A template for the shard with this key range. */
export function fillTemplate(template: BinlogSource, range: string): BinlogSource {
  const rules = (template.filter?.rules ?? []).map((rule) => ({ ...rule, filter: (rule.filter ?? '').replaceAll(RANGE_MARK, range) }));
  return { ...template, filter: { ...template.filter, rules } };
}
