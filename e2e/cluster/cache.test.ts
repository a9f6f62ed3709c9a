import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { rejection, spec } from '../../testing/spec.ts';
import { filesUnder, keyOf, keyOfFiles, once, prune } from './cache.ts';

async function inScratch(body: (directory: string) => unknown): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'herald-cache-'));
  try {
    await body(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

spec('cache', (test) => {
  test('keys tell the parts and their borders apart', () => {
    assert.is(keyOf('a', 'b'), keyOf('a', 'b'));
    assert.is.not(keyOf('ab', 'c'), keyOf('a', 'bc'));
    assert.is.not(keyOf('a', 'b'), keyOf('b', 'a'));
    assert.match(keyOf('a'), /^[0-9a-f]{16}$/);
  });
  test('keys of files follow their content, not their order or directory', () =>
    inScratch((directory) => {
      for (const copy of ['one', 'two']) {
        mkdirSync(join(directory, copy));
        writeFileSync(join(directory, copy, 'a'), 'A');
        writeFileSync(join(directory, copy, 'b'), 'B');
      }
      const one = filesUnder(join(directory, 'one'));
      assert.is(keyOfFiles(one), keyOfFiles(one.toReversed()));
      assert.is(keyOfFiles(one), keyOfFiles(filesUnder(join(directory, 'two'))));
      writeFileSync(join(directory, 'two', 'b'), 'C');
      assert.is.not(keyOfFiles(one), keyOfFiles(filesUnder(join(directory, 'two'))));
    }));
  test('builds a thing once', () =>
    inScratch(async (directory) => {
      let builds = 0;
      const build = async (path: string) => {
        builds += 1;
        writeFileSync(path, 'whole');
      };
      await once(join(directory, 'sub', 'thing'), build);
      await once(join(directory, 'sub', 'thing'), build);
      assert.is(builds, 1);
      assert.is(readFileSync(join(directory, 'sub', 'thing'), 'utf8'), 'whole');
    }));
  test('an interrupted build leaves nothing that looks finished and is done again from nothing', () =>
    inScratch(async (directory) => {
      const path = join(directory, 'thing');
      await rejection(Error, () =>
        once(path, async (unfinished) => {
          mkdirSync(unfinished);
          writeFileSync(join(unfinished, 'half'), '');
          throw new Error('interrupted');
        }),
      );
      assert.not(existsSync(path));
      await once(path, async (unfinished) => {
        assert.not(existsSync(unfinished));
        mkdirSync(unfinished);
      });
      assert.equal(readdirSync(path), []);
    }));
  test('prune keeps what was used last and nothing unfinished', () =>
    inScratch((directory) => {
      for (const [name, seconds] of [
        ['node-old', 1],
        ['node-new', 3],
        ['node-mid', 2],
        ['node-x.unfinished.root', 9],
        ['host-old', 0],
      ] as const) {
        writeFileSync(join(directory, name), '');
        utimesSync(join(directory, name), seconds, seconds);
      }
      prune(directory, 'node-', 2);
      assert.equal(readdirSync(directory).toSorted(), ['host-old', 'node-mid', 'node-new']);
    }));
});
