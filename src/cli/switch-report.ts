import { errorText } from '../lib/errors.ts';
import { formatDuration } from '../lib/duration.ts';
import { problemEntry, type ProblemKind } from '../lib/problems.ts';
import { background } from '../runtime/context.ts';
import { missingPrivileges, readGrants } from '../tablet/privileges.ts';
import { readProcesses } from '../tablet/process.ts';
import { readStream, readStreams, STOPPED_FOR_CUTOVER } from '../tablet/vreplication/streams.ts';
import { underlying } from '../lib/errors.ts';
import { DeadlockError } from '../topo/conn/deadlock.ts';
import { LockLostError } from '../topo/lost-locks.ts';
import { stoppedCells } from '../topo/cells.ts';
import { shardText } from '../topo/keyspaces.ts';
import { aliasText } from '../topo/tablets.ts';
import { cureCommand, freeCommands, recoveryCommands, reshardRecoveryCommands, RESUME_LAG, startCommand, switchReverseCommand } from '../workflow/recovery.ts';
import { readTraffic, sideText, type TableTraffic } from '../workflow/traffic.ts';
import { compareReleases, describeOutcome, type Failure, targetDeniedAtFirst } from '../workflow/switch/outcome.ts';
import { measureOutage, type Outage } from '../workflow/switch/outage.ts';
import type { SwitchRun } from '../workflow/switch/run.ts';
import { currentStreams, type StreamMigrator } from '../workflow/switch/stream-migrator.ts';
import type { TrafficSwitcher } from '../workflow/switcher.ts';
import type { SwitchEnd } from '../workflow/switch/runner.ts';
import type { SwitchFailed } from '../workflow/switch/switch-failed.ts';
import type { CommandScope } from './scope.ts';
import { commandAgain } from './command-again.ts';
import type { Invocation } from './spec.ts';

/** What clients felt of a switch; the lines are kept in the history too. `served`: the records say that writes are, whoever put that right. */
export async function outageNotes({ cluster }: CommandScope, run: SwitchRun, served = false): Promise<string[]> {
  // A switch that has succeeded must not fail over what is told of it.
  const outage = await measureOutage(run).catch(() => undefined);
  const lines = outage === undefined ? [] : outageLines(outage, served);
  for (const text of lines) cluster.world.events.emit({ kind: 'outage', text });
  return lines;
}

function outageLines({ tables, forMs, still, refused, buffered }: Outage, served: boolean): string[] {
  const names = tables.join(', ');
  const so = formatDuration(forMs);
  const count = refused === 0 ? '' : `; tablets refused ${statements(refused)}`;
  // Where a roll-back failed half-way nobody has noted when they were served again, if they were refused at all.
  const ended = `writes to ${names} were refused for ${so}${still ? ' at the most' : ''}`;
  const writes = still && !served ? `writes to ${names} have been refused for ${so} and still are` : ended;
  if (buffered === undefined) return [`${writes}${count}`];
  return [`${writes}${count}`, `buffered for ${formatDuration(buffered.forMs)}, ${statements(buffered.statements)}`];
}

function statements(count: number): string {
  return `${count} statement${count === 1 ? '' : 's'}`;
}

/** The lines after the error of a failed switch: the state left, what to do next, what other releases leave. */
export async function failureNotes(inv: Invocation, scope: CommandScope, failed: SwitchFailed): Promise<string[]> {
  const { cluster } = scope;
  const { run } = failed;
  const traffic = await readTraffic(background(), cluster, run.sw);
  const outage = await outageNotes(scope, run, traffic.every((table) => table.writes.servedBy !== undefined));
  return [
    '',
    `state: ${endText(failed, traffic)}`,
    ...traffic.map((table) => `  ${trafficLine(table)}`),
    ...outage.map((line) => `  ${line}`),
    ...scope.events.flatMap((event) => (event.kind === 'log' && event.level === 'error' ? [`log: ${event.text}`] : [])),
    ...(await downLines(run)),
    ...lostLines(run),
    ...nextLines(inv, failed, traffic),
    ...(isMadeAlready(failed, traffic) ? [] : otherReleases(scope, failed)),
    ...codeLine(failed, traffic),
  ];
}

/** The last line: the code of what is left behind, if anything is, for whoever reads no further. */
function codeLine(failed: SwitchFailed, traffic: readonly TableTraffic[]): string[] {
  const kind = isMadeAlready(failed, traffic) ? undefined : leftBehind(failed, traffic);
  if (kind === undefined) return [];
  const { code, title } = problemEntry(kind);
  return [`State: ${code} ${title}. Run: switchtraffic doctor`];
}

/** What `doctor` will say of the state, by what is known of the run already. */
function leftBehind({ end, run }: SwitchFailed, traffic: readonly TableTraffic[]): ProblemKind | undefined {
  if (run.intent !== undefined && (end.end === 'roll-back failed' || end.end === 'exited')) return 'intent';
  if ((end.end === 'forward only' && run.path.writes) || run.path.resume) return 'journal-without-frozen';
  if (traffic.some(isRefused) || deniedToTenants(run, traffic).length > 0) return 'refused';
  return streamsLeft(run).length > 0 ? 'stopped-for-cutover' : undefined;
}

/** True for the second switch of single shards: a release does not know that they are switched, and meets a frozen workflow (K50). */
function isMadeAlready({ end, run: { sw } }: SwitchFailed, traffic: readonly TableTraffic[]): boolean {
  const thereAlready = traffic.every(({ writes }) => writes.servedBy?.startsWith(`${sw.targetKeyspace}/`));
  return sw.kind === 'partial' && sw.frozen && end.end === 'nothing changed' && thereAlready;
}

/** True where everything that changes anything was done, and a lock was gone when it was to be released. */
function isAllDone({ end, failedAt }: SwitchEnd): boolean {
  return end === 'forward only' && failedAt?.name.includes('/unlock') === true;
}

function endText({ end, run }: SwitchFailed, traffic: readonly TableTraffic[]): string {
  const refused = traffic.filter(isRefused).map((table) => table.table);
  if (run.intent !== undefined && end.end === 'roll-back failed') {
    const felt = refused.length > 0 ? `; until it is finished nobody serves writes to ${refused.join(', ')}` : '';
    return `the roll-back was interrupted, what is left of it is recorded${felt}`;
  }
  if (refused.length > 0 && end.end !== 'forward only' && end.end !== 'exited') {
    return `STRANDED: nobody serves writes to ${refused.join(', ')}; ${whyRefused(end)} on ${run.cluster.release.name}`;
  }
  const shared = deniedToTenants(run, traffic);
  if (shared.length > 0) {
    const { targetKeyspace } = run.sw;
    return `STRANDED: ${targetKeyspace} refuses ${shared.join(', ')} to every tenant that has moved there; the roll-back denied them on ${run.cluster.release.name}`;
  }
  switch (end.end) {
    case 'exited':
      return 'the command was ended where it stood: nothing was rolled back, its locks are released';
    case 'rolled back':
      return run.cluster.release.vitess ? 'the roll-back ran' : 'rolled back; everything is as it was before the command';
    case 'roll-back failed':
      return isPutBack(run, traffic) ? 'the roll-back says that it failed, but the records are right: there is nothing to clean up' : 'the roll-back failed';
    case 'nothing changed':
      return 'nothing was changed';
    case 'left as is':
      return 'what was done before the failure is left as it is';
    case 'stranded':
      return 'source writes were stopped, and this failure rolls nothing back on this release';
    default:
      if (isAllDone(end)) return `the ${run.path.writes ? 'traffic is' : 'reads are'} switched, all of it: only the release of a lock failed`;
      if (!run.path.writes) return 'the reads are switched, but the command did not come to its end';
      return 'past the point of no return; the switch can only be completed';
  }
}

/** Tables that all tenants share, denied by the roll-back of one of them (#17794). */
function deniedToTenants({ sw }: SwitchRun, traffic: readonly TableTraffic[]): string[] {
  if (sw.kind !== 'multi-tenant') return [];
  return traffic.filter((table) => table.writes.servedBy === sw.sourceKeyspace && table.targetDenied).map((table) => table.table);
}

/** True if every record is what it was before the switch, whatever the roll-back says (F08). */
function isPutBack({ sw, path, cluster }: SwitchRun, traffic: readonly TableTraffic[]): boolean {
  const denied = sw.kind === 'shards' || targetDeniedAtFirst(cluster.release.behaviours, path);
  return (
    traffic.every((table) => !table.sourceDenied && table.targetDenied === denied) &&
    sw.targets.every(({ db, streams }) => streams.every(({ row }) => readStream(db, row.id)?.state === row.state)) &&
    sw.sources.every(({ db }) => readStreams(db, sw.reverseWorkflow).length === 0)
  );
}

/** True where nobody serves the writes, and not because a tablet is stopped: the switch can do nothing about that. */
function isRefused({ writes, down }: TableTraffic): boolean {
  return writes.servedBy === undefined && down.length === 0;
}

function whyRefused({ end }: SwitchEnd): string {
  if (end === 'stranded') return 'this failure rolls nothing back';
  // The switch had not got to the writes: somebody before it left them so.
  if (end === 'nothing changed' || end === 'left as is') return 'they were refused before this command, which rolls nothing back';
  return 'the roll-back did not put it right';
}

function trafficLine(table: TableTraffic): string {
  const write = table.writes.servedBy ?? 'nobody';
  const detail = table.writes.reason === undefined ? '' : ` (${table.writes.reason})`;
  return `${table.table}: writes served by ${write}${detail}; source ${sideText(table, table.sourceDenied)}, target ${sideText(table, table.targetDenied)}`;
}

function nextLines(inv: Invocation, failed: SwitchFailed, traffic: readonly TableTraffic[]): string[] {
  const { end, run } = failed;
  if (isMadeAlready(failed, traffic)) return [`next: nothing: traffic of shard ${run.sw.targets.map(({ info }) => info.name).join(', ')} goes to ${run.sw.targetKeyspace} already`];
  const again = commandAgain(inv);
  const blocked = traffic.some(isRefused);
  if (end.end === 'nothing changed' || end.error instanceof LockLostError) {
    const [deadlock, lost] = [underlying(end.error, DeadlockError), underlying(end.error, LockLostError)];
    if (deadlock !== undefined) return [`next: run it again when the other has ended: switchtraffic ${again}`];
    if (lost !== undefined && isAllDone(end)) return [`next: nothing is left to do; who has had the lock: ${lost.next?.replace(/^.*: /, '') ?? ''}`];
    if (lost !== undefined) return [`next: ${lost.next ?? ''}`];
  }
  // The intent says what is left to do; the same command does that first.
  if (run.intent !== undefined && end.end === 'roll-back failed') {
    return [`next: finish the roll-back by running it again, once the cause is cured: switchtraffic ${again}`];
  }
  if (end.end === 'exited' && run.intent !== undefined) {
    return [`next: the same command finds what was left and settles it first: switchtraffic ${again}`];
  }
  // A journal of an earlier attempt: whatever failed now, going back is over.
  if (end.end === 'forward only' || run.path.resume) {
    const lag = run.cluster.release.behaviours.resumeChecksLag ? ` ${RESUME_LAG}` : '';
    return [`next: complete it with the same command: switchtraffic ${again}${lag}`];
  }
  if (!blocked && isOriginalLost(run)) {
    const command = switchReverseCommand(run.sw, run.request.tabletTypes);
    return [`next: cure the cause, then go on with the workflow that is left: switchtraffic ${command}`];
  }
  const shared = deniedToTenants(run, traffic);
  if (shared.length > 0) {
    const free = run.sw.targets.flatMap((target) => freeCommands(target.info, shared));
    return ['next: let the other tenants write again:', ...free.map((command) => `  switchtraffic ${command}`)];
  }
  if (!blocked) {
    const start = streamsLeft(run);
    if (start.length === 0) return [`next: cure the cause, then run it again: switchtraffic ${again}`];
    return ['next: cure the cause, set the streams going again that were left stopped, then run it again:', ...[...start, again].map((command) => `  switchtraffic ${command}`)];
  }
  return ['next: let writes flow again:', ...byHand(run).map((command) => `  switchtraffic ${command}`)];
}

/** True for a reversal whose roll-back took the workflow that was to be reversed for a half-made reverse one (#14276). */
function isOriginalLost({ sw, request }: SwitchRun): boolean {
  const reversal = request.direction === 'backward' && sw.workflow !== request.workflow;
  return reversal && sw.sources.every((source) => readStreams(source.db, sw.reverseWorkflow).length === 0);
}

/** Tablets and cells that answer nothing, and how that ends. */
async function downLines({ sw, cluster }: SwitchRun): Promise<string[]> {
  const cells = await stoppedCells(background(), cluster.topo);
  const tablets = [...sw.sources, ...sw.targets].flatMap(({ db, info }) =>
    [...readProcesses(db)].map(([alias, { stopped, busy = '', base = 'REPLICA' }]) => {
      const what = stopped ? 'stopped' : `in a ${busy.toLowerCase()}`;
      return `down: ${alias} of ${shardText(info)} is ${what}: switchtraffic ${cureCommand(alias, stopped, base)}`;
    }),
  );
  return [...tablets, ...cells.map((cell) => `down: the topology of cell ${cell}: switchtraffic cell start ${cell}`)];
}

function lostLines(run: SwitchRun): string[] {
  if (!isOriginalLost(run)) return [];
  const { sw } = run;
  return [
    `  the workflow ${sw.sourceKeyspace}.${sw.reverseWorkflow} is gone; what is left is ${sw.targetKeyspace}.${sw.workflow} (vitessio/vitess#14276)`,
    `  never cancel or complete ${sw.workflow} without --keep-data: its tables are the ones that serve`,
  ];
}

/** The roll-back by hand of a failed switch. */
function byHand({ sw, cluster, migrator }: SwitchRun): string[] {
  if (sw.kind === 'shards') return reshardByHand(sw, migrator);
  const { targetKeyspace, workflow, tables, kind } = sw;
  const sources = sw.sources.map((source) => source.info);
  const targets = sw.targets.map((target) => target.info);
  return recoveryCommands({ targetKeyspace, workflow, tables, kind, sources, targets }, cluster.release.behaviours);
}

/** What sets streams going again that a roll-back was to start, and did not: the next switch would find them lagging, or stopped. */
function streamsLeft({ sw, migrator }: SwitchRun): string[] {
  const stopped = sw.targets.some((target) => readStreams(target.db, sw.workflow).some((row) => row.state === 'Stopped' && row.message === STOPPED_FOR_CUTOVER));
  const own = stopped ? [startCommand(sw.targetKeyspace, sw.workflow)] : [];
  if (sw.kind !== 'shards') return own;
  const others = reshardByHand(sw, migrator, []);
  // The last of them starts the Reshard itself.
  return others.length > 1 ? others : own;
}

/** The streams of other workflows as they stand now; `sources` are those whose query service is to be turned on. */
function reshardByHand(sw: TrafficSwitcher, migrator: StreamMigrator | undefined, sources = sw.sources.map(({ info }) => info)): string[] {
  const stopped = sw.sources.flatMap((source) =>
    (migrator === undefined ? [] : currentStreams(migrator, source))
      .filter(({ row }) => row.message !== '' || row.state === 'Stopped')
      .map(({ row }) => ({ workflow: row.workflow, tablet: aliasText(source.primary.alias), id: row.id, stopPosition: row.stop_pos ?? '' })),
  );
  const copies = sw.targets.flatMap((target) => {
    const made = readStreams(target.db).filter((row) => (migrator?.workflows ?? []).includes(row.workflow));
    return [...new Set(made.map((row) => row.workflow))].map((workflow) => ({ workflow, tablet: aliasText(target.primary.alias) }));
  });
  return reshardRecoveryCommands({ keyspace: sw.targetKeyspace, workflow: sw.workflow, sources, stopped, copies });
}

/** What in the cluster made it fail, as far as releases see that differently. */
function causeOf({ cluster, sw }: SwitchRun, error: string): Pick<Failure, 'cause'> {
  if (error.includes("Data too long for column 'val'")) {
    return { cause: { kind: 'journal', bytes: cluster.release.behaviours.journalValueBytes + 1 } };
  }
  if (!cluster.release.behaviours.sequenceNullMaximum && error.includes('Cannot convert value to desired type')) return { cause: { kind: 'null maximum' } };
  if (/sequence table metadata: map\[[^\]]*`/.test(error)) return { cause: { kind: 'escaped sequence' } };
  if (!/vreplication (table|metadata permissions)|for table 'vreplication'/.test(error)) return {};
  return { cause: { kind: 'privileges', missing: sw.sources.some((source) => missingPrivileges(readGrants(source.db)).length > 0) } };
}

function otherReleases({ cluster, events }: CommandScope, { end, run }: SwitchFailed): string[] {
  const step = end.failedAt;
  if (step === undefined || end.end === 'exited') return [];
  // What a release leaves is computed for a step that was done or not, and not for one that was done on some targets.
  if (events.some((event) => event.kind === 'fault' && event.point.startsWith(`${step.name}:mid`))) return [];
  const failure: Failure = {
    step: step.name,
    occurrence: step.occurrence,
    effectDone: events.some((event) => event.kind === 'fault' && event.point.startsWith(`${step.name}:after`)),
    callerEnded: run.ctx.err() !== undefined,
    locksLost: /\blease\b|lock was lost|is not locked/.test(errorText(end.error)),
    ...causeOf(run, errorText(end.error)),
  };
  const groups = compareReleases(run.path, failure);
  return [
    'the same failure on other releases:',
    ...groups.map((group) => {
      const others = group.releases.filter((name) => name !== cluster.release.name);
      return others.length === 0 ? '' : `  ${describeOutcome(group.outcome)}: ${others.join(', ')}`;
    }),
  ].filter((line) => line !== '');
}
