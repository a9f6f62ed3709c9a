import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { spec } from '../testing/spec.ts';
import { archiveOf, sha256 } from './archive.ts';
import { type TarEntry, tarOf } from './tar.ts';

const entries: TarEntry[] = [
  { type: 'file', path: 'usr/local/bin/run', content: Buffer.from('#!'), mode: 0o755 },
  { type: 'file', path: 'etc/empty', content: Buffer.alloc(0) },
  { type: 'file', path: 'etc/block', content: Buffer.alloc(512, 'x') },
  { type: 'symlink', path: 'lib64/loader', target: '/lib/loader' },
  { type: 'directory', path: 'tmp', mode: 0o1777 },
];

/** What tar itself makes of an archive, in a directory that is gone afterwards. */
function extracted<T>(tar: Buffer, look: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'herald-tar-'));
  try {
    writeFileSync(join(directory, 'archive.tar'), tar);
    execFileSync('tar', ['-xpf', 'archive.tar'], { cwd: directory });
    return look(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

spec('tar', (test) => {
  test('is read by tar with contents, modes and links as they were', () => {
    extracted(tarOf(entries), (directory) => {
      assert.is(readFileSync(join(directory, 'usr/local/bin/run'), 'utf8'), '#!');
      assert.is(statSync(join(directory, 'usr/local/bin/run')).mode & 0o7777, 0o755);
      assert.is(statSync(join(directory, 'etc/empty')).size, 0);
      assert.is(statSync(join(directory, 'etc/block')).size, 512);
      assert.is(statSync(join(directory, 'tmp')).mode & 0o7777, 0o1777);
      assert.is(readlinkSync(join(directory, 'lib64/loader')), '/lib/loader');
    });
  });

  test('is the same whatever the order of its entries', () => {
    assert.is(sha256(tarOf(entries)), sha256(tarOf(entries.toReversed())));
  });

  test('refuses a name that its header cannot hold', () => {
    assert.throws(() => tarOf([{ type: 'file', path: 'x'.repeat(101), content: Buffer.alloc(0) }]), 'too long');
  });
});

spec('image archive', (test) => {
  const layers = [
    { tar: tarOf(entries), createdBy: 'runtime' },
    { tar: tarOf([]), createdBy: 'product' },
  ];
  const { tar, imageId } = archiveOf({ tag: 'herald:1.2.3', architecture: 'amd64', layers, config: { User: '1:1' } });

  test('names its layers by the digests of what they hold', () => {
    extracted(tar, (directory) => {
      const json = (path: string): unknown => JSON.parse(readFileSync(join(directory, path), 'utf8'));
      const [manifest] = json('manifest.json') as [{ Config: string; RepoTags: string[]; Layers: string[] }];
      const config = json(manifest.Config) as { rootfs: { diff_ids: string[] }; config: unknown };
      assert.equal(manifest.RepoTags, ['herald:1.2.3']);
      assert.is(sha256(readFileSync(join(directory, manifest.Config))), imageId);
      const digests = manifest.Layers.map((path) => `sha256:${sha256(readFileSync(join(directory, path)))}`);
      assert.equal(config.rootfs.diff_ids, digests);
      assert.is(digests.length, 2);
      assert.equal(config.config, { User: '1:1' });
    });
  });

  test('changes its name with any octet of a layer', () => {
    const other = archiveOf({ tag: 'herald:1.2.3', architecture: 'amd64', layers: layers.toReversed(), config: {} });
    assert.not.equal(other.imageId, imageId);
  });
});
