import { describe, expect, it } from 'vitest';
import { CommandFailure } from '../../src/cli/command-failure.ts';
import { outputFormat } from '../../src/cli/flags.ts';
import type { Invocation } from '../../src/cli/spec.ts';
import { InvariantError, plainError, UserError, vtError, wrapError } from '../../src/lib/errors.ts';
import { version } from '../../src/version.ts';
import { run } from './harness.ts';

const failing = (error: unknown) => ({
  handler: {
    run: async (): Promise<number> => {
      throw error;
    },
  },
});

describe('a run', () => {
  it('gives the handler its words, flags and surroundings', async () => {
    const { inv, exit } = await run(['movetables', '--target_keyspace=k', 'Progress', '-ww'], { handler: { run: async () => 3 } });
    expect(exit).toBe(3);
    expect(inv?.path).toEqual(['MoveTables', 'status']);
    expect(inv?.args).toEqual([]);
    expect(inv?.flags.str('workflow')).toBe('w');
    expect(inv?.flags.given('format')).toBe(false);
    expect(inv?.flags.str('format')).toBe('text');
    expect(inv?.hardened).toBe(true);
    expect(inv?.signal.aborted).toBe(false);
  });

  it('a getter of the wrong kind or name is a bug', async () => {
    const { inv } = await run(['GetKeyspaces']);
    expect(() => inv?.flags.str('compact')).toThrow(InvariantError);
    expect(() => inv?.flags.bool('dry-run')).toThrow(InvariantError);
    expect(() => inv?.flags.given('dry-run')).toThrow(InvariantError);
  });

  it('prints the version and help on stdout', async () => {
    expect(await run(['--version'])).toMatchObject({ exit: 0, stdout: `switchtraffic version ${version}\n`, stderr: '' });
    const help = await run(['--help']);
    expect(help).toMatchObject({ exit: 0, stderr: '' });
    expect((await run([])).stdout).toBe(help.stdout);
    expect((await run(['help'])).stdout).toBe(help.stdout);
    expect((await run(['help', 'MoveTables', 'create'])).stdout).toBe((await run(['MoveTables', 'create', '-h'])).stdout);
  });
});

describe('--format', () => {
  const format = async (...argv: string[]): Promise<unknown> => {
    let read: unknown;
    const handler = { run: async (inv: Invocation) => ((read = outputFormat(inv)), 0) };
    const { stderr } = await run(['MoveTables', '-ww', '--target-keyspace=k', 'status', ...argv], { handler });
    return read ?? stderr;
  };

  it('is trimmed and in any case', async () => {
    expect(await format()).toBe('text');
    expect(await format('--format', ' JSON ')).toBe('json');
    expect(await format('--format', 'Yaml')).toBe('invalid output format, got Yaml\n');
  });
});

describe('errors', () => {
  const coded = vtError('FAILED_PRECONDITION', 'no streams found');

  it('of the server carry the prefix of gRPC only with --server', async () => {
    expect((await run(['GetKeyspaces'], failing(coded))).stderr).toBe('no streams found\n');
    expect((await run(['GetKeyspaces', '--server', 'localhost:15999'], failing(coded))).stderr).toBe(
      'rpc error: code = Unknown desc = no streams found\n',
    );
    expect((await run(['GetKeyspaces', '--server=internal'], failing(coded))).stderr).toBe(
      'Code: FAILED_PRECONDITION\nno streams found\n',
    );
    const wrapped = wrapError(plainError('inner'), 'outer');
    expect((await run(['GetKeyspaces', '--server=internal'], failing(wrapped))).stderr).toBe('inner\nouter\n');
    expect((await run(['GetKeyspaces', '--server=x'], failing(wrapped))).stderr).toContain('desc = outer: inner\n');
  });

  it('of the client carry none', async () => {
    const { stderr, exit } = await run(['GetKeyspaces', '--server', 's'], failing(new UserError('workflow nope not found')));
    expect({ stderr, exit }).toEqual({ stderr: 'workflow nope not found\n', exit: 1 });
  });

  it('of our own commands say who speaks, what next, and end as they say', async () => {
    const error = new UserError('the lock\nis busy', { exit: 75, next: 'switchtraffic show locks' });
    const own = await run(['demo'], failing(error));
    expect(own).toMatchObject({ exit: 75, stderr: 'switchtraffic: the lock is busy\nnext: switchtraffic show locks\n' });
    const theirs = await run(['GetKeyspaces'], failing(error));
    expect(theirs).toMatchObject({ exit: 1, stderr: 'the lock is busy\nnext: switchtraffic show locks\n' });
    expect((await run(['demo'], failing(coded))).stderr).toBe('switchtraffic: no streams found\n');
  });

  it('by a signal keep its status', async () => {
    expect((await run(['GetKeyspaces'], failing(new UserError('interrupted', { exit: 130 })))).exit).toBe(130);
  });

  it("keep Vitess's line feeds", async () => {
    expect((await run(['GetKeyspaces'], failing(plainError('a\nb')))).stderr).toBe('a\nb\n');
  });

  it('with notes print them after the text', async () => {
    const { stderr, exit } = await run(['GetKeyspaces', '--server=s'], failing(new CommandFailure(coded, ['state: x', 'next: y'])));
    expect(stderr).toBe('rpc error: code = Unknown desc = no streams found\nstate: x\nnext: y\n');
    expect(exit).toBe(1);
  });

  it('of ours, the bugs, ask for a report and end with 70', async () => {
    for (const error of [new InvariantError('broken'), new TypeError('x is not a function'), 'a string']) {
      const { exit, stderr } = await run(['GetKeyspaces'], failing(error));
      expect(exit).toBe(70);
      expect(stderr).toMatch(/^switchtraffic: internal error: .*\nnext: please report this.*\n$/);
      if (error instanceof Error) {
        expect((await run(['GetKeyspaces', '--verbose'], failing(error))).stderr).toContain('main.test.ts');
      }
    }
  });

  it('of the machine are no bugs', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
    expect(await run(['demo'], failing(full))).toMatchObject({ exit: 1, stderr: `switchtraffic: ${full.message}\n` });
    const unbuilt = Object.assign(new Error('was compiled against a different Node.js version'), { code: 'ERR_DLOPEN_FAILED' });
    expect((await run(['demo'], failing(unbuilt))).stderr).toContain('next: npm rebuild better-sqlite3\n');
    expect((await run(['demo'], failing(new Error('Could not locate the bindings file. Tried: …')))).exit).toBe(1);
  });

  it('become JSON objects only when asked for', async () => {
    const { stderr } = await run(['GetKeyspaces', '--log-format', 'json', '--server=s'], failing(vtError('UNKNOWN', 'a <b>')));
    expect(stderr).toBe(
      '{"time":"2026-03-27T19:29:27.123Z","level":"ERROR","source":{"function":"main.main",' +
        '"file":"go/cmd/vtctldclient/main.go","line":63},"msg":"rpc error: code = Unknown desc = a <b>"}\n',
    );
    expect(JSON.parse((await run(['GetKeyspaces', '--log_format=json', '--bogus'])).stderr.split('\n')[1] ?? '')).toMatchObject({
      msg: 'unknown flag: --bogus',
    });
  });

  it('of a reader that went away are none', async () => {
    const write = (): void => {
      throw Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' });
    };
    expect(await run(['--help'], { stdout: { write } })).toMatchObject({ exit: 0, stderr: '' });
  });
});
