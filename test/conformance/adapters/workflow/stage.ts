import { takeFingerprint } from '../../../../src/workflow/facts/fingerprint.ts';
import { Mismatch, Skipped } from '../../fields.ts';
import type { Scene } from '../../scene.ts';
import type { Answer, World } from '../../world.ts';

/** A case under way: the cluster, what was there before, what the commands answered. */
export class Stage {
  readonly scene: Scene;
  world: World;
  /** The state before the commands, once they are about to run. */
  before: unknown;
  /** How many events had been logged by then. */
  eventsBefore = 0;
  answers: Answer[] = [];
  /** The workflow that commands are about, where a case has several. */
  asked: Scene['asked'];
  /** Where a case has several inputs, each run anew: the stage of each. */
  inputs: Stage[] = [];

  constructor(scene: Scene, world: World) {
    this.scene = scene;
    this.world = world;
  }

  /** One like this, which goes its own way. */
  fork(): Stage {
    const other = new Stage(this.scene, this.world.fork());
    other.before = this.before;
    other.asked = this.asked;
    return other;
  }

  /** The answer of the last command. */
  get answer(): Answer {
    const last = this.answers.at(-1);
    if (last === undefined) throw new Error('no command was run');
    return last;
  }

  /** Remembers the state as it is now, for those who ask whether it changed. */
  async remember(): Promise<void> {
    this.before = await this.print();
    this.eventsBefore = this.world.events.length;
  }

  async print(): Promise<unknown> {
    const { ctx, cluster } = this.world.engine();
    return takeFingerprint(ctx, cluster);
  }

  /** What was logged since `remember`. */
  get logged(): string[] {
    return this.world.events.slice(this.eventsBefore).flatMap((event) => (event.kind === 'log' ? [event.text] : []));
  }

  /** The words before a subcommand of the workflow. */
  get words(): string[] {
    const { type, name, target } = this.asked ?? this.scene.workflow;
    return [type, '--workflow', name, '--target-keyspace', target];
  }

  /** Runs a subcommand of the workflow. */
  async run(...argv: string[]): Promise<Answer> {
    const answer = await this.world.run(...this.words, ...argv);
    this.answers.push(answer);
    return answer;
  }

  /** Runs one that prepares the case. */
  async prepare(...argv: string[]): Promise<void> {
    await this.world.prepare(...this.words, ...argv);
  }

  /** The shards of a keyspace. Throws Skipped for one that the case does not have. */
  shardsOf(keyspace: string): string[] {
    const found = this.scene.keyspaces.find((candidate) => candidate.name === keyspace);
    if (found === undefined) throw new Skipped(`the case has no keyspace ${keyspace}`);
    return found.shards;
  }

  /** The shards of the workflow's own side. */
  side(which: 'source' | 'target'): { keyspace: string; shards: string[] } {
    const { workflow } = this.scene;
    const keyspace = workflow[which];
    const some = which === 'source' ? workflow.sourceShards : workflow.targetShards;
    return { keyspace, shards: some ?? this.shardsOf(keyspace) };
  }

  /** The keyspace and shard that `keyspace/shard` means. */
  shardOf(text: string): [keyspace: string, shard: string] {
    const slash = text.indexOf('/');
    const [keyspace, shard] = [text.slice(0, slash), text.slice(slash + 1)];
    if (slash < 1 || !this.shardsOf(keyspace).includes(shard)) throw new Mismatch(`there is no shard ${text}`);
    return [keyspace, shard];
  }
}

/** Something that prepares a case, or looks at what came of it. */
export type StageStep = (stage: Stage) => void | Promise<void>;
