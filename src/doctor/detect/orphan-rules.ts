import { shellQuote } from '../../lib/shell-quote.ts';
import type { Repair } from '../../report/doctor/diagnosis.ts';
import { keyspaceRoutingMap, keyspaceRoutingRecord, shardRoutingMap, shardRoutingRecord } from '../../topo/rules.ts';
import { unique } from '../../workflow/facts/stranded/found.ts';
import type { Finding } from '../finding.ts';
import type { DoctorPicture } from '../picture.ts';
import { tablesOf } from './routes.ts';
import { applyRules } from './rule-lines.ts';

/** Rules that lead to a keyspace, a shard or a table that is not there. */
export function orphanRules(picture: DoctorPicture): Finding[] {
  return [...orphanTables(picture), ...orphanShards(picture), ...orphanKeyspaces(picture)];
}

function orphanTables(picture: DoctorPicture): Finding[] {
  const { records } = picture;
  const lost = (records.rules.rules ?? []).filter(({ to_tables: to = [] }) => to.some((table) => missing(picture, table) !== undefined));
  if (lost.length === 0) return [];
  const { command, undo } = applyRules(records.rules, (rules) => {
    for (const { from_table: from } of lost) rules.delete(from);
  });
  const names = unique(lost.map(({ from_table: from }) => from.replace(/@.*$/, '')));
  return [
    orphan(picture, {
      object: 'routing rules',
      names,
      evidence: lost.map(({ from_table: from, to_tables: to = [] }) => `${from} leads to ${to.join(', ')}: ${to.map((table) => missing(picture, table)).find((why) => why !== undefined)!}`),
      impact: `queries for ${names.join(', ')} fail`,
      repair: { command, undo },
    }),
  ];
}

/** Why a table cannot be there; undefined where it is. */
function missing({ keyspaces, shards }: DoctorPicture, qualified: string): string | undefined {
  const dot = qualified.indexOf('.');
  const [keyspace, table] = [qualified.slice(0, dot), qualified.slice(dot + 1)];
  if (dot < 0) return undefined;
  if (!keyspaces.includes(keyspace)) return `there is no keyspace ${keyspace}`;
  return shards.some((shard) => shard.keyspace === keyspace && tablesOf(shard).has(table)) ? undefined : `${keyspace} has no table ${table}`;
}

function orphanShards(picture: DoctorPicture): Finding[] {
  const rules = shardRoutingMap(picture.records.shardRules);
  const lost = [...rules].flatMap(([key, to]) => {
    const dot = key.indexOf('.');
    const [from, shard] = [key.slice(0, dot), key.slice(dot + 1)];
    const why = missingShard(picture, [from, to], shard);
    return why === undefined ? [] : [{ key, text: `${from}/${shard} leads to ${to}: ${why}` }];
  });
  if (lost.length === 0) return [];
  const next = new Map([...rules].filter(([key]) => !lost.some((one) => one.key === key)));
  const line = (map: typeof rules): string => `ApplyShardRoutingRules --rules ${shellQuote(JSON.stringify({ rules: [], ...shardRoutingRecord(map) }))}`;
  const names = lost.map(({ key }) => key);
  return [orphan(picture, { object: 'shard routing rules', names, evidence: lost.map(({ text }) => text), impact: `queries for ${names.join(', ')} fail`, repair: { command: line(next), undo: line(rules) } })];
}

/** Why rows of a shard cannot be where its rule leads; undefined where they can. A cancel drops the tables there and leaves the rule (K30). */
function missingShard({ shards }: DoctorPicture, [from, to]: readonly [string, string], name: string): string | undefined {
  const [own, other] = [from, to].map((keyspace) => shards.find((one) => one.keyspace === keyspace && one.shard === name));
  if (own === undefined) return `there is no shard ${from}/${name}`;
  if (other === undefined) return `there is no shard ${to}/${name}`;
  return own.tables.length > 0 && other.tables.length === 0 ? `${to}/${name} has no tables` : undefined;
}

function orphanKeyspaces(picture: DoctorPicture): Finding[] {
  const rules = keyspaceRoutingMap(picture.records.keyspaceRules);
  const lost = [...rules].filter(([, to]) => !picture.keyspaces.includes(to));
  if (lost.length === 0) return [];
  const next = new Map([...rules].filter(([from]) => !lost.some(([one]) => one === from)));
  const line = (map: typeof rules): string => `ApplyKeyspaceRoutingRules --rules ${shellQuote(JSON.stringify({ rules: [], ...keyspaceRoutingRecord(map) }))}`;
  const names = lost.map(([from]) => from);
  const evidence = lost.map(([from, to]) => `${from} leads to ${to}: there is no keyspace ${to}`);
  return [orphan(picture, { object: 'keyspace routing rules', names, evidence, impact: `queries to keyspace ${names.join(', ')} fail`, repair: { command: line(next), undo: line(rules) } })];
}

interface Orphan {
  object: string;
  names: string[];
  evidence: string[];
  impact: string;
  repair: { command: string; undo: string };
}

function orphan(picture: DoctorPicture, { object, names, evidence, impact, repair }: Orphan): Finding {
  const keyspaces = unique(names.filter((name) => name.includes('.')).map((name) => name.slice(0, name.indexOf('.')))).filter((name) => picture.keyspaces.includes(name));
  const way: Repair = {
    title: 'take the rules out',
    consequence: `${names.join(', ')} ${names.length === 1 ? 'leads' : 'lead'} where the VSchema says, if anywhere; other rules stay. If rows were there, they are not brought back`,
    commands: [repair.command],
    undo: [repair.undo],
  };
  return { kind: 'orphan-rules', object, keyspaces, workflows: [], text: `${object} of ${names.join(', ')} lead to what is not there`, next: [], evidence, impact: [impact], repairs: [way] };
}
