import type { ProblemKind } from '../lib/problems.ts';
import type { Finding } from './finding.ts';

/** What a repair is called, and what is so after it, by what its commands are. */
export interface RepairWords {
  title: string;
  consequence: string;
}

/** The words for the one way that `next` of a finding is. */
export function repairWords({ kind, next, text }: Finding): RepairWords {
  const [first = ''] = next;
  const own = WORDS[kind];
  if (own !== undefined) return own;
  const switches = next.find((command) => /\b(switchtraffic|reversetraffic|complete|cancel)\b/.test(command));
  if (kind === 'intent') return intentWords(text);
  if (switches !== undefined) return FORWARD;
  if (kind === 'refused') return refusedWords(next);
  return { title: 'put it right', consequence: `afterwards this is as the records say (${first.split(' ')[0]})` };
}

function intentWords(text: string): RepairWords {
  if (text.includes('nothing leads back')) return ENDED;
  if (text.includes('the next run starts')) return STARTED;
  return text.includes('it can only be completed') ? FORWARD : SETTLED;
}

const ENDED: RepairWords = { title: 'finish forward', consequence: 'what is left of the command is done, with the flags that it was given; nothing leads back from there' };

const STARTED: RepairWords = { title: 'finish forward', consequence: 'the streams that are not started yet are; the workflow is what it was to be' };

const FORWARD: RepairWords = {
  title: 'finish forward',
  consequence: 'the steps that are left are done; what was refused is served again, where the command leads; nothing is lost. Reversing it afterwards leads back',
};

const SETTLED: RepairWords = {
  title: 'settle it',
  consequence: 'all is put back to exactly what it was before the command, then the command is run anew',
};

function refusedWords(next: readonly string[]): RepairWords {
  if (next.every((command) => command.startsWith('tablet start'))) return { title: 'start the tablets', consequence: 'they read their records and serve' };
  if (next.every((command) => command.startsWith('RefreshState'))) return { title: 'have the tablets read their records', consequence: 'they serve what the records say' };
  return { title: 'go back', consequence: 'the shards that refuse serve again; nothing is lost, and whatever broke off can be begun anew' };
}

const WORDS: Partial<Record<ProblemKind, RepairWords>> = {
  'stopped-for-cutover': { title: 'start the streams', consequence: 'they go on where they stopped; the target catches up' },
  'reverse-left-over': { title: 'delete its rows', consequence: 'its streams are gone, the workflow itself stays; the next switch makes them anew. Never use Workflow delete for it: that deletes the workflow, and without --keep-data the tables that serve' },
  'copies-left-over': { title: 'delete the copies', consequence: 'the streams on the source shards stay as they are; the next switch makes copies anew' },
  'rules-not-published': { title: 'publish the saved rules', consequence: 'the gates of every cell follow the saved rules' },
  'tablet-differs': { title: 'have the tablet read its records', consequence: 'it serves and refuses what they say' },
  'tablet-down': { title: 'start the tablet', consequence: 'it reads its records and answers' },
  'tablet-busy': { title: 'end the backup or restore', consequence: 'the tablet can be refreshed; if the backup is still wanted, wait for its end instead' },
  'cell-down': { title: 'bring the cell back', consequence: 'its gates see what was changed meanwhile' },
  'no-primary': { title: 'make a tablet primary', consequence: 'it takes the writes; what the old primary had and no other tablet got is lost' },
  'denied-left-over': { title: 'free the tables', consequence: 'queries that name the shard are answered again, from the tables that are there' },
  'denial-missing': { title: 'deny the tables again', consequence: 'writes that name the shard are refused; rows that came that way stay where they are' },
  'both-directions-run': { title: 'stop the other direction', consequence: 'rows go one way only; what was written twice has to be compared' },
  'stream-error': { title: 'start the workflow again', consequence: 'its streams try once more where they stopped' },
  'half-created': { title: 'cancel it', consequence: 'its streams, and the tables it made on the target, are gone; then it can be created anew' },
  'half-ended': { title: 'finish it', consequence: 'what is gone already is passed over, the rest is done' },
  'old-journal': { title: 'delete the old journal', consequence: 'the next switch stops the writes and waits for the streams, as it has to' },
  'controls-left-over': { title: 'rebuild the serving graph', consequence: 'the entries are gone; queries go where they went' },
  'mirror-rules-lost': { title: 'mirror again', consequence: 'reads are sent to the target too, as before the switch' },
  'sequence-behind': { title: 'raise the sequence', consequence: 'the next ids are above all that are in use; ids may be skipped' },
};

/** What people feel of a kind, where its finding does not say more. */
export function impactOf({ kind, text }: Finding): string[] {
  if (kind === 'refused') return [`${text.split(' are routed to ')[0]!}: nobody serves them`];
  const impact = IMPACTS[kind];
  return impact === undefined ? [] : [impact];
}

const IMPACTS: Partial<Record<ProblemKind, string>> = {
  unreadable: 'no query is affected; the workflow can be neither completed nor cancelled',
  'denied-left-over': 'queries that name the shard or its keyspace are refused; the next workflow with these tables meets the entries',
  'lease-run-out': 'none: whoever wants the lock gets it',
  'waiting-behind-dead': 'the commands that wait give up after their --lock-timeout, unless the lease ends before',
  'named-lock-of-dead': 'every command on the workflow waits for the lock and fails; no query is affected',
  'journals-disagree': 'the workflow can be neither completed nor cancelled',
  'both-directions-run': 'rows are written round in a circle, and one of the streams breaks at the first duplicate key',
  'stream-error': 'no query is affected; the target falls behind, and the workflow cannot be switched',
  'half-created': 'the name is taken, and the workflow can never be switched',
  'half-ended': 'the workflow is neither there nor gone: a create with these tables is refused',
  'old-journal': 'none yet; the next switch loses what is written while it runs',
  'controls-left-over': 'a gate that buffers holds statements for too long at the next failover of the keyspace',
  'mirror-rules-left-over': 'reads are sent twice, for nobody',
  'mirror-rules-lost': 'reads are not sent to the target any more',
  'dead-lock-holder': 'commands that need these locks wait for them',
  'rules-not-published': 'queries go where they went; the next rebuild by anybody sends them elsewhere',
  'tablet-differs': 'queries to this tablet are served or refused against the records',
  'journal-without-frozen': 'the workflow can be neither completed nor cancelled',
  'reverse-left-over': 'no query is affected',
  'stopped-for-cutover': 'no query is affected; the target falls behind the source',
  'copies-left-over': 'no query is affected; the next switch of the Reshard is refused',
  intent: 'other commands on these keyspaces refuse',
  'tablet-down': 'queries to this tablet fail; a switch of its keyspace is refused',
  'tablet-busy': 'a switch of its keyspace is refused',
  'cell-down': 'changes do not reach its gates; a switch fails',
};
