import { describe, expect, it } from 'vitest';
import type { Io, OutStream } from '../../src/cli/io.ts';
import { colorLevel, createPaint } from '../../src/cli/paint.ts';
import { canAnimate, createProgress } from '../../src/cli/progress.ts';
import { run } from './harness.ts';

describe('colours', () => {
  const level = async (argv: string[], env: Record<string, string>, isTTY: boolean): Promise<number> => {
    const { inv } = await run(['GetKeyspaces', ...argv]);
    if (inv === undefined) throw new Error('did not run');
    return colorLevel({ write: () => {}, isTTY, columns: 80 }, inv.flags, env);
  };

  it.each([
    [[], {}, true, 1],
    [[], {}, false, 0],
    [[], { TERM: 'dumb' }, true, 0],
    [[], { NO_COLOR: '1' }, true, 0],
    [[], { NO_COLOR: '' }, true, 1],
    [[], { NO_COLOR: '1', FORCE_COLOR: '1' }, true, 0],
    [[], { FORCE_COLOR: '1' }, false, 1],
    [[], { FORCE_COLOR: '3' }, false, 3],
    [[], { FORCE_COLOR: '0' }, true, 0],
    [['--no-color'], { FORCE_COLOR: '1' }, true, 0],
    [['--no-color', '--color=always'], {}, false, 1],
    [['--color', 'always'], { NO_COLOR: '1' }, false, 1],
    [['--color=never'], { FORCE_COLOR: '1' }, true, 0],
    [['--color=auto'], { NO_COLOR: '1' }, true, 0],
    [['--no-color=false'], {}, true, 1],
  ] as const)('%j %j tty=%s: level %i', async (argv, env, isTTY, expected) => {
    expect(await level([...argv], env, isTTY)).toBe(expected);
  });

  it('are codes at level 1 and nothing at level 0', async () => {
    expect((await createPaint(0)).red('x')).toBe('x');
    expect((await createPaint(1)).red('x')).toBe('\u001b[31mx\u001b[39m');
  });
});

describe('progress', () => {
  const io = (stderr: Partial<OutStream>, env: Record<string, string> = {}): { io: Io; text: () => string } => {
    let text = '';
    const write = (more: string): void => void (text += more);
    const out: OutStream = { write, isTTY: false, columns: 80, ...stderr };
    return { io: { stdout: out, stderr: out, env, cwd: '/', now: () => 0 }, text: () => text };
  };
  const raw = process.stderr;

  it('is animated on a terminal with a width only', () => {
    expect(canAnimate(io({ isTTY: true, raw }).io)).toBe(true);
    expect(canAnimate(io({ isTTY: true, raw, columns: 0 }).io)).toBe(false);
    expect(canAnimate(io({ raw }).io)).toBe(false);
    expect(canAnimate(io({ isTTY: true, raw }, { CI: 'true' }).io)).toBe(false);
    expect(canAnimate(io({ isTTY: true, raw }, { CI: 'false' }).io)).toBe(true);
    expect(canAnimate(io({ isTTY: true, raw }).io, { json: true })).toBe(false);
  });

  it('is one line per finished step otherwise', async () => {
    const { io: plain, text } = io({ isTTY: true, raw, columns: 0 });
    const progress = await createProgress(plain);
    progress.step('lock');
    expect(text()).toBe('');
    progress.step('stop writes');
    progress.fail();
    progress.fail();
    progress.step('unlock');
    progress.done();
    expect(text()).toBe('ok     lock\nfailed stop writes\nok     unlock\n');
  });

  it('is nothing when quiet', async () => {
    const { io: plain, text } = io({});
    const progress = await createProgress(plain, { quiet: true });
    progress.step('lock');
    progress.done();
    expect(text()).toBe('');
  });
});
