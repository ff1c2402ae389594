import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseArgv } from '../../src/cli/argv.ts';
import { rootCommand } from '../../src/cli/commands.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { allChains, run } from './harness.ts';

const switchtraffic = ['MoveTables', '-w', 'w', '--target-keyspace', 'k', 'switchtraffic'];
const v21 = { env: { SWITCHTRAFFIC_VITESS_VERSION: 'v21' } };

/** Vitess's texts, on a release line: nothing is added to them. */
describe('generic errors of vtctldclient', () => {
  it.each([
    ['unknown command: foo', ['foo']],
    ['unknown flag: --workflow', ['MoveTabels', '--workflow', 'w', 'switchtraffic']],
    ['unknown command "extra" for "vtctldclient MoveTables switchtraffic"', [...switchtraffic, 'extra']],
    ['unknown command "false" for "vtctldclient MoveTables switchtraffic"', [...switchtraffic, '--dry-run', 'false']],
    ['accepts 1 arg(s), received 0', ['GetShard']],
    ['accepts 2 arg(s), received 1', ['SetShardTabletControl', 'k/0']],
    ['accepts 1 arg(s), received 0', ['Workflow', '--keyspace', 'k']],
    ['required flag(s) "target-keyspace", "workflow" not set', ['MoveTables', 'switchtraffic']],
    ['unknown flag: --bogus', [...switchtraffic, '--bogus']],
    ['unknown flag: --target-key_space', ['MoveTables', '--target-key_space', 'k', 'show']],
    ['unknown flag: --version', ['GetKeyspaces', '--version']],
    ["unknown shorthand flag: 'z' in -z", [...switchtraffic, '-z']],
    ['flag needs an argument: --timeout', [...switchtraffic, '--timeout']],
    ["flag needs an argument: 'w' in -w", ['MoveTables', 'show', '-w']],
    ['bad flag syntax: --=x', ['GetKeyspaces', '--=x']],
    [
      'invalid argument "maybe" for "--dry-run" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
      [...switchtraffic, '--dry-run=maybe'],
    ],
    ['invalid argument "30" for "--timeout" flag: time: missing unit in duration "30"', [...switchtraffic, '--timeout', '30']],
    ['invalid argument "5x" for "--timeout" flag: time: unknown unit "x" in duration "5x"', [...switchtraffic, '--timeout=5x']],
    [
      'invalid argument "abc" for "--percent" flag: strconv.ParseFloat: parsing "abc": invalid syntax',
      ['MoveTables', 'mirrortraffic', '--percent', 'abc'],
    ],
    ['invalid argument "foo" for "--tablet-types" flag: unknown TabletType foo', [...switchtraffic, '--tablet-types', 'foo']],
    [
      'invalid argument "foo" for "-t, --tablet-types" flag: unknown TabletType foo',
      ['Workflow', 'update', '--tablet-types', 'foo'],
    ],
    [
      'invalid argument "a\\"b" for "--tables" flag: parse error on line 1, column 2: bare " in non-quoted-field',
      ['MoveTables', 'create', '--tables', 'a"b'],
    ],
  ])('%s', async (text, argv) => {
    expect(await run(argv, v21)).toEqual({ exit: 1, stdout: '', stderr: `${text}\n`, inv: undefined });
  });
});

describe('the order of checks', () => {
  it('a bad flag before help, help before everything else', async () => {
    expect((await run([...switchtraffic, '--help', '--bogus'])).exit).toBe(1);
    for (const argv of [['MoveTables', 'switchtraffic', 'extra', '-h'], ['GetShard', '--help'], ['MoveTables', 'nope', '--help']]) {
      const { exit, stdout, stderr } = await run(argv);
      expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
      expect(stdout).toContain('Usage:');
    }
  });

  it('the number of arguments, the own checks, required flags, the run', async () => {
    const handler = {
      validate: () => {
        throw new UsageError('own check', 'vtctldclient');
      },
    };
    expect((await run(['MoveTables', 'create', 'extra'], { handler })).stderr).toContain('unknown command "extra"');
    expect((await run(['MoveTables', 'create'], { handler })).stderr).toBe('own check\n');
    expect((await run(['MoveTables', 'create'])).stderr).toContain('required flag(s) "source-keyspace", "target-keyspace"');
  });

  it('a flag of a level is not known above it, and known anywhere below', async () => {
    expect((await run(['Workflow', '--workflow', 'w', 'show'], v21)).stderr).toBe('unknown flag: --workflow\n');
    const { inv } = await run(['--compact', 'MoveTables', '-w', 'w', 'show', '--target-keyspace=k', '--server', 's:1']);
    expect(inv?.path).toEqual(['MoveTables', 'show']);
    expect(inv?.flags.str('server')).toBe('s:1');
    expect(inv?.flags.bool('compact')).toBe(true);
  });

  it('-- ends the flags', async () => {
    expect((await run(['query', '--', '--x'])).inv?.args).toEqual(['--x']);
  });
});

describe('mistakes that Vitess lets pass', () => {
  it.each([
    ['unknown command "switchTrafic" for "vtctldclient MoveTables" (did you mean "switchtraffic"?)', ['MoveTables', 'switchTrafic']],
    ['unknown command "shwo" for "vtctldclient Workflow" (did you mean "show"?)', ['Workflow', '-k', 'k', 'shwo']],
    ['unknown command: MoveTabels (did you mean "MoveTables"?)', ['MoveTabels']],
    ['unknown command: xyzzy', ['xyzzy']],
    [
      'unknown flag: --workflow ("MoveTabels" is not a command: did you mean "MoveTables"?)',
      ['MoveTabels', '--workflow', 'w', 'switchtraffic'],
    ],
    ['unknown flag: --dry-rn (did you mean "--dry-run"?)', [...switchtraffic, '--dry-rn']],
    ['unknown flag: --workflow (a flag of "show": it goes after that word)', ['Workflow', '--workflow', 'w', 'show']],
    ['timeout value must be at least 1 second', ['MoveTables', '-w', 'w', '--target-keyspace', 'k', 'reversetraffic', '--timeout=0s']],
    ['timeout value must be at least 1 second', ['MoveTables', '-w', 'w', '--target-keyspace', 'k', 'switchtraffic', '--timeout', '500ms']],
    ['switchtraffic --tablet-types "" would switch nothing: name at least one tablet type', [...switchtraffic, '--tablet-types', '']],
  ])('hardened refuses: %s', async (text, argv) => {
    expect(await run(argv)).toEqual({ exit: 1, stdout: '', stderr: `${text}\n`, inv: undefined });
  });

  it('a release line does what the release does, and warns', async () => {
    const typo = await run(['MoveTables', 'switchTrafic', '--vitess-version', '21']);
    expect(typo.exit).toBe(0);
    expect(typo.stdout).toContain('Available Commands:');
    expect(typo.stderr).toMatch(/^warning: unknown command "switchTrafic"/);
    const empty = await run([...switchtraffic, '--tablet-types='], v21);
    expect(empty.exit).toBe(0);
    expect(empty.inv?.hardened).toBe(false);
    expect(empty.stderr.match(/^warning: /gm)).toHaveLength(1);
  });

  it('an explicit hardened is the default', async () => {
    expect((await run([...switchtraffic, '--tablet-types=', '--vitess-version=hardened'], v21)).exit).toBe(1);
    expect((await run([...switchtraffic, '--force=false'])).inv?.hardened).toBe(true);
  });

  it('an unknown release is refused', async () => {
    const { exit, stderr, inv } = await run(['GetKeyspaces', '--vitess-version', 'v99']);
    expect({ exit, inv }).toEqual({ exit: 1, inv: undefined });
    expect(stderr).toContain('unknown Vitess version "v99"');
    expect((await run(['steps', '--vitess-version', 'v99'])).exit).toBe(2);
  });
});

describe('our own commands', () => {
  it('end with 2 on a usage error and say who speaks', async () => {
    expect(await run(['query'])).toMatchObject({ exit: 2, stderr: 'switchtraffic: accepts 1 arg(s), received 0\n' });
    expect((await run(['show', 'tabel'])).stderr).toBe(
      'switchtraffic: unknown command "tabel" for "switchtraffic show" (did you mean "tablet"?)\n',
    );
    expect((await run(['query', 'x', '--format', 'yaml'])).stderr).toBe(
      'switchtraffic: invalid argument "yaml" for "--format" flag: must be one of text, json\n',
    );
    expect((await run(['steps', 'a', 'b'])).stderr).toBe('switchtraffic: accepts at most 1 arg(s), received 2\n');
  });
});

describe('any command line at all', () => {
  const vocabulary = allChains().flatMap((chain) => {
    const command = chain.at(-1);
    return [command?.name ?? '', ...(command?.flags ?? []).flatMap((f) => [`--${f.name}`, `--${f.name}=1`, `-${f.short ?? 'h'}`])];
  });
  const word = fc.oneof(fc.constantFrom(...vocabulary), fc.string(), fc.constantFrom('--', '-', '--=', '-h=', '--help', '"'));

  it('is parsed, or refused with a UsageError in one line', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), fc.boolean(), (argv, hardened) => {
        try {
          expect(['run', 'help', 'version']).toContain(parseArgv(rootCommand, argv, { hardened, warn: () => {} }).kind);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('ends with 0, 1 or 2, and text on one stream only', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 8 }), async (argv) => {
        const { exit, stdout, stderr } = await run(argv);
        expect([0, 1, 2]).toContain(exit);
        if (exit !== 0) expect([stdout, stderr !== '']).toEqual(['', true]);
        // Whatever was typed, it cannot forge a line or a colour: deprecations, the error, what to do next.
        if (!argv.join('').includes('json')) expect(stderr).not.toMatch(/[^\P{Cc}\n]/u);
      }),
      { numRuns: 300 },
    );
  });
});
