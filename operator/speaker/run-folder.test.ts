import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { type KeptState, RunFolder } from './run-folder.ts';

const state: KeptState = {
  savedAt: '2026-01-01T00:00:00.000Z',
  peers: [{ node: 'b', address: '192.0.2.2' }],
  announcements: [
    { service: 'shop/web', address: '198.51.100.1', candidates: ['a', 'b'], interfaces: 'all' },
    { service: 'shop/api', address: '198.51.100.2', candidates: ['b'], interfaces: ['eth0'] },
  ],
};

function inFolder(body: (path: string) => void): void {
  const path = mkdtempSync(join(tmpdir(), 'herald-run-'));
  try {
    body(path);
  } finally {
    rmSync(path, { recursive: true });
  }
}

spec('run folder', (test) => {
  test('gives back what it kept, for the same node only', () =>
    inFolder((path) => {
      new RunFolder(path, 'a').save(state);
      const { savedAt, peers, announcements } = new RunFolder(path, 'a').load() ?? {};
      assert.equal({ savedAt, peers, announcements }, state);
      assert.is(new RunFolder(path, 'b').load(), undefined);
      assert.equal(readdirSync(path), ['desired.json'], 'no temporary file is left');
    }));
  test('has nothing where nothing readable is', () =>
    inFolder((path) => {
      const folder = new RunFolder(path, 'a');
      assert.is(folder.load(), undefined);
      for (const text of ['', '{', '{}', JSON.stringify({ ...state, version: 2, node: 'a' })]) {
        writeFileSync(join(path, 'desired.json'), text);
        assert.is(folder.load(), undefined, text);
      }
    }));
  test('gives ascending incarnations though the clock is set back', () =>
    inFolder((path) => {
      assert.is(new RunFolder(path, 'a').nextIncarnation(1_000), 1_000);
      assert.is(new RunFolder(path, 'a').nextIncarnation(5), 1_001);
      assert.is(new RunFolder(path, 'a').nextIncarnation(2_000), 2_000);
    }));
  test('gives an incarnation though the folder cannot be written', () =>
    inFolder((path) => {
      assert.is(new RunFolder(join(path, 'not', 'there'), 'a').nextIncarnation(7), 7);
    }));
});
