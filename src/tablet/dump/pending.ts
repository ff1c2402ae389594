import { errorText } from '../../lib/errors.ts';
import type { Context } from '../../runtime/context.ts';
import { checkContext } from '../../runtime/context.ts';
import { fileError } from '../../sql/dump/cursor.ts';
import { decodeRow } from '../../sql/storage.ts';
import type { SqliteParam } from '../../sql/value.ts';
import type { Cluster } from '../cluster.ts';
import { asDuplicate, isConstraint } from '../query/row-images.ts';
import type { ShardDb } from '../shard-db.ts';
import type { InsertTarget } from './target.ts';

/** A row on its way: where it goes, what is bound, and the line it stands on. */
interface PendingRow {
  target: InsertTarget;
  params: SqliteParam[];
  line: number;
}

/** A transaction holds rows of at most this weight: one for each value and one for each 64 bytes of text. */
const HEAVIEST = 12_000;
const ROW_WEIGHT = 2;

/** What bounded transactions did, for tests that count. */
export interface LoadCounts {
  transactions: number;
  largest: number;
}

/** Rows that were read and not written yet. They are written in transactions of bounded size, in order. */
export class PendingRows {
  readonly #shards: readonly ShardDb[];
  readonly #file: string;
  #rows: PendingRow[][];
  #weight = 0;
  #count = 0;
  /** Rows written, each once however many shards have it. */
  written = 0;
  readonly counts: LoadCounts = { transactions: 0, largest: 0 };

  constructor(shards: readonly ShardDb[], file: string) {
    this.#shards = shards;
    this.#file = file;
    this.#rows = shards.map(() => []);
  }

  /** True when it is time to write. */
  get full(): boolean {
    return this.#weight >= HEAVIEST;
  }

  add(target: InsertTarget, params: SqliteParam[], line: number): void {
    for (const shard of target.place(params)) this.#rows[shard]!.push({ target, params, line });
    let weight = params.length + ROW_WEIGHT;
    for (const param of params) {
      if (typeof param === 'string' || param instanceof Uint8Array) weight += param.length >> 6;
    }
    this.#weight += weight;
    this.#count += 1;
  }

  /** Writes all rows at hand, one transaction a shard, and lets the loop turn. Throws UserError with the line of a refused row. */
  async flush(ctx: Context, cluster: Cluster): Promise<void> {
    if (this.#count === 0) return;
    checkContext(ctx);
    const rows = this.#rows;
    this.counts.largest = Math.max(this.counts.largest, this.#weight);
    this.written += this.#count;
    this.#rows = this.#shards.map(() => []);
    this.#weight = 0;
    this.#count = 0;
    const { clock } = cluster.world;
    for (const [index, shard] of this.#shards.entries()) {
      const own = rows[index] ?? [];
      if (own.length === 0) continue;
      if (clock.due()) await clock.turn();
      this.counts.transactions += 1;
      await shard.db.write(clock, () => {
        for (let i = 0; i < own.length; ) i += this.#writeGroup(shard, own, i) || this.#writeOne(shard, own[i]!);
      });
      await clock.turn();
    }
  }

  /** Writes as many rows as one statement takes. 0 when fewer are left, or one is refused: which one, each by itself will tell. */
  #writeGroup(shard: ShardDb, rows: readonly PendingRow[], from: number): number {
    const { target } = rows[from]!;
    const { group } = target;
    if (group === 1 || from + group > rows.length || rows[from + group - 1]!.target !== target) return 0;
    const params: SqliteParam[] = [];
    for (let i = from; i < from + group; i += 1) {
      const row = rows[i]!;
      if (row.target !== target) return 0;
      for (const param of row.params) params.push(param);
    }
    try {
      shard.db.run(target.groupSql, ...params);
    } catch (error) {
      if (!isConstraint(error)) throw error;
      return 0;
    }
    return group;
  }

  #writeOne(shard: ShardDb, { target, params, line }: PendingRow): number {
    try {
      shard.db.run(target.sql, ...params);
      return 1;
    } catch (error) {
      if (!isConstraint(error)) throw error;
      const { def } = target;
      const raw = Object.fromEntries(def.columns.map(({ name }, i) => [name, params[i]]));
      const text = errorText(asDuplicate(error, def, decodeRow(def, raw)));
      throw fileError(this.#file, line, text, 'correct the row, or leave it out', error);
    }
  }
}
