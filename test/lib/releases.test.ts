import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/lib/errors.ts';
import { findRelease, LANDMARKS } from '../../src/lib/releases.ts';

describe('the name of a release', () => {
  it.each([
    ['hardened', 'hardened'],
    [' Hardened ', 'hardened'],
    ['18', '18.0.8'],
    ['v19', '19.0.10'],
    ['20', '20.0.8'],
    ['v21', '21.0.6'],
    ['V21', '21.0.6'],
    ['21.0', '21.0.6'],
    ['22', '22.0.4'],
    ['23', '23.0.7'],
    ['24', '24.0.4'],
    ['v21.0.2', '21.0.2'],
    ['21.0.2', '21.0.2'],
    ['21.0.0', '21.0.0'],
    ['24.0.0', '24.0.0'],
    ['24.0.0-SNAPSHOT', '24.0.0-SNAPSHOT'],
    ['v24.0.0-snapshot', '24.0.0-SNAPSHOT'],
  ])('"%s" is %s', (name, expected) => {
    expect(findRelease(name).name).toBe(expected);
  });

  it.each(['', 'v', '17', '25', '21.1', '21.1.0', '21.0.99', '21.0.7', 'v21.0.2-rc1', 'latest', '21.', '21.0.2.1', '-21', '1e1', 'harden', '23.0.0-SNAPSHOT', 'vv21'])(
    '"%s" is none, and the error says which there are',
    (name) => {
      const run = (): unknown => findRelease(name);
      expect(run).toThrow(UserError);
      expect(run).toThrow(
        `unknown Vitess version "${name}"; there are hardened, 18.0.0 to 18.0.8, 19.0.0 to 19.0.10, 20.0.0 to 20.0.8, ` +
          '21.0.0 to 21.0.6, 22.0.0 to 22.0.4, 23.0.0 to 23.0.7, 24.0.0 to 24.0.4 and 24.0.0-SNAPSHOT',
      );
    },
  );

  it('that is wrong is a usage error', () => {
    try {
      findRelease('latest');
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ exit: 2 });
    }
  });

  it('finds the same release again', () => {
    for (const name of [...LANDMARKS, 'hardened', '24']) {
      const release = findRelease(name);
      expect(findRelease(release.name)).toEqual(release);
      expect(findRelease(`v${release.name}`)).toEqual(release);
    }
  });

  it('never fails but with a UserError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^v?\d{1,3}(\.\d{1,2}){0,3}$/)), (name) => {
        try {
          expect(findRelease(name).name).not.toBe('');
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
    );
  });
});

describe('releases', () => {
  it("of Vitess are all but hardened", () => {
    expect(findRelease('hardened').vitess).toBe(false);
    for (const name of LANDMARKS) expect(findRelease(name).vitess).toBe(true);
  });

  it('that are landmarks are known by their full names, oldest first', () => {
    for (const name of LANDMARKS) expect(findRelease(name).name).toBe(name);
    const rank = (name: string): number => name.split(/[.-]/).slice(0, 3).reduce((sum, part) => sum * 100 + Number(part), 0);
    expect(LANDMARKS.map(rank)).toEqual(LANDMARKS.map(rank).toSorted((a, b) => a - b));
  });

  it('that are landmarks stand on both sides of each change of the roll-back', () => {
    const behaviours = LANDMARKS.map((name) => findRelease(name).behaviours.rollbackContext);
    expect(behaviours).toEqual([
      'caller', // 18.0.8
      'caller', 'detached', 'inherited', // 19.0.8, .9, .10
      'caller', 'detached', 'inherited', // 20.0.4, .5, .6
      'caller', 'detached', 'inherited', // 21.0.1, .2, .3
      'inherited', 'inherited', 'inherited', // 22, 23, 24
    ]);
  });
});
