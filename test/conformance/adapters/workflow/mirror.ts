import { readError, same } from '../../compare.ts';
import { type Adapter, type Case, type Check, Fields, Skipped } from '../../fields.ts';
import { readScene } from '../../scene.ts';
import { sceneWorld } from '../../world.ts';
import { setControls } from '../../topo-world.ts';

const NO_ERROR = readError(new Fields({ error: null }, 'then'))!;

const STATEMENTS: Readonly<Record<string, (table: string) => string>> = {
  SELECT: (table) => `select id from ${table}`,
  INSERT: (table) => `insert into ${table} (id) values (90)`,
  UPDATE: (table) => `update ${table} set c1 = 5 where id = 90`,
  DELETE: (table) => `delete from ${table} where id = 90`,
};

/** Statements sent straight to a primary that refuses the table, reads apart. */
function readAllowed({ given, when, then }: Case): Check {
  const tables = given.strings('target_denied');
  const allowReads = given.bool('allow_reads', false);
  const inputs = when.strings('inputs').map((name) => {
    const statement = STATEMENTS[name];
    if (statement === undefined) throw new Skipped(`the statement ${name} is not known`);
    return statement;
  });
  const expected = then.list('allowed');
  if (expected.length !== inputs.length) throw new Skipped('then.allowed has not one entry for each input');
  return async () => {
    // The tables of a keyspace that nothing is moved into.
    const world = await sceneWorld(readScene(new Fields({ source_keyspace: 'targetks (unsharded)', target_keyspace: 'another (unsharded)', tables }, 'given')));
    const { ctx, cluster } = world.engine();
    await setControls(ctx, cluster, 'targetks', '0', [{ tablet_type: 'PRIMARY', denied_tables: tables, ...(allowReads && { allow_reads: true }) }]);
    NO_ERROR((await world.run('RefreshStateByShard', 'targetks/0')).failure);
    for (const table of tables) {
      const got: boolean[] = [];
      for (const statement of inputs) got.push((await world.run('query', '--target', 'targetks:0', statement(table))).failure === undefined);
      same(expected, got, `allowed of ${table}`);
    }
  };
}

export const mirrorAdapters: readonly Adapter[] = [{ area: 'mirror_traffic', op: 'query the target primary directly', read: readAllowed }];
