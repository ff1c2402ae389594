import type { Diagnosis, Problem } from '../report/doctor/diagnosis.ts';
import { isAtWork } from '../workflow/facts/locks.ts';
import type { Picture } from '../workflow/facts/stranded/found.ts';

/** What was looked at, and of how much of it no problem speaks. */
export function areasOf(picture: Picture, problems: readonly Problem[]): Diagnosis['areas'] {
  const named = new Set(problems.flatMap((problem) => [problem.object, ...problem.object.split(', '), ...problem.workflows]));
  const bad = (names: readonly string[]): boolean => names.some((name) => named.has(name));
  const area = (name: string, all: readonly string[][]): Diagnosis['areas'][number] => ({ name, looked: all.length, well: all.filter((names) => !bad(names)).length });
  return [
    area('shards', picture.shards.map(({ keyspace, shard }) => [`${keyspace}/${shard}`])),
    area('tablets', picture.shards.flatMap(({ tablets }) => tablets.map(({ alias }) => [alias]))),
    area('cells', picture.routing.cells.map((cell) => [`cell ${cell}`])),
    area('workflows', picture.workflows.map(({ keyspace, workflow }) => [`${keyspace}/${workflow}`, `${keyspace}.${workflow}`])),
    { name: 'locks', looked: picture.locks.length, well: picture.locks.filter(({ holder }) => holder === undefined || isAtWork(holder)).length },
  ].filter(({ looked }) => looked > 0);
}
