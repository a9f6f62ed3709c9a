/** Every verb of the lab on the real cluster, each shown by its effect on the network or on the node. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { rejection, spec } from '../../testing/spec.ts';
import { labEngine } from './container.ts';
import { engineEnv } from './engine.ts';
import * as lab from './lab-client.ts';
import { apply, aSpeaker, NAMESPACE, namespace, remove, restarted, webPod, webService } from './lab-fixtures.ts';
import { E2E_IMAGE, KUBERNETES_VERSION, places, repository } from './places.ts';
import { Problem } from './problem.ts';
import { run, tryRun } from './process.ts';

const NODE = 'herald-worker2';
const LAB = join(import.meta.dirname, 'lab');

const out = async (host: string, ...argv: string[]): Promise<string> => (await lab.exec(host, argv)).stdout.trim();

/** Whether the client reaches an address: one echo request, answered within a second. */
async function answers(address: string): Promise<boolean> {
  return (await lab.exec('client', ['ping', '-n', '-q', '-c', '1', '-W', '1', address], { check: false })).code === 0;
}

async function bothAnswer(node: string): Promise<readonly [boolean, boolean]> {
  const { ipv4, ipv6 } = lab.nodeAddresses(node);
  return Promise.all([answers(ipv4), answers(ipv6)]);
}

/** Echo requests that a node's kernel has seen in both families. */
async function echoesSeen(node: string): Promise<number> {
  const counters = await out(
    node,
    'sh',
    '-c',
    "nstat -asz IcmpInEchos Icmp6InEchos | awk '/InEchos/ { n += $2 } END { print n }'",
  );
  return Number(counters);
}

async function carrier(node: string): Promise<string> {
  return out(node, 'cat', '/sys/class/net/eth0/carrier');
}

spec(
  'lab',
  (test) => {
    test('three nodes are Ready and eligible, on two families, with kube-proxy in nftables mode', async () => {
      interface Node {
        readonly metadata: { readonly labels: Readonly<Record<string, string>> };
        readonly status: {
          readonly nodeInfo: { readonly kubeletVersion: string };
          readonly addresses: readonly { type: string }[];
        };
      }
      const { items } = await lab.kubectlJson<{ items: readonly Node[] }>(['get', 'nodes']);
      assert.is(items.length, 3);
      for (const { metadata, status } of items) {
        assert.not('node.kubernetes.io/exclude-from-external-load-balancers' in metadata.labels);
        assert.is(status.nodeInfo.kubeletVersion, KUBERNETES_VERSION);
        assert.is(status.addresses.filter(({ type }) => type === 'InternalIP').length, 2);
      }
      await lab.kubectl(['wait', '--for=condition=Ready', 'node', '--all', '--timeout=5s']);
      for (const node of await lab.nodes())
        assert.match(await out(node, 'nft', 'list', 'tables'), 'table ip6 kube-proxy');
    });

    test('kube-proxy forwards as before after a restart', async () => {
      const node = NODE;
      const isForwarded = async () =>
        (await lab.exec(node, ['curl', '-sk', '-m', '2', 'https://10.96.0.1/livez'], { check: false })).stdout === 'ok';
      assert.ok(await isForwarded(), 'before');
      const ofNode = ['-l', 'k8s-app=kube-proxy', '--field-selector', `spec.nodeName=${node}`];
      await lab.kubectl(['-n', 'kube-system', 'delete', 'pod', ...ofNode]);
      await lab.kubectl(['-n', 'kube-system', 'rollout', 'status', 'daemonset/kube-proxy', '--timeout=60s']);
      // What its first synchronisation takes away is gone within a second.
      for (let second = 0; second < 5; second += 1) {
        await delay(1_000);
        assert.ok(await isForwarded(), `${second + 1} s after the restart`);
      }
    });

    test('exec passes input, output and exit code on every host', async () => {
      for (const host of ['host', 'client', 'router', ...(await lab.nodes())]) {
        const { code, stdout, stderr } = await lab.exec(host, ['sh', '-c', 'cat; echo err >&2; exit 7'], {
          stdin: 'in',
          check: false,
        });
        assert.equal({ code, stdout, stderr }, { code: 7, stdout: 'in', stderr: 'err\n' });
      }
    });

    test('the command line does the same as the library', async () => {
      const result = await tryRun([LAB, 'exec', 'client', '--', 'sh', '-c', 'cat; exit 9'], { input: 'in' });
      assert.equal([result.code, result.stdout], [9, 'in']);
      assert.is((await tryRun([LAB, 'cut'])).code, 2);
      assert.equal(JSON.parse((await run([LAB, 'addresses'])).stdout), await lab.addresses());
    });

    test('a command that takes too long is killed with its children', async () => {
      const marker = '31415.9';
      const { code } = await lab.exec('client', ['sh', '-c', `sleep ${marker}; true`], {
        timeoutMs: 300,
        check: false,
      });
      assert.is(code, 137);
      assert.is((await lab.exec('client', ['pgrep', '-f', `sleep ${marker}`], { check: false })).code, 1);
    });

    test('a command that was started can be read and stopped', async () => {
      const running = await lab.startOn('client', ['sh', '-c', 'echo begun; sleep 1000']);
      await new Promise((resolve) => running.child.stdout?.once('data', resolve));
      assert.match((await running.stop()).stdout, 'begun');
    });

    test('host has kubectl, the checkout and Node', async () => {
      assert.match(await out('host', 'kubectl', 'version'), `Server Version: ${KUBERNETES_VERSION}`);
      assert.is(await out('host', process.execPath, '-p', 'process.env.KUBECONFIG'), places.kubeconfig);
      assert.match(await out('host', 'ls', repository), 'kind-config.yaml');
    });

    test('client and router have their tools, and both run the pinned Node', async () => {
      const tools = {
        client: ['curl', 'arping', 'ndisc6', 'tcpdump', 'ip'],
        router: ['vtysh', 'bird', 'gobgpd', 'ip', 'tcpdump'],
      };
      for (const [host, names] of Object.entries(tools)) {
        for (const name of names) await lab.exec(host, ['sh', '-c', `PATH=$PATH:/usr/lib/frr; command -v ${name}`]);
        assert.is(await out(host, 'node', '--version'), process.version);
      }
      assert.is((await lab.exec('router', ['pgrep', '-x', 'bird|gobgpd|zebra'], { check: false })).code, 1);
    });

    test('pods reach each other over nodes, and clients reach them through every node, on both families', async () => {
      await remove('namespace', NAMESPACE);
      await apply(namespace(NAMESPACE));
      await lab.kubectl(['-n', NAMESPACE, 'wait', '--for=create', 'serviceaccount/default', '--timeout=30s']);
      const nodes = await lab.nodes();
      await apply(webService, ...nodes.map((node) => webPod(node, node)));
      await lab.kubectl(['-n', NAMESPACE, 'wait', '--for=condition=Ready', 'pod', '--all', '--timeout=60s']);
      interface Pod {
        readonly status: { readonly podIPs: readonly { readonly ip: string }[] };
      }
      const { items } = await lab.kubectlJson<{ items: readonly Pod[] }>(['-n', NAMESPACE, 'get', 'pods']);
      for (const { ip } of items.flatMap(({ status }) => status.podIPs)) {
        const url = `http://${ip.includes(':') ? `[${ip}]` : ip}:8080/`;
        for (const node of nodes) {
          const script = `fetch('${url}').then(async (r) => console.log(await r.text()))`;
          const got = await lab.kubectl(['-n', NAMESPACE, 'exec', node, '--', 'node', '-e', script]);
          assert.match(got.stdout, /herald-/);
        }
      }
      await nodePortsAnswer();
    });

    test('addresses are free, on the network, one range per family', async () => {
      const { ipv4, ipv6 } = await lab.addresses();
      const first = (range: string) => range.split('-')[0] ?? '';
      assert.match(ipv4, /^[0-9.]+-[0-9.]+$/);
      assert.match(ipv6, /^[0-9a-f:]+-[0-9a-f:]+$/);
      assert.match(await out('client', 'ip', 'route', 'get', first(ipv4)), /^\S+ dev eth0/);
      assert.match(await out('client', 'ip', 'route', 'get', first(ipv6)), /^\S+ .*dev eth0/);
      const arping = await lab.exec('client', ['arping', '-c', '1', '-w', '1', '-I', 'eth0', first(ipv4)], {
        check: false,
      });
      assert.is(arping.code, 1);
    });

    test('load puts an archive and an image on every node', async () => {
      const env = engineEnv(labEngine());
      const archive = join(places.run, 'lab-e2e.tar');
      await run(['docker', 'tag', E2E_IMAGE, 'localhost/lab-e2e-archive:1'], { env });
      await run(['docker', 'tag', E2E_IMAGE, 'localhost/lab-e2e-image:1'], { env });
      await run(['docker', 'save', '-o', archive, 'localhost/lab-e2e-archive:1'], { env });
      try {
        const loaded = [...(await lab.load(archive)), ...(await lab.load('localhost/lab-e2e-image:1'))];
        assert.equal(loaded, [...(await lab.nodes()), ...(await lab.nodes())]);
        for (const node of await lab.nodes()) {
          const images = await out(node, 'ctr', '-n', 'k8s.io', 'images', 'ls', '-q');
          assert.match(images, 'localhost/lab-e2e-archive:1');
          assert.match(images, 'localhost/lab-e2e-image:1');
        }
      } finally {
        rmSync(archive, { force: true });
        await run(['docker', 'rmi', 'localhost/lab-e2e-archive:1', 'localhost/lab-e2e-image:1'], { env });
      }
      assert.is((await rejection(Problem, () => lab.load('no-such-image'))).reason, 'NoSuchImage');
    });

    test('cut silences a node on both families within 100 ms and leaves its carrier; heal brings it back', async () => {
      assert.equal(await bothAnswer(NODE), [true, true]);
      const { startedAt, endedAt } = await lab.cut(NODE);
      assert.ok(endedAt - startedAt < 100, `took ${endedAt - startedAt} ms`);
      assert.equal(await bothAnswer(NODE), [false, false]);
      assert.is(await carrier(NODE), '1');
      await lab.heal(NODE);
      assert.equal(await bothAnswer(NODE), [true, true]);
    });

    test('unplug takes the carrier away; heal gives it back', async () => {
      await lab.unplug(NODE);
      assert.is(await carrier(NODE), '0');
      assert.equal(await bothAnswer(NODE), [false, false]);
      await lab.heal(NODE);
      assert.is(await carrier(NODE), '1');
    });

    for (const direction of ['in', 'out'] as const) {
      test(`oneway ${direction} loses frames that way only`, async () => {
        await lab.oneway(NODE, direction);
        const before = await echoesSeen(NODE);
        assert.equal(await bothAnswer(NODE), [false, false]);
        const isHeard = (await echoesSeen(NODE)) > before;
        assert.is(isHeard, direction === 'out');
        await lab.heal(NODE);
        assert.equal(await bothAnswer(NODE), [true, true]);
      });
    }

    test('loss drops about so many frames in each direction, and 0 none', async () => {
      const { ipv4 } = lab.nodeAddresses(NODE);
      const lost = async () => {
        const { stdout } = await lab.exec('client', ['ping', '-n', '-q', '-i', '0.01', '-c', '400', '-W', '1', ipv4], {
          check: false,
        });
        return Number(/([\d.]+)% packet loss/.exec(stdout)?.[1]);
      };
      await lab.loss(NODE, 30);
      const percent = await lost();
      // Both ways: 1 - 0.7 * 0.7 = 51 %; 400 samples stay within 10 points but once in 10,000 runs.
      assert.ok(percent > 41 && percent < 61, `${percent} %`);
      await lab.loss(NODE, 0);
      assert.is(await lost(), 0);
    });

    test('pause freezes the processes while the kernel answers; resume thaws them', async () => {
      const { ipv4 } = lab.nodeAddresses(NODE);
      const kubelet = () =>
        lab.exec('client', ['curl', '-sk', '--max-time', '2', `https://${ipv4}:10250/healthz`], { check: false });
      await lab.pause(NODE);
      assert.equal(await bothAnswer(NODE), [true, true]);
      assert.is((await kubelet()).code, 28);
      await lab.resume(NODE);
      assert.is((await kubelet()).code, 0);
      await lab.heal(NODE);
    });

    test('crash kills the container of a role, which the kubelet starts again', async () => {
      const speaker = await aSpeaker(NODE);
      await lab.crash(NODE, 'speaker');
      await restarted(speaker, NODE);
    });

    test('crash --stay leaves it dead until heal', async () => {
      const speaker = await aSpeaker(NODE);
      await lab.crash(NODE, 'speaker', { stay: true });
      await delay(3_000);
      assert.is((await rejection(Problem, () => lab.crash(NODE, 'speaker'))).reason, 'NoSuchProcess');
      await lab.heal(NODE);
      await restarted(speaker, NODE);
      await remove('pod', '-n', 'metallb-system', 'lab-e2e');
    });

    test('kill ends a node, start brings it back with its addresses, its routes and its pods', async () => {
      await lab.kill(NODE);
      assert.equal(await bothAnswer(NODE), [false, false]);
      assert.is((await rejection(Problem, () => lab.cut(NODE))).reason, 'NotRunning');
      const { startedAt, readyAt } = await lab.start(NODE);
      assert.ok(readyAt - startedAt < 60_000, `took ${readyAt - startedAt} ms`);
      const { ipv4, ipv6 } = lab.nodeAddresses(NODE);
      const now = await out(NODE, 'ip', '-brief', 'address', 'show', 'eth0');
      assert.match(now, `${ipv4}/`);
      assert.match(now, `${ipv6}/`);
      assert.match(await out(NODE, 'ip', '-4', 'route'), /10\.244\.\d+\.0\/24 via/);
      assert.match(await out(NODE, 'ip', '-6', 'route'), /fd00:10:244:\S* via/);
      await lab.kubectl(['-n', NAMESPACE, 'wait', '--for=condition=Ready', 'pod', '--all', '--timeout=60s']);
      await nodePortsAnswer();
      await remove('namespace', NAMESPACE);
    });

    test('a host that does not exist is named with those that do', async () => {
      const problem = await rejection(Problem, () => lab.exec('herald-worker9', ['true']));
      assert.match(problem.message, /no host herald-worker9; there are host, client, router, herald-control-plane/);
    });
  },
  { timeoutMs: 120_000 },
);

/** Asks each node's port over both families until kube-proxy has all of it. */
async function nodePortsAnswer(): Promise<void> {
  for (const node of await lab.nodes()) {
    const { ipv4, ipv6 } = lab.nodeAddresses(node);
    for (const host of [ipv4, `[${ipv6}]`]) {
      const argv = [
        'curl',
        '-sf',
        '--retry',
        '20',
        '--retry-delay',
        '1',
        '--retry-all-errors',
        '--max-time',
        '2',
        `http://${host}:30080/`,
      ];
      assert.match((await lab.exec('client', argv)).stdout, /herald-/);
    }
  }
}
