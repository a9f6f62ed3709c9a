/**
 * The speakers answer in the kernel: chosen, reported and counted; a cut owner is taken over, a rolling restart loses
 * nothing, and afterwards nothing of it is left in the kernels of the nodes.
 */

import * as assert from 'uvu/assert';
import { type OwnedService, serviceOwnedByWorker } from '../../lib/faults.ts';
import { NAMESPACE, ready } from '../../lib/herald.ts';
import { collection } from '../../lib/kube-api.ts';
import { cut, exec, heal, kubectl } from '../../lib/lab.ts';
import { scenario } from '../../lib/scenario.ts';
import { pause, waitFor } from '../../lib/wait-for.ts';
import type { World } from '../../lib/world.ts';
import { inWords, startProbe } from '../../probe/run.ts';

const BPF = '/sys/fs/bpf';
const PINS = `${BPF}/herald/v1`;
const TAKEOVER_MS = 1_000;
/** Of 4,500 probes per series; the move of an address itself may catch a flow on its way. */
const MAY_LOSE = 5;

/**
 * As cdk8s/dist/kernel-responder, but with SYS_ADMIN for BPF: the lab's nodes are containers of a Docker that does not
 * know the capability BPF, so nobody in them can have it.
 */
const ON = {
  spec: {
    template: {
      spec: {
        containers: [
          {
            name: 'speaker',
            env: [{ name: 'HERALD_L2_RESPONDER', value: 'kernel' }],
            securityContext: { capabilities: { add: ['NET_RAW', 'NET_ADMIN', 'SYS_NICE', 'SYS_ADMIN'] } },
            volumeMounts: [{ name: 'bpf', mountPath: BPF }],
          },
        ],
        volumes: [{ name: 'bpf', hostPath: { path: BPF, type: 'Directory' } }],
      },
    },
  },
};

/** Takes out again what ON has put in. */
const OFF = {
  spec: {
    template: {
      spec: {
        containers: [
          {
            name: 'speaker',
            env: [{ $patch: 'delete', name: 'HERALD_L2_RESPONDER' }],
            securityContext: { capabilities: { add: ['NET_RAW', 'NET_ADMIN', 'SYS_NICE'] } },
            volumeMounts: [{ $patch: 'delete', mountPath: BPF }],
          },
        ],
        volumes: [{ $patch: 'delete', name: 'bpf' }],
      },
    },
  },
};

const patchSpeakers = (patch: object): Promise<string> =>
  kubectl('-n', NAMESPACE, 'patch', 'daemonset/herald-speaker', '--type=strategic', '-p', JSON.stringify(patch));

async function responders(world: World): Promise<readonly string[]> {
  const reports = await world.api.list(collection('heraldlb.io/v1alpha1', 'NodeAnnouncement', NAMESPACE));
  return reports.map((report) => {
    const { kind, reason } = (report['responder'] ?? {}) as { kind?: string; reason?: string };
    return `${kind} ${reason}`;
  });
}

const pinsOn = async (node: string): Promise<number> =>
  Number((await exec(node, ['sh', '-c', `ls ${PINS} 2>/dev/null | wc -l`])).trim());

scenario(
  'kernel-responder',
  (test) => {
    let service: OwnedService;

    test('every speaker says that it answers in the kernel', async (world) => {
      for (const { name } of world.nodes)
        await exec(name, ['sh', '-c', `mountpoint -q ${BPF} || mount -t bpf bpf ${BPF}`]);
      await patchSpeakers(ON);
      await ready(world.api);
      await waitFor(
        'all reports name the kernel',
        { withinMs: 20_000, everyMs: 250 },
        () => responders(world),
        (said) => said.length === world.nodes.length && said.every((one) => one === 'Kernel ProgramLoaded'),
      );
    });

    test('a Service is answered by the program, which is pinned', async (world) => {
      service = await serviceOwnedByWorker(world);
      assert.ok((await pinsOn(service.owner.name)) > 4, 'four maps and a link');
    });

    test('after the cut new flows are served again in under a second, by another owner', async (world) => {
      const { owner, addresses } = service;
      const { report } = await startProbe({ addresses, durationMs: 15_000, streams: 100 });
      await pause(5_000);
      await cut(owner.name);
      const { series, streams } = await report;
      for (const one of series) console.log(inWords(one));
      console.log(`of ${streams.held} streams held through it ${streams.broken} broke`);
      assert.is.not((await world.owner(addresses[0] ?? '')).name, owner.name);
      for (const one of series) {
        assert.ok(one.isServedAtEnd, `${one.kind} to ${one.address} is served again`);
        assert.ok(one.outages.length > 0, `${one.kind} to ${one.address}: the cut was felt at all`);
        assert.ok(one.outageMs < TAKEOVER_MS, inWords(one));
      }
      await heal(owner.name);
      for (const address of addresses) await world.owner(address);
    });

    test('a rolling restart of all speakers loses nothing that a client would notice', async (world) => {
      const { report } = await startProbe({ addresses: service.addresses, durationMs: 45_000 });
      await pause(2_000);
      await kubectl('-n', NAMESPACE, 'rollout', 'restart', 'daemonset/herald-speaker');
      await ready(world.api);
      const { series } = await report;
      for (const one of series) console.log(inWords(one));
      for (const one of series) {
        assert.ok(one.isServedAtEnd, `${one.kind} to ${one.address} is served at the end`);
        assert.ok(one.lost <= MAY_LOSE, inWords(one));
      }
      for (const address of service.addresses) await world.owner(address);
    });

    test('switched back, packet sockets answer and nothing is pinned any more', async (world) => {
      await patchSpeakers(OFF);
      await ready(world.api);
      await waitFor(
        'all reports name packet sockets',
        { withinMs: 20_000, everyMs: 250 },
        () => responders(world),
        (said) => said.every((one) => one === 'Packet AsConfigured'),
      );
      for (const address of service.addresses) await world.fetchSoon(address);
      for (const { name } of world.nodes) {
        assert.is(await pinsOn(name), 0, name);
        await exec(name, ['umount', BPF]);
      }
    });
  },
  240_000,
);
