import { join } from 'node:path';
import { openMemoryConn, MemoryTopoStore } from '../../src/topo/conn/memory-conn.ts';
import { TOPO_POINTS, withFaults } from '../../src/topo/conn/fault-conn.ts';
import { openSqliteConn } from '../../src/topo/conn/sqlite-conn.ts';
import { tempDir } from '../helpers/topo-world.ts';
import { connContract, type Store } from './conn-contract.ts';
import { lockContract } from './lock-contract.ts';
import { serverLocksContract } from './server-locks-contract.ts';

function sqliteFile(): Store {
  const dir = tempDir();
  return {
    open: (world, policy) => openSqliteConn(join(dir.path, 'topo.db'), world, policy, true),
    dispose: dir.remove,
  };
}

const sqliteMemory = (): Store => ({
  open: (world, policy) => openSqliteConn(':memory:', world, policy, true),
  dispose: () => {},
});

function memory(): Store {
  const store = new MemoryTopoStore();
  return { open: (world, policy) => openMemoryConn(store, world, policy), dispose: () => {} };
}

connContract('sqlite file', sqliteFile);
connContract('sqlite :memory:', sqliteMemory);
connContract('memory', memory);
connContract('memory, with faults that do nothing', () => {
  const store = memory();
  return {
    open: (world, policy) => {
      world.faults.arm('topo/*=off; topo/*:after=off', TOPO_POINTS);
      return withFaults(store.open(world, policy), world);
    },
    dispose: store.dispose,
  };
});

lockContract('sqlite file', sqliteFile, 'shared');
// Each `:memory:` connection is a database of its own, so its locks are contended within one process only.
lockContract('sqlite :memory:', sqliteMemory, 'alone');
lockContract('memory', memory, 'shared');

serverLocksContract('sqlite file', sqliteFile);
serverLocksContract('memory', memory);
