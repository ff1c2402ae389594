import type { Behaviours } from '../../../lib/behaviours.ts';
import { stopCommand, switchAgainCommand } from '../../recovery.ts';
import type { IntentFacts } from '../intents.ts';
import type { WorkflowFacts } from '../workflow.ts';
import { type Found, lockName, type Picture, unique } from './found.ts';

/** A switch on `hardened` that did not end. */
export function leftIntent(intent: IntentFacts, behaviours: Behaviours): Found[] {
  if (intent.alive === 'alive') return [];
  const where = intent.journaled
    ? 'past the point of no return: it can only be completed'
    : 'before the point of no return: the next run goes back to the state before it, then switches';
  const step = intent.step === undefined ? '' : ` at ${intent.step}`;
  const fate = intent.alive === 'dead' ? 'broke off' : 'may have broken off';
  return [
    {
      kind: 'intent',
      object: `${intent.keyspace}.${intent.workflow}`,
      keyspaces: unique([intent.sourceKeyspace, intent.keyspace]),
      workflows: [lockName(intent)],
      text: `${intent.command} by ${intent.owner} ${fate}${step}, ${where}`,
      next: [againAfter(intent, behaviours)],
    },
  ];
}

/** The intent that explains what is found in these keyspaces, and whose end will put it right. */
export function intentAt({ intents }: Picture, keyspaces: Iterable<string>): IntentFacts | undefined {
  const wanted = new Set(keyspaces);
  return intents.find((intent) => wanted.has(intent.sourceKeyspace) || wanted.has(intent.keyspace));
}

/** The command that settles an intent. */
export function againAfter(intent: IntentFacts, behaviours: Behaviours): string {
  const { kind, sourceKeyspace, keyspace: targetKeyspace, workflow, reads, journaled } = intent;
  return switchAgainCommand({ kind, sourceKeyspace, targetKeyspace, workflow }, behaviours, { reads, journaled });
}

/** Streams that run on would take the mark of a frozen workflow off again. */
export function complete(workflow: WorkflowFacts, behaviours: Behaviours): string[] {
  const running = workflow.streams.some((stream) => stream.stored !== 'Stopped');
  const { kind, sourceKeyspace, keyspace: targetKeyspace, workflow: name } = workflow;
  return [
    ...(running ? [stopCommand(targetKeyspace, name)] : []),
    switchAgainCommand({ kind, sourceKeyspace, targetKeyspace, workflow: name }, behaviours, { reads: false, journaled: true }),
  ];
}
