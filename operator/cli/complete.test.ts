import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { candidatesFor } from './complete.ts';
import { memoryIo } from './testing/memory-io.ts';

const MAIN = resolve('operator/main.ts');

spec(
  'completion',
  (test) => {
    const cases: [words: string[], some: string, directive: string][] = [
      [[''], 'status', ':4'],
      [['sta'], 'status', ':4'],
      [['spe'], 'speaker', ':4'],
      [['status', '--o'], '--output', ':4'],
      [['status', '-o', 'j'], 'json', ':4'],
      [['status', '--output', 'y'], 'yaml', ':4'],
      [['status', '--kubeconfig', ''], '', ':0'],
      [['completion', 'f'], 'fish', ':4'],
      [['nothing', ''], '', ':4'],
    ];
    for (const [words, some, directive] of cases)
      test(`of "${words.join(' ')}" is ${some || 'left to the shell'}`, async () => {
        const found = await candidatesFor(words, memoryIo());
        assert.is(found.directive, directive);
        if (some) assert.ok(found.words.includes(some), found.words.join(' '));
        else assert.equal(found.words, []);
      });

    test('offers nothing where there is no cluster to ask', async () => {
      assert.equal(await candidatesFor(['explain', ''], memoryIo()), { words: [], directive: ':4' });
    });

    test('of bash completes a command and leaves files to bash', () => {
      const folder = mkdtempSync(join(tmpdir(), 'herald-completion-'));
      try {
        writeFileSync(join(folder, 'herald'), `#!/bin/sh\nexec ${process.execPath} ${MAIN} "$@"\n`, { mode: 0o755 });
        const script = execFileSync(process.execPath, [MAIN, 'completion', 'bash'], { encoding: 'utf8' });
        const ask = (...words: string[]): string => {
          const line = words.map((word) => `'${word}'`).join(' ');
          const body = `${script}\nCOMP_WORDS=(herald ${line}); COMP_CWORD=${words.length}; _herald; echo "\${COMPREPLY[*]}"`;
          const env = { PATH: `${folder}:${process.env['PATH']}` };
          return spawnSync('bash', ['-c', body], { encoding: 'utf8', env }).stdout.trim();
        };
        assert.is(ask('exp'), 'explain');
        assert.is(ask('status', '-o', ''), 'table json yaml');
        assert.is(ask('status', '--kubeconfig', ''), '');
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  },
  { timeoutMs: 30_000 },
);
