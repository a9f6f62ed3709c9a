/** The kernel's driver against the host contract, in a network namespace of its own. Needs root; run as its own process. */

import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { rejection, spec } from '../../testing/spec.ts';
import { missingCapabilities } from './capabilities.ts';
import { type HostUnderTest, hostContract } from './host-contract.ts';
import { HostError } from './host-error.ts';
import { KernelHost } from './kernel-host.ts';
import { accept } from './socket-filter.ts';

const INSIDE = 'HERALD_TEST_NAMESPACE';
const ip = (args: string): string => execFileSync('ip', args.split(' '), { encoding: 'utf8' });

/** A veth pair: `left` is the interface under test, `right` the world outside. */
async function make(): Promise<HostUnderTest> {
  ip('link add name left address 02:00:00:00:00:02 type veth peer name right address 02:00:00:00:00:03');
  for (const name of ['left', 'right']) ip(`link set dev ${name} up`);
  const host = new KernelHost();
  const right = host.interfaces().find(({ name }) => name === 'right');
  const emitted: Uint8Array[] = [];
  const outside = host.openPacketSocket({
    interfaceIndex: right?.index ?? 0,
    protocol: 'Arp',
    filter: [accept()],
    onFrame: (frame) => emitted.push(frame.slice()),
    onError: () => undefined,
  });
  return {
    host,
    deliver: (frame) => outside.send(frame),
    emitted: () => emitted,
    setLink: (state) => void ip(`link set dev left ${state}`),
    remove: () => void ip('link del dev left'),
    close: () => {
      outside.close();
      host.close();
      spawnSync('ip', ['link', 'del', 'dev', 'left'], { stdio: 'ignore' });
    },
  };
}

if (process.env[INSIDE]) run();
else if (process.getuid?.() !== 0)
  throw new Error('kernel-host.netns.test.ts needs root: it makes a network namespace');
else {
  const env = { ...process.env, [INSIDE]: '1' };
  // whoever ends this process ends the one in the namespace too
  const command = ['--net', 'setpriv', '--pdeathsig', 'KILL', process.execPath, import.meta.filename];
  const { status } = spawnSync('unshare', command, { stdio: 'inherit', env });
  process.exitCode = status ?? 1;
}

function run(): void {
  for (const scope of ['all', 'default']) writeFileSync(`/proc/sys/net/ipv6/conf/${scope}/accept_dad`, '0');

  spec('the host contract, kept by the kernel', (test) => hostContract(test, make));

  spec('the kernel host', (test) => {
    test('programs the solicited-node groups into the interface, and takes them back', async () => {
      const under = await make();
      try {
        const index = under.host.interfaces().find(({ name }) => name === 'left')?.index ?? 0;
        const ignore = (): void => undefined;
        const options = { interfaceIndex: index, protocol: 'Ipv6', filter: [accept()], onFrame: ignore } as const;
        const socket = under.host.openPacketSocket({ ...options, onError: ignore });
        socket.setGroups([{ family: 6, value: (0xff02n << 112n) | 0x1_ff12_3456n }]);
        assert.match(ip('maddress show dev left'), /ff02::1:ff12:3456/);
        assert.match(ip('maddress show dev left'), /33:33:ff:12:34:56/);
        socket.setGroups([]);
        assert.not.match(ip('maddress show dev left'), /ff02::1:ff12:3456/);
        socket.close();
      } finally {
        under.close();
      }
    });

    test('sees every change of a flood that overruns the monitor', async () => {
      const under = await make();
      try {
        // one turn of the event loop: the socket's buffer overflows, and only a new dump can tell the truth
        const batch = Array.from({ length: 4000 }, (_, n) => `link set dev left mtu ${1400 + (n % 50)}`);
        execFileSync('ip', ['-batch', '-'], { input: [...batch, 'link set dev left down'].join('\n') });
        const isUp = (): boolean | undefined => under.host.interfaces().find(({ name }) => name === 'left')?.isUp;
        for (let waited = 0; isUp() !== false && waited < 3000; waited += 5)
          await new Promise((resolve) => setTimeout(resolve, 5));
        assert.is(isUp(), false);
      } finally {
        under.close();
      }
    });

    test('names what a process without NET_RAW lacks', async () => {
      const script = `
        const { missingCapabilities } = await import(${JSON.stringify(new URL('./capabilities.ts', import.meta.url).href)});
        console.log(missingCapabilities(['NET_RAW', 'NET_ADMIN', 'BPF']).map(({ name }) => name).join());`;
      const { stdout } = spawnSync(
        'setpriv',
        ['--bounding-set=-all,+net_admin', process.execPath, '--input-type=module', '-e', script],
        { encoding: 'utf8' },
      );
      assert.is(stdout.trim(), 'NET_RAW,BPF');
      assert.equal(missingCapabilities(['NET_RAW', 'NET_ADMIN']), []);
    });

    test('maps no memory that is writable and executable for foreign calls', async () => {
      const script = `
        await import(${JSON.stringify(new URL('./libc.ts', import.meta.url).href)});
        const { readFileSync } = await import('node:fs');
        const writable = readFileSync('/proc/self/maps', 'utf8').split('\\n').filter((line) => / rwxp /.test(line) && /koffi/.test(line));
        console.log(writable.length);`;
      const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
      assert.is(stdout.trim(), '0');
    });

    test('reports an errno with a remedy', async () => {
      const under = await make();
      try {
        const ignore = (): void => undefined;
        const options = { interfaceIndex: 4711, protocol: 'Arp', filter: [accept()], onFrame: ignore } as const;
        const error = await rejection(HostError, () => under.host.openPacketSocket({ ...options, onError: ignore }));
        assert.equal([error.code, error.remedy], ['ENODEV', 'the network interface is gone']);
      } finally {
        under.close();
      }
    });
  });

  spec('a process with the wire thread', (test) => {
    const threads = JSON.stringify(new URL('./thread.ts', import.meta.url).href);
    const rows: [name: string, script: string, status: number, says: RegExp][] = [
      ['that exits, with its exit code', 'process.exit(3)', 3, /^$/],
      ['that fails, with the error', "throw new Error('of main')", 1, /Error: of main/],
      [
        'whose thread fails, after it said why',
        `thread.on('message', ({ kind, reason }) => kind === 'Fault' && process.stderr.write(reason));
         thread.on('exit', () => process.exit(4));
         thread.postMessage({ kind: 'Desired', announcements: 'none' });`,
        4,
        /WireThreadFailed/,
      ],
      ['that is told to stop, by itself', "thread.postMessage({ kind: 'Stop' })", 0, /^$/],
    ];
    for (const [name, script, status, says] of rows)
      test(`ends ${name}`, async () => {
        const under = await make();
        const main = `import(${threads}).then(async ({ startThread }) => {
          const thread = startThread('wire-thread', { lease: new SharedArrayBuffer(24), responder: 'packet' });
          await new Promise((resolve) => setTimeout(resolve, 300));
          ${script}
        })`;
        const run = spawnSync(process.execPath, ['-e', main], { encoding: 'utf8' });
        under.close();
        assert.equal([run.signal, run.status], [null, status], run.stderr);
        assert.match(run.stderr, says);
      });
  });
}
