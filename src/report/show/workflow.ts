import { formatTable } from '../../lib/table.ts';
import { sideText, type TableTraffic } from '../../workflow/traffic.ts';
import type { StreamFacts, WorkflowFacts } from '../../workflow/facts/workflow.ts';
import { type IntentFacts, intentText } from '../../workflow/facts/intents.ts';
import type { ShowOptions } from './options.ts';
import type { Paint } from '../paint.ts';
import { ago, nameList, wrapWords } from './text.ts';

/** Workflows in full, after what commands have left half done of them, or are at. */
export function renderWorkflows(workflows: readonly WorkflowFacts[], intents: readonly IntentFacts[], options: ShowOptions): string[] {
  const told = intents.flatMap((intent) => [...intentLines(intent, options), '']);
  if (workflows.length === 0) return [...told, 'there are no workflows'];
  return [...told, ...workflows.flatMap((workflow, index) => [...(index === 0 ? [] : ['']), ...workflowLines(workflow, options)])];
}

/** How far a command has come by what it wrote down, step by step. */
function intentLines(intent: IntentFacts, { paint, program, now }: ShowOptions): string[] {
  const { alive, line, step, since, steps, started } = intent;
  const gone = alive !== 'alive';
  const head = wrapWords(intentText(intent), gone ? '! ' : '', '  ', 96);
  return [
    ...(gone ? head.map((text) => paint.red(text)) : head.map((text) => paint.yellow(text))),
    ...steps.map(({ step: name, at }) => paint.dim(`    ${ago(at - started).padStart(8)}  ${name}`)),
    ...(step === undefined || since === undefined ? [] : [`    ${ago(since - started).padStart(8)}  ${step}: begun ${ago(now - since)} ago`]),
    ...(gone ? [`  next: ${program} ${line}`] : []),
  ];
}

function workflowLines(workflow: WorkflowFacts, { paint }: ShowOptions): string[] {
  const { journal, reverse } = workflow;
  return [
    ...workflowSummary(workflow, paint),
    '  streams',
    ...streamTable(workflow, paint),
    ...copyLines(workflow),
    `  reverse  ${reverse === undefined ? 'none' : `${reverse.keyspace}.${reverse.workflow} ${reverse.states.join(', ')}`}`,
    `  journal  ${journal.on.length === 0 ? 'none' : `${journal.id} on ${journal.on.join(', ')}`}${missing(workflow)}`,
    `  frozen   ${workflow.frozen ? 'yes' : 'no'}`,
    ...mirrorLines(workflow),
  ];
}

function mirrorLines({ mirror }: WorkflowFacts): string[] {
  if (mirror === undefined) return [];
  const types = Object.entries(mirror.percent).map(([type, percents]) => `${percents.join(' or ')}% of ${type} reads`);
  return [`  mirrored ${types.join(', ')}; ${mirror.sent} so far, ${mirror.failed} of them failed`];
}

function missing({ journal }: WorkflowFacts): string {
  return journal.on.length > 0 && journal.missing.length > 0 ? `, MISSING on ${journal.missing.join(', ')}` : '';
}

/** What a workflow is, what Vitess prints of it, and what the records really say. */
export function workflowSummary(workflow: WorkflowFacts, paint: Paint, width = 100): string[] {
  const { keyspace, workflow: name, sources, targets, tables, problem } = workflow;
  const from = sources.length === 0 ? '?' : nameList(sources, 3);
  const head = `${paint.bold(`${keyspace}.${name}`)}  ${typeText(workflow)}  ${from} -> ${nameList(targets, 3)}  ${nameList(tables)}`;
  if (problem !== undefined) return [head, ...wrapWords(`${paint.red('cannot be read')}: ${problem}`, '  ', '    ', width)];
  const records = recordsText(workflow);
  const lies = workflow.traffic.some((table) => table.writes.servedBy === undefined);
  return [
    head,
    `  Vitess prints    ${workflow.state}`,
    ...wrapWords(records, '  the records say  ', ' '.repeat(19), width).map((line) => (lies ? paint.red(line) : line)),
  ];
}

/** Its type, and what of its keyspace it moves where that is not all. */
function typeText({ type, kind, tenant }: WorkflowFacts): string {
  if (tenant !== undefined) return `${type} of tenant ${tenant}`;
  return kind === 'partial' ? `${type} of single shards` : type;
}

function recordsText(workflow: WorkflowFacts): string {
  const { streams, reverse, journal, frozen } = workflow;
  const states = [...new Set(streams.map((stream) => stream.state + (stream.message === '' ? '' : ` (${stream.message})`)))];
  return [
    ...trafficTexts(workflow.traffic),
    `streams ${states.join(', ')}`,
    reverse === undefined ? 'no reverse workflow' : `reverse workflow ${reverse.states.join(', ')}${reverse.frozen ? ' (FROZEN)' : ''}`,
    journal.on.length === 0 ? 'no journal' : 'journal written',
    frozen ? 'frozen' : 'not frozen',
  ].join('; ');
}

/** Tables of which the same is true together. */
function trafficTexts(traffic: readonly TableTraffic[]): string[] {
  const groups = new Map<string, string[]>();
  for (const entry of traffic) {
    const { table, writes, sourceDenied, targetDenied } = entry;
    const served = writes.servedBy === undefined ? `REFUSED (${writes.reason ?? 'nobody serves them'})` : `served by ${writes.servedBy}`;
    const key = `${served}, source ${sideText(entry, sourceDenied)}, target ${sideText(entry, targetDenied)}`;
    groups.set(key, [...(groups.get(key) ?? []), table]);
  }
  return [...groups].map(([text, tables]) => `writes of ${nameList(tables)} ${text}`);
}

const STATE_COLOUR: Record<string, 'green' | 'yellow' | 'red'> = { Running: 'green', Copying: 'yellow', Stopped: 'yellow', Error: 'red' };
const LAG_WORTH_A_LOOK_S = 5;

function streamTable({ streams, keyspace, targets }: WorkflowFacts, paint: Paint): string[] {
  const rows = streams.map((stream) => {
    const colour = STATE_COLOUR[stream.state] ?? 'yellow';
    const lag = ago(stream.lagSeconds * 1000);
    const late = stream.state === 'Running' && stream.lagSeconds > LAG_WORTH_A_LOOK_S;
    return [
      String(stream.id),
      stream.from,
      `${keyspace}/${stream.shard}`,
      paint[colour](stream.state),
      late ? paint.yellow(lag) : lag,
      String(stream.rowsCopied),
    ];
  });
  const header = ['ID', 'FROM', 'TO', 'STATE', 'LAG', 'COPIED'];
  return [
    ...formatTable(rows, { header, right: [0, 4, 5], indent: '    ' }).split('\n'),
    ...streams.flatMap((stream) => streamNotes(stream, targets.length > 1 ? `${keyspace}/${stream.shard} stream ${stream.id}` : `stream ${stream.id}`, paint)),
  ];
}

function streamNotes({ position, message, state, stored, copying }: StreamFacts, name: string, paint: Paint): string[] {
  return [
    paint.dim(`    ${name} is at ${position === '' ? 'no position yet' : position}`),
    ...(message === '' ? [] : wrapWords(`message: ${message}`, `    ${name} `, '      ')),
    ...(stored === state ? [] : [paint.dim(`    ${name} is stored as ${stored}`)]),
    ...(copying.length === 0 ? [] : [paint.yellow(`    ${name} has yet to copy ${nameList(copying)}`)]),
  ];
}

function copyLines({ copy }: WorkflowFacts): string[] {
  const tables = Object.entries(copy);
  if (tables.length === 0) return [];
  const rows = tables.map(([table, progress]) => [
    table,
    `${progress.rows_copied ?? '0'} of ${progress.rows_total ?? '0'} rows`,
    `${Math.floor(Number(progress.rows_percentage ?? 0))}%`,
    String(progress.phase ?? ''),
  ]);
  return ['  copy', ...formatTable(rows, { right: [2], indent: '    ' }).split('\n')];
}
