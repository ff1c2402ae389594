import type { ProblemEntry } from './entry.ts';

/** SWT0312 on: what is left of workflows that lost their way, or their other half. */
export const STRAY_PROBLEMS = {
  'turned-on-itself': {
    code: 'SWT0312',
    title: 'the streams of a workflow read from the shards that they write to',
    severity: 'pending',
    meaning: 'A stream that runs past the journal of its own switch goes on from where the traffic went: its own shard. Every write is applied to the same table once more. The mark of a finished switch is gone, so that the workflow can be neither completed nor reversed.',
    causes: [
      'a workflow that was started after its switch had broken off past the journal, or in the middle of the switch: start takes no lock (vitessio/vitess#19680)',
      'a Reshard whose roll-back starts every stream of its source shards, frozen ones of finished workflows too, or that takes them along to the new shards',
      'a MoveTables that was created from a keyspace to itself, which releases before v24 accept (vitessio/vitess#19012)',
    ],
    cure: 'Stop its streams and delete their rows. Never cancel it: that would drop the tables that serve.',
  },
  'original-gone': {
    code: 'SWT0313',
    title: 'a reverse workflow whose original is gone',
    severity: 'pending',
    meaning: 'Of the two workflows of a move only the way back is left. Nothing works under the name of the original any more, and cancelling the one that is left, as any other, drops the tables of its target.',
    causes: [
      'a ReverseTraffic that failed: its roll-back deletes the workflow that is the reverse of the reverse (vitessio/vitess#14276)',
      'a cancel that broke off after it had deleted the streams, as those of v20 and v21 do first (vitessio/vitess#19903)',
    ],
    cure: 'Go back by switching the reverse workflow by its own name, or delete the rows of its streams and keep tables and rules.',
  },
  'half-cancelled': {
    code: 'SWT0314',
    title: 'a cancel has stopped a workflow and not deleted it',
    severity: 'pending',
    meaning: 'From v22 on cancel first stops the streams, and blanks the cells and tablet types that they read from. It failed before it had deleted them: the workflow is there, replicates nothing, and its name is taken.',
    causes: ['a lease that ran out, a tablet that was down, or a vtctld that was killed, in the middle of cancel or Workflow delete'],
    cure: 'Cancel it again, with --keep-data and --keep-routing-rules unless the copies are to go; or give it its tablet types back and start it.',
  },
} as const satisfies Record<string, ProblemEntry>;
