import { row, yesNo } from './row.ts';

/** Rows on multi-tenant moves, which there are since v20. */
export const TENANTS = {
  tenantMoves: yesNo('tenants', 'one tenant of many can be moved (`create --tenant-id`)', '#15503', true, { '18.0.0': false, '20.0.0': true }),
  keyspaceRulesLock: yesNo('tenants', 'keyspace routing rules have a lock', '#15807', true, { '18.0.0': false, '20.0.0': true }),
  tenantRollback: row<'none' | 'as others' | 'left alone'>(
    'tenants',
    'what the roll-back of one tenant does to the tables of the target, which other tenants use',
    '#17782, #17794',
    { none: 'there are no such moves', 'as others': 'treats them as any move: other tenants may be refused', 'left alone': 'leaves them alone' },
    'left alone',
    { '18.0.0': 'none', '20.0.0': 'as others', '20.0.7': 'left alone', '21.0.4': 'left alone', '22.0.0': 'left alone' },
  ),
  tenantReadCells: row<'none' | 'as many' | 'all'>(
    'tenants',
    'which --cells a switch of reads takes',
    '#16709, #17128',
    { none: 'there are no such moves', 'as many': 'none, or as many as there are', all: 'none, or exactly all' },
    'all',
    { '18.0.0': 'none', '20.0.0': 'as many', '21.0.0': 'all' },
  ),
  tenantReversal: row<'none' | 'looked for' | 'refused' | 'no effect' | 'works'>(
    'tenants',
    'reversing reads alone',
    '#16920, #17127, #17128',
    {
      none: 'there are no such moves',
      'looked for': 'fails: a reverse workflow is looked for',
      refused: 'is refused',
      'no effect': 'is accepted and changes nothing',
      works: 'works',
    },
    'works',
    { '18.0.0': 'none', '20.0.0': 'looked for', '21.0.0': 'refused', '22.0.0': 'no effect' },
  ),
  tenantCancel: row<'none' | 'drops tables' | 'deletes rows'>(
    'tenants',
    'what cancelling the move of one tenant takes from the target',
    '#16906',
    { none: 'there are no such moves', 'drops tables': 'its tables, with the rows of every tenant', 'deletes rows': "the tenant's rows" },
    'deletes rows',
    { '18.0.0': 'none', '20.0.0': 'drops tables', '22.0.0': 'deletes rows' },
  ),
};
