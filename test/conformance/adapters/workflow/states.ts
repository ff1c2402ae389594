import { getWorkflowState, stateText } from '../../../../src/workflow/state.ts';
import { shown, Skipped } from '../../fields.ts';
import type { World } from '../../world.ts';
import type { Stage } from './stage.ts';

/** What has to be switched for a state, from one where nothing is: the flags of each command. */
function switchesFor(text: string): string[][] {
  const [, reads = '', writes = ''] = /^(.*)\. (Writes (?:Not )?Switched)$/.exec(text) ?? [];
  if (writes === '') throw new Skipped(`not a state that can be brought about: ${shown(text)}`);
  const last = writes === 'Writes Switched' ? [['--tablet-types', 'primary']] : [];
  if (reads === 'Reads Not Switched') return last;
  if (reads === 'All Reads Switched') return [['--tablet-types', 'replica,rdonly'], ...last];
  const [, replica = '', rdonly = ''] = /^Reads partially switched\. (.*)\. (.*)$/.exec(reads) ?? [];
  if (rdonly === '') throw new Skipped(`not a state that can be brought about: ${shown(text)}`);
  return [...partly('replica', replica), ...partly('rdonly', rdonly), ...last];
}

function partly(type: string, text: string): string[][] {
  const word = type === 'replica' ? 'Replica' : 'Rdonly';
  if (text === `${word} not switched`) return [];
  if (text === `All ${word} Reads Switched`) return [['--tablet-types', type]];
  const cells = new RegExp(`^${word} switched in cells: (\\S+)$`).exec(text)?.[1];
  if (cells === undefined) throw new Skipped(`not a state that can be brought about: ${shown(text)}`);
  return [['--tablet-types', type, '--cells', cells]];
}

/** Reads a state; the step that brings it about throws unless it comes about. */
export function readState(text: string): (stage: Stage) => Promise<void> {
  const switches = switchesFor(text);
  return async (stage) => {
    for (const flags of switches) await stage.prepare('switchtraffic', ...flags);
    const got = await stateOf(stage.world, stage.scene.workflow.target, stage.scene.workflow.name);
    if (got !== text) throw new Skipped(`the state ${shown(text)} did not come about, but ${shown(got)}`);
  };
}

/** The state of a workflow as commands print it. */
export async function stateOf(world: World, keyspace: string, workflow: string): Promise<string> {
  const { ctx, cluster } = world.engine();
  const { state } = await getWorkflowState(ctx, cluster, keyspace, workflow);
  return stateText(state);
}
