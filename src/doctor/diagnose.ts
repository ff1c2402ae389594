import type { Behaviours } from '../lib/behaviours.ts';
import { problemEntry, type ProblemKind } from '../lib/problems.ts';
import type { Context } from '../runtime/context.ts';
import { type Diagnosis, type Problem, severityOf, severityRank } from '../report/doctor/diagnosis.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { findStranded, withWorkers } from '../workflow/facts/stranded.ts';
import { areasOf } from './areas.ts';
import { causeOf } from './cause.ts';
import { DETECTORS, KNOWING_MORE, notesOf } from './detect/all.ts';
import type { Finding } from './finding.ts';
import { groupByCause } from './group.ts';
import { type DoctorPicture, gatherDoctorPicture, nameOfShard } from './picture.ts';
import { undoOf } from './undo.ts';
import { impactOf, repairWords } from './words.ts';

/** Which kinds are asked for: all, unless `only` names some; never those of `skip`. */
export interface Wanted {
  only: readonly ProblemKind[];
  skip: readonly ProblemKind[];
}

const EVERYTHING: Wanted = { only: [], skip: [] };

/** Reads the whole cluster, takes no lock and changes nothing, and says what is wrong with it. */
export async function diagnose(ctx: Context, cluster: Cluster, wanted: Wanted = EVERYTHING): Promise<Diagnosis> {
  return judge(await gatherDoctorPicture(ctx, cluster), cluster.release.behaviours, wanted);
}

/** What is wrong with a cluster of which this is the picture. */
export function judge(picture: DoctorPicture, behaviours: Behaviours, { only, skip }: Wanted = EVERYTHING): Diagnosis {
  const stranded = findStranded(picture, behaviours).map((finding) => KNOWING_MORE.reduce((known, more) => more(known, picture, behaviours), finding as Finding));
  const findings: Finding[] = [...stranded, ...DETECTORS.flatMap((detect) => detect(picture, behaviours))];
  const shardOf = (alias: string): string | undefined => picture.shards.filter(({ tablets }) => tablets.some((tablet) => tablet.alias === alias)).map(nameOfShard)[0];
  const all = groupByCause(withWorkers(picture.locks, findings).map((finding) => problemOf(finding, picture)), shardOf);
  // Who asks for one kind wants to see it under whatever problem it is told.
  const isWanted = ({ kind, also }: Problem): boolean => (only.length === 0 || [kind, ...also.map((one) => one.kind)].some((one) => only.includes(one))) && !skip.includes(kind);
  const problems = inOrder(all.filter(isWanted));
  return { verdict: verdictOf(problems), healthy: problems.length === 0, problems, notes: notesOf(picture, problems), areas: areasOf(picture, problems) };
}

function problemOf(finding: ReturnType<typeof withWorkers<Finding>>[number], picture: DoctorPicture): Problem {
  const { kind, object, keyspaces, workflows, text, next, atWork } = finding;
  const cause = causeOf(finding, picture);
  return {
    kind,
    object,
    keyspaces,
    workflows,
    also: [],
    evidence: finding.evidence ?? [text],
    impact: finding.impact ?? impactOf(finding),
    cause: cause?.text,
    since: cause?.at,
    atWork: atWork?.owner,
    repairs: finding.repairs ?? (next.length === 0 ? [] : [{ ...repairWords(finding), commands: next, undo: undoOf(next) }]),
    note: finding.note ?? (next.length === 0 && finding.repairs === undefined ? problemEntry(kind).cure : undefined),
  };
}

/** The worst first; but a tablet or a cell that is down, and a lock that is held, stand before what cannot be mended without them. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const isPlace = ({ kind }: Problem): boolean => /^SWT0[19]/.test(problemEntry(kind).code);
  const worstOf = (problem: Problem): number =>
    isPlace(problem)
      ? Math.min(severityRank(problem), ...problems.filter((other) => other.keyspaces.some((keyspace) => problem.keyspaces.includes(keyspace))).map(severityRank))
      : severityRank(problem);
  return problems.toSorted((a, b) => worstOf(a) - worstOf(b) || Number(isPlace(b)) - Number(isPlace(a)));
}

/** `2 problems in commerce, customer: writes of corder, customer: nobody serves them`. */
function verdictOf(problems: readonly Problem[]): string {
  if (problems.length === 0) return 'healthy: every query is served where it is routed, and nothing was left behind';
  const keyspaces = [...new Set(problems.flatMap((problem) => problem.keyspaces))].toSorted();
  const blocking = problems.filter((problem) => severityOf(problem) === 'blocking');
  const what = blocking.length === 0 ? 'no query is refused' : [...new Set(blocking.flatMap((problem) => problem.impact[0] ?? []))].join('; ');
  const where = keyspaces.length === 0 ? '' : ` in ${keyspaces.join(', ')}`;
  return `${problems.length} problem${problems.length === 1 ? '' : 's'}${where}: ${what}`;
}
