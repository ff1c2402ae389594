import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fromProtojson } from '../../../src/topo/proto/decode.ts';
import { goJson, protojson } from '../../../src/topo/proto/encode.ts';
import * as query from '../../../src/topo/proto/messages-query.ts';
import * as topodata from '../../../src/topo/proto/messages-topodata.ts';
import * as vschema from '../../../src/topo/proto/messages-vschema.ts';
import * as workflow from '../../../src/topo/proto/messages-vtctldata-workflow.ts';
import * as vtctldata from '../../../src/topo/proto/messages-vtctldata.ts';
import type { MessageType } from '../../../src/topo/proto/schema.ts';
import type { NamedKeyspace, NamedShard, SrvKeyspace } from '../../../src/topo/proto/types.ts';

/** What vtctldclient prints, less the final line feed. */
function golden(name: string): string {
  return readFileSync(new URL(`golden/${name}.json`, import.meta.url), 'utf8').trimEnd();
}

/** The same JSON with every object's members the other way round, so that order can only come from the tables. */
function reversed(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(reversed);
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(
    Object.entries(json)
      .toReversed()
      .map(([key, value]) => [key, reversed(value)]),
  );
}

describe('protojson', () => {
  it.each<[string, MessageType]>([
    ['status', workflow.WorkflowStatusResponse],
    ['workflows', workflow.GetWorkflowsResponse],
    ['update', workflow.WorkflowUpdateResponse],
    ['switch-traffic', workflow.WorkflowSwitchTrafficResponse],
    ['complete', workflow.MoveTablesCompleteResponse],
    ['delete', workflow.WorkflowDeleteResponse],
    ['keyspace', vtctldata.Keyspace],
    ['shard', vtctldata.Shard],
    ['vschema', vschema.Keyspace],
    ['topology-cell', vtctldata.TopologyCell],
  ])('prints vtctldclient’s %s byte for byte', (name, type) => {
    const text = golden(name);
    expect(protojson(type, fromProtojson(type, reversed(JSON.parse(text))))).toBe(text);
  });

  it('prints a keyspace and a shard from the compact form', () => {
    const keyspace: NamedKeyspace = {
      keyspace: { sidecar_db_name: '_vt', durability_policy: 'semi_sync' },
      name: 'customer',
    };
    expect(protojson(vtctldata.Keyspace, keyspace)).toBe(golden('keyspace'));
    const shard: NamedShard = {
      name: '-80',
      keyspace: 'customer',
      shard: {
        is_primary_serving: true,
        key_range: { end: 'gA==' },
        primary_term_start_time: { seconds: '1627465833', nanoseconds: 536524508 },
        primary_alias: { uid: 300, cell: 'zone1' },
      },
    };
    expect(protojson(vtctldata.Shard, shard)).toBe(golden('shard'));
  });

  it('tells a message that is not set from one that is set but empty', () => {
    const text = (value: object): unknown => (JSON.parse(protojson(topodata.Shard, value)) as { key_range: unknown }).key_range;
    expect(text({})).toBe(null);
    expect(text({ key_range: {} })).toEqual({ start: '', end: '' });
    expect(protojson(topodata.Shard, { key_range: {} }, { compact: true })).toBe('{\n  "key_range": {}\n}');
  });

  it('leaves out defaults when compact, and only those', () => {
    const record = { sharded: false, vindexes: {}, tables: { t: { type: '', columns: [] } }, foreign_key_mode: 'unspecified' as const };
    expect(protojson(vschema.Keyspace, record, { compact: true })).toBe('{\n  "tables": {\n    "t": {}\n  }\n}');
    expect(protojson(topodata.TabletAlias, { cell: 'z', uid: 0 }, { compact: true })).toBe('{\n  "cell": "z"\n}');
    expect(protojson(vtctldata.Shard, { keyspace: 'k', name: '0' }, { compact: true, oneLine: true })).toBe(
      '{"keyspace":"k","name":"0"}',
    );
    expect(protojson(topodata.Shard, null, { compact: true })).toBe('{}');
  });

  it('shows a field with explicit presence only when it is set, false included', () => {
    const column = (value: object): object => JSON.parse(protojson(vschema.Column, { name: 'c', ...value })) as object;
    expect(column({})).not.toHaveProperty('nullable');
    expect(column({ nullable: false })).toHaveProperty('nullable', false);
    expect(protojson(vschema.Column, { name: 'c', nullable: false }, { compact: true })).toContain('"nullable": false');
  });

  it('prints 64-bit integers in quotes, aliases under their first name, unnamed enum values as numbers', () => {
    expect(protojson(query.QueryResult, { insert_id: '18446744073709551615' }, { compact: true, oneLine: true })).toBe(
      '{"insert_id":"18446744073709551615"}',
    );
    const control = { tablet_type: 'MASTER' as 'PRIMARY' };
    expect(protojson(topodata.TabletControl, control)).toContain('"tablet_type": "PRIMARY"');
    expect(protojson(topodata.TabletControl, { tablet_type: 99 as unknown as 'PRIMARY' })).toContain('"tablet_type": 99');
  });

  it.each([
    [100 / 3, '33.333332'],
    [1, '1'],
    [0.1, '0.1'],
    [16777216, '16777216'],
    [1e-7, '1e-7'],
    [1e21, '1e+21'],
    [390695.625, '390695.62'],
    [2097152.25, '2097152.2'],
    [2 ** -96, '1.2621775e-29'],
  ])('prints the float32 %s as %s', (percent, text) => {
    const rule = { from_table: 'a.t', to_table: 'b.t', percent };
    expect(protojson(vschema.MirrorRule, rule, { oneLine: true })).toBe(
      `{"from_table":"a.t","to_table":"b.t","percent":${text}}`,
    );
    expect(goJson(vschema.MirrorRule, { percent }, { oneLine: true })).toBe(`{"percent":${text}}`);
  });

  it('sorts map keys by their UTF-8 bytes and does not escape HTML', () => {
    const tags = { '\u{1f600}': '<', '\uffee': '&', b: '1', a: '2', '10': '3', '9': '4' };
    expect(protojson(topodata.Tablet, { tags } as never, { compact: true, oneLine: true })).toBe(
      '{"tags":{"10":"3","9":"4","a":"2","b":"1","\uffee":"&","\u{1f600}":"<"}}',
    );
  });

  it('does not print fields that the table does not know', () => {
    expect(protojson(topodata.CellInfo, { root: '/r', future: 1 } as object, { oneLine: true })).toBe(
      '{"server_address":"","root":"/r"}',
    );
  });

  it('refuses a value that its field cannot hold rather than printing broken JSON', () => {
    const alias = { cell: 'z', uid: '1.5' as unknown as number };
    expect(() => protojson(topodata.TabletAlias, alias)).toThrow('not an integer: 1.5');
    expect(() => protojson(topodata.TabletControl, { tablet_type: 'primary' as 'PRIMARY' })).toThrow('has no value primary');
  });
});

describe('goJson', () => {
  it('prints GetSrvKeyspaces byte for byte', () => {
    const srvKeyspace: SrvKeyspace = {
      partitions: [
        {
          served_type: 'PRIMARY',
          shard_references: [
            { name: '-80', key_range: { end: 'gA==' } },
            { name: '80-', key_range: { start: 'gA==', end: '' } },
          ],
          shard_tablet_controls: [],
        },
        {
          served_type: 'REPLICA',
          shard_references: [{ name: '0' }],
          shard_tablet_controls: [{ name: '0', query_service_disabled: true }],
        },
      ],
    };
    expect(goJson({ map: topodata.SrvKeyspace }, { zone1: srvKeyspace })).toBe(golden('srv-keyspaces.go'));
  });

  it('prints what GetKeyspaces does: defaults gone, enums and 64-bit integers bare', () => {
    const keyspaces: NamedKeyspace[] = [
      {
        name: 'snap',
        keyspace: { keyspace_type: 'SNAPSHOT', snapshot_time: { seconds: '1697055542' }, durability_policy: '' },
      },
    ];
    expect(goJson({ list: vtctldata.Keyspace }, keyspaces, { oneLine: true })).toBe(
      '[{"name":"snap","keyspace":{"keyspace_type":1,"snapshot_time":{"seconds":1697055542}}}]',
    );
  });

  it('tells nil from empty, at the top and inside', () => {
    expect(goJson({ list: vtctldata.Keyspace }, undefined)).toBe('null');
    expect(goJson({ list: 'plain' }, [])).toBe('[]');
    expect(goJson({ map: topodata.SrvKeyspace }, { zone1: null, zone2: {} }, { oneLine: true })).toBe(
      '{"zone1":null,"zone2":{}}',
    );
  });

  it('escapes as Go does and keeps a struct’s order while a map is sorted', () => {
    const value = {
      z: ["<a href='x'>&</a>", '\u2028\u2029', '\b\f\n\r\t\u0001\u007f\u001f'],
      a: new Map([
        ['\u{1f600}', 1],
        ['\uffee', 2],
        ['<', 4],
      ]),
    };
    expect(goJson('plain', value, { oneLine: true })).toBe(
      '{"z":["\\u003ca href=\'x\'\\u003e\\u0026\\u003c/a\\u003e","\\u2028\\u2029","\\b\\f\\n\\r\\t\\u0001\u007f\\u001f"],' +
        '"a":{"\\u003c":4,"\uffee":2,"\u{1f600}":1}}',
    );
    expect(goJson({ list: 'plain' }, ['a', 'b'])).toBe('[\n  "a",\n  "b"\n]');
  });

  it('cannot say infinity', () => {
    expect(() => goJson(vschema.MirrorRule, { percent: 'Infinity' })).toThrow('json: unsupported value: +Inf');
    expect(protojson(vschema.MirrorRule, { percent: 'NaN' } as never)).toContain('"percent": "NaN"');
  });
});
