import { execFileSync, spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { decodeObject } from '../operator/host/bpf/object-file.ts';
import { spec } from '../testing/spec.ts';
import { archivePathOf, platformOf, targetArch } from './debian.ts';
import { type Elf, readElf } from './elf.ts';

const ARCH = targetArch();
const ARCHIVE = archivePathOf(ARCH);
/** Nothing of another platform is executed here. */
const isOwn = ARCH === process.arch;
const MIB = 1024 * 1024;

interface Manifest {
  readonly Config: string;
  readonly RepoTags: readonly string[];
  readonly Layers: readonly string[];
}

/** Unpacks the archive as a container runtime would: every layer over the one before. */
function unpacked(): { directory: string; root: string; manifest: Manifest } {
  const directory = mkdtempSync(join(tmpdir(), 'herald-image-'));
  const root = join(directory, 'root');
  mkdirSync(root, { mode: 0o755 });
  execFileSync('chmod', ['755', directory]);
  execFileSync('tar', ['-xf', ARCHIVE, '-C', directory]);
  const [manifest] = JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8')) as [Manifest];
  for (const layer of manifest.Layers) execFileSync('tar', ['-xf', join(directory, layer), '-C', root]);
  return { directory, root, manifest };
}

const image = unpacked();
process.on('exit', () => rmSync(image.directory, { recursive: true, force: true }));
const isRoot = process.getuid?.() === 0;

/** Runs a program inside of the image's root, as the user of the operator where that needs no more than root. */
function inside(...command: readonly string[]): { code: number | null; out: string; err: string } {
  const [program = '', ...args] = isRoot
    ? ['/usr/sbin/chroot', '--userspec=65532:65532', image.root, ...command]
    : ['/usr/bin/unshare', '--map-root-user', `--root=${image.root}`, ...command];
  // Only the image's own environment: what works here works without anything of this machine.
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env: environmentOfImage() });
  return { code: status, out: stdout, err: stderr };
}

const config = JSON.parse(readFileSync(join(image.directory, image.manifest.Config), 'utf8')) as {
  readonly architecture: string;
  readonly config: { readonly Env: readonly string[]; readonly Entrypoint: readonly string[]; readonly User: string };
};
const environmentOfImage = (): Record<string, string> =>
  Object.fromEntries(config.config.Env.map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]));

/** Every program and library of the image, by its path there. */
function programs(): ReadonlyMap<string, Elf> {
  const files = readdirSync(image.root, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !entry.name.endsWith('.bpf.o'), // a program for the kernel
  );
  const read = files.map(({ parentPath, name }) => {
    const path = join(parentPath, name);
    return [path.slice(image.root.length), readElf(readFileSync(path))] as const;
  });
  return new Map(read.filter((entry): entry is readonly [string, Elf] => entry[1] !== undefined));
}

spec(
  'the image',
  (test) => {
    test('is small, tagged with the version and runs as nobody of importance', () => {
      const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
      assert.equal(image.manifest.RepoTags, [`herald:${version}`]);
      assert.is(config.config.User, '65532:65532');
      assert.ok(statSync(ARCHIVE).size < 250 * MIB, `${statSync(ARCHIVE).size / MIB} MiB`);
    });

    test('holds programs of its platform alone, with every library that they need and the loader that they name', () => {
      const { architecture, triplet } = platformOf(ARCH);
      assert.is(config.architecture, architecture);
      const found = programs();
      const paths = [...found.keys()].sort();
      assert.ok(paths.includes('/usr/local/bin/node'), `${paths}`);
      assert.ok(
        paths.some((path) => path.endsWith('/koffi.node')),
        `${paths}`,
      );
      for (const [path, { machine, needed, interpreter }] of found) {
        assert.is(machine, architecture, path);
        for (const name of needed) assert.ok(found.has(`/lib/${triplet}/${name}`), `${path} needs ${name}`);
        if (interpreter)
          assert.ok(lstatSync(join(image.root, interpreter)).isSymbolicLink(), `${path}: ${interpreter}`);
      }
      assert.ok(found.get('/usr/local/bin/node')?.interpreter, 'node names a loader');
    });

    test('holds the entry points of its threads', () => {
      for (const thread of ['clock-thread', 'wire-thread'])
        assert.ok(statSync(join(image.root, `opt/herald/${thread}.js`)).isFile(), thread);
    });

    test('holds the program that answers in the kernel, which is the same for every platform', () => {
      const { maps } = decodeObject(readFileSync(join(image.root, 'opt/herald/responder.bpf.o')));
      assert.equal([...maps.keys()].toSorted(), ['addresses', 'counters', 'interfaces', 'lease']);
    });

    test('has no shell and no package manager', () => {
      for (const program of ['bin/sh', 'usr/bin/sh', 'bin/bash', 'usr/bin/apt', 'usr/local/bin/npm'])
        assert.throws(() => statSync(join(image.root, program)), 'ENOENT');
    });
  },
  { timeoutMs: 60_000 },
);

if (isOwn)
  spec(
    'the image, running',
    (test) => {
      test('runs `herald` found on its PATH and as its entry point', () => {
        for (const herald of ['herald', ...config.config.Entrypoint]) {
          const { code, out, err } = inside(herald, '--help');
          assert.is(code, 0, err);
          assert.match(out, 'herald speaker');
        }
      });

      for (const role of ['operator', 'speaker'])
        test(`ends with 2 when ${role} is given settings that do not exist`, () => {
          const { code, err } = inside('herald', role, '--bad');
          assert.is(code, 2, err);
          assert.match(err, '--bad does not exist');
        });

      test('loads the C library through its own copy of koffi', () => {
        const script =
          "import('/opt/herald/node_modules/koffi/index.js').then(({default: koffi}) => console.log(koffi.load('libc.so.6').func('int getuid()')()))";
        const { code, out, err } = inside('node', '-e', script);
        assert.is(code, 0, err);
        assert.is(out.trim(), isRoot ? '65532' : '0');
      });
    },
    { timeoutMs: 60_000 },
  );
