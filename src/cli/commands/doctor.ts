import { UserError } from '../../lib/errors.ts';
import { loading } from '../../lib/loading.ts';
import { kindOfCode, problemEntry, PROBLEMS, type ProblemKind } from '../../lib/problems.ts';
import { withCluster } from '../cluster.ts';
import { printFacts } from '../facts-output.ts';
import { colorLevel, createPaint } from '../paint.ts';
import { programOf } from '../program-words.ts';
import type { Invocation } from '../spec.ts';
import { typedLine } from '../typed-line.ts';
import { unknownName } from '../unknown-name.ts';

/**
 * Says what is wrong with the cluster. Takes no lock and changes nothing, unless told to repair. Exit 0 where nothing is wrong, 1 where
 * something is, 2 where it cannot look.
 */
export async function run(inv: Invocation): Promise<number> {
  try {
    return await examine(inv);
  } catch (error) {
    // 1 says that something was found: a cluster that is not there is no finding.
    if (!(error instanceof UserError) || error.exit !== 1 || inv.flags.bool('fix')) throw error;
    throw new UserError(error.message, { ...(error.next !== undefined && { next: error.next }), exit: 2, cause: error });
  }
}

async function examine(inv: Invocation): Promise<number> {
  const { flags } = inv;
  const wanted = { only: flags.strings('only').map(codeNamed), skip: flags.strings('skip').map(codeNamed) };
  if (flags.given('explain')) return explain(inv, codeNamed(flags.str('explain')));
  const kinds = inv.args.map(codeNamed);
  if (kinds.length > 0 && !flags.bool('fix')) {
    const codes = inv.args.join(',');
    throw new UserError(`${inv.args.join(' ')}: codes stand behind --fix`, { next: `to see only these: switchtraffic doctor --only ${codes}; what one means: switchtraffic doctor --explain ${inv.args[0]}`, exit: 2 });
  }
  if (flags.bool('fix') && !flags.bool('dry-run')) {
    if (flags.bool('plan')) throw new UserError('--plan changes nothing, --fix repairs: which of the two?', { exit: 2 });
    const { runFix } = await loading(import('./doctor-fix.ts'));
    return runFix(inv, { ...wanted, kinds });
  }
  return withCluster(inv, {}, async ({ ctx, cluster }) => {
    const { diagnose } = await loading(import('../../doctor/diagnose.ts'));
    // A dry run of a fix is the plan of what it would repair.
    const notNamed = kinds.length === 0 ? [] : (Object.keys(PROBLEMS) as ProblemKind[]).filter((kind) => !kinds.includes(kind));
    const diagnosis = await diagnose(ctx, cluster, { ...wanted, skip: [...wanted.skip, ...notNamed] });
    const { diagnosisFacts, renderDiagnosis } = await loading(import('../../report/doctor/text.ts'));
    if (flags.str('format') === 'json') printFacts(inv, diagnosisFacts(diagnosis, cluster.release.name, typedLine(flags)));
    else {
      const paint = await createPaint(colorLevel(inv.io.stdout, flags, inv.io.env));
      const lines = renderDiagnosis(diagnosis, { paint, program: programOf(flags), typed: typedLine(flags), now: cluster.world.clock.now() });
      inv.io.stdout.write(lines.map((line) => `${line.trimEnd()}\n`).join(''));
    }
    return diagnosis.healthy ? 0 : 1;
  });
}

/** The kind that a code names. Throws UserError with the nearest code, where there is none. */
function codeNamed(code: string): ProblemKind {
  const kind = kindOfCode(code);
  if (kind !== undefined) return kind;
  throw unknownName('code', code.toUpperCase(), Object.values(PROBLEMS).map((entry) => entry.code).toSorted(), 'every code: docs/codes.md');
}

async function explain(inv: Invocation, kind: ProblemKind): Promise<number> {
  if (inv.flags.str('format') === 'json') {
    printFacts(inv, { kind, ...problemEntry(kind) });
    return 0;
  }
  const { renderCode } = await loading(import('../../report/doctor/explain.ts'));
  const paint = await createPaint(colorLevel(inv.io.stdout, inv.flags, inv.io.env));
  inv.io.stdout.write(renderCode(kind, paint).map((line) => `${line.trimEnd()}\n`).join(''));
  return 0;
}
