import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fileHost } from '../../../src/cli/host.ts';
import { makeShell } from '../../../src/cli/shell.ts';
import { findRelease } from '../../../src/lib/releases.ts';
import { background } from '../../../src/runtime/context.ts';
import { VirtualMachine } from '../../../src/runtime/world.ts';
import { pumpUntilIdle } from '../../../src/tablet/vreplication/pump.ts';
import { ETCD_NAMES } from '../../../src/topo/conn/directory.ts';
import { words } from '../../helpers/shell.ts';

it('a row that another process writes while a stream reads is read by its next look', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'race-'));
  const machine = new VirtualMachine();
  const host = fileHost(folder, '.', () => machine.world());
  const shell = makeShell(host);
  await shell(['init', 'commerce']);
  await shell(words('MoveTables --workflow c2c --target-keyspace customer create --source-keyspace commerce --tables customer,corder'));
  await shell(words('MoveTables --workflow c2c --target-keyspace customer status'));

  const world = host.world();
  const conn = host.openTopology(world, { names: ETCD_NAMES, renewed: true, reapDead: true }, false);
  const [shards, others] = [host.openShards(world), host.openShards(world)];
  const release = findRelease('hardened');
  const cluster = { world, release, topo: { conn, release, world, lockTimeoutMs: 1000, held: new Set<never>() }, shards };
  const [source, target, other] = [shards.open('commerce', '0'), shards.open('customer', '0'), others.open('commerce', '0')];

  const read = source.transactionsAfter.bind(source);
  let written = false;
  source.transactionsAfter = (...args) => {
    const transactions = read(...args);
    if (!written) {
      written = true;
      other.db.transact(() => {
        other.db.run("INSERT INTO customer (customer_id, email) VALUES (77, 'late@example.com')");
        other.log(1, [{ kind: 'insert', table: 'customer', after: { customer_id: 77, email: 'late@example.com' } }]);
      });
    }
    return transactions;
  };
  try {
    await pumpUntilIdle(background(), cluster, target, 1);
    expect(written).toBe(true);
    await pumpUntilIdle(background(), cluster, target, 1);
    expect(target.db.get('SELECT email FROM customer WHERE customer_id = 77')).toEqual({ email: 'late@example.com' });
  } finally {
    others.close();
    await host.release(world, conn, shards);
    rmSync(folder, { recursive: true });
  }
});
