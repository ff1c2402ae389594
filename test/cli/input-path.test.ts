import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { inputPath } from '../../src/cli/input-path.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'switchtraffic-input-')));
afterAll(() => rmSync(root, { recursive: true, force: true }));
mkdirSync(join(root, 'own/sub'), { recursive: true });
writeFileSync(join(root, 'secret.sql'), '');
writeFileSync(join(root, 'own/mine.sql'), '');
symlinkSync(join(root, 'secret.sql'), join(root, 'own/link.sql'));
symlinkSync(root, join(root, 'own/up'));
symlinkSync('mine.sql', join(root, 'own/inner.sql'));
symlinkSync(join(root, 'own'), join(root, 'other-name'));
mkdirSync(join(root, 'own-too'));

const confined = { cwd: root, within: 'own' };

describe('a file that a command names', () => {
  it('counts from the working directory, or from the folder given', () => {
    expect(inputPath({ cwd: root }, 'a.sql')).toBe(join(root, 'a.sql'));
    expect(inputPath({ cwd: root }, 'a.sql', 'own')).toBe(join(root, 'own/a.sql'));
    expect(inputPath({ cwd: root }, '../a.sql')).toBe(join(root, '../a.sql'));
  });

  it.each(['own/mine.sql', 'own/new.sql', 'own/inner.sql', 'own/sub/../mine.sql', join(root, 'own/mine.sql'), 'other-name/mine.sql', 'own'])('%s is within', (path) => {
    expect(inputPath(confined, path)).toContain(root);
  });

  it.each(['secret.sql', 'own/../secret.sql', '../x', '/etc/passwd', 'own/link.sql', 'own/up/secret.sql', 'own/up/new.sql', 'own-too/a.sql', '.'])('%s is not', (path) => {
    expect(() => inputPath(confined, path)).toThrow(expect.objectContaining({ exit: 2, message: `the file ${path} is outside of the scenario's folder` }));
  });
});
