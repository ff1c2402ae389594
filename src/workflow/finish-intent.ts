import type { Context } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { finishCreate } from './create/finish.ts';
import type { CreateIntent } from './create/intent.ts';
import { finishEnding } from './end/finish.ts';
import type { EndIntent } from './end/intent.ts';
import type { IntentHead } from './intent/record.ts';
import type { SwitchIntent } from './switch/intent.ts';
import { type Finished, finishSwitch } from './switch/settle.ts';

/**
 * Finishes what a command that is gone has begun, whatever it was, as the same command line would before anything else: a switch
 * goes back to exactly the state before it, or forward where a source has its journal; a complete or a cancel goes forward; a
 * create goes back, or forward where its streams may run. Only for `hardened`, which alone writes intents (`allIntents`, `findIntent` of intent/record.ts).
 *
 * It needs the lock of the workflow (`lockNameOf`) and those of both keyspaces, in this order; those that `ctx` holds are
 * inherited, the others are taken, which waits (`--lock-timeout`) for an owner that is at work, and of an owner of whom nothing
 * can be known for the end of its lease. Resolves to what was done; `gone`: somebody else was quicker. It can be called again
 * until it is done. Throws what stands in the way (a tablet that does not answer, SwitchFailed past the journal), with the
 * intent standing.
 */
export async function finishIntent(ctx: Context, cluster: Cluster, intent: IntentHead): Promise<Finished> {
  switch (intent.verb) {
    case 'complete':
    case 'cancel':
      return (await finishEnding(ctx, cluster, intent as EndIntent)) === undefined ? 'gone' : 'forward';
    case 'create':
      return finishCreate(ctx, cluster, intent as CreateIntent);
    default:
      return finishSwitch(ctx, cluster, intent as SwitchIntent);
  }
}
