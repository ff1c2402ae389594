import type { Behaviours } from '../../../lib/behaviours.ts';
import { stopCommand, switchAgainCommand } from '../../recovery.ts';
import { type IntentFacts, intentText } from '../intents.ts';
import type { WorkflowFacts } from '../workflow.ts';
import { type Found, lockName, type Picture, unique } from './found.ts';

/** A switch on `hardened` that did not end. */
export function leftIntent(intent: IntentFacts): Found[] {
  if (intent.alive === 'alive') return [];
  return [
    {
      kind: 'intent',
      object: `${intent.keyspace}.${intent.workflow}`,
      keyspaces: unique([intent.sourceKeyspace, intent.keyspace]),
      workflows: [lockName(intent)],
      text: intentText(intent),
      next: [intent.line],
    },
  ];
}

/** The intent that explains what is found in these keyspaces, and whose end will put it right. */
export function intentAt({ intents }: Picture, keyspaces: Iterable<string>): IntentFacts | undefined {
  const wanted = new Set(keyspaces);
  return intents.find((intent) => wanted.has(intent.sourceKeyspace) || wanted.has(intent.keyspace));
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
