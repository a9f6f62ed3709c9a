/**
 * From MetalLB to Herald and back, told once for every release of MetalLB: its own programs give the addresses, are
 * stopped and leave their state; `herald migrate` makes that state ready, Herald takes over, and MetalLB after it again.
 */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { stringify } from 'yaml';
import { places, repository } from '../cluster/places.ts';
import type { ProbeReport } from '../probe/probe.ts';
import { inWords, startProbe } from '../probe/run.ts';
import { applyManifests, ready, removeHeraldsPrograms } from './herald.ts';
import type { KubeObject } from './kube-api.ts';
import { exec, kubectl, tryExec } from './lab.ts';
import * as metallb from './metallb.ts';
import { scenario } from './scenario.ts';
import { pause, waitFor } from './wait-for.ts';
import { addressesIn, conditionOf, type World } from './world.ts';

const PEERS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/bgppeers.metallb.io';
const WEBHOOKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/metallb-webhook-configuration';
/** Images are on the nodes: removing one workload and starting the other takes a fraction of it. */
const PROBE_MS = 60_000;
/** What a client may miss while an address goes from one program to another on the same node. */
const TAKEOVER_MS = 3_000;
const FOUR_MINUTES = 240_000;

export interface Story {
  readonly release: metallb.MetalLBRelease;
  /** Whether it still has the kind AddressPool. */
  readonly hasAddressPools: boolean;
  /** Takes the steps by hand, by the kubectl lines that the dry run prints. */
  readonly byKubectl: boolean;
}

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `herald migrate`, as a person starts it. */
function migrate(...args: readonly string[]): Promise<Run> {
  const argv = [join(repository, 'operator/main.ts'), 'migrate', '--kubeconfig', places.kubeconfig, ...args];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
    const texts = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].on('data', (chunk: Buffer) => {
        texts[stream] += chunk;
      });
    child.on('close', (code) => resolve({ code: code ?? -1, ...texts }));
  });
}

/** The addresses of the scenario, split between the two ways in which a pool may have been written. */
function configuration({ name, free }: World, { hasAddressPools }: Story): KubeObject[] {
  const namespace = metallb.METALLB_NAMESPACE;
  const [first, , , fourth, fifth, , , last] = free.IPv4.addresses;
  const spec = { addresses: [`${first}-${fourth}`, free.IPv6.range], autoAssign: false };
  const v1beta1 = { apiVersion: 'metallb.io/v1beta1' };
  const pools = [
    { ...v1beta1, kind: 'IPAddressPool', metadata: { name, namespace }, spec },
    { ...v1beta1, kind: 'L2Advertisement', metadata: { name, namespace }, spec: { ipAddressPools: [name] } },
  ];
  const old = { protocol: 'layer2', addresses: [`${fifth}-${last}`], autoAssign: false };
  const oldPool = { ...v1beta1, kind: 'AddressPool', metadata: { name: `${name}-old`, namespace }, spec: old };
  return hasAddressPools ? [...pools, oldPool] : pools;
}

/** Before v1beta2: a peer as a person wrote it, and one as a program in Go did. */
function oldPeers(): KubeObject[] {
  const peer = (name: string, spec: Record<string, unknown>): KubeObject => ({
    apiVersion: 'metallb.io/v1beta1',
    kind: 'BGPPeer',
    metadata: { name, namespace: metallb.METALLB_NAMESPACE },
    spec: { myASN: 64512, peerASN: 64513, ...spec },
  });
  const expression = { key: 'kubernetes.io/hostname', operator: 'In', values: ['nowhere'] };
  return [
    peer('by-hand', { peerAddress: '192.0.2.1', nodeSelectors: [{ matchExpressions: [expression] }] }),
    peer('by-program', {
      peerAddress: '192.0.2.2',
      peerPort: 0,
      holdTime: '0s',
      keepaliveTime: '0s',
      nodeSelectors: [{ matchExpressions: [expression] }],
    }),
  ];
}

async function createServices(world: World, { hasAddressPools }: Story): Promise<string[]> {
  const from = (pool: string) => ({ 'metallb.universe.tf/address-pool': pool });
  await world.web({ replicas: 2 });
  await world.service({ name: 'both', annotations: from(world.name) });
  const fixed = { 'metallb.universe.tf/loadBalancerIPs': world.free.IPv4.addresses[2] ?? '' };
  await world.service({ name: 'fixed', families: ['IPv4'], annotations: fixed });
  if (!hasAddressPools) return ['both', 'fixed'];
  await world.service({ name: 'old', families: ['IPv4'], annotations: from(`${world.name}-old`) });
  return ['both', 'fixed', 'old'];
}

type Addresses = Readonly<Record<string, readonly string[]>>;

async function addressesOfAll(world: World, names: readonly string[]): Promise<Addresses> {
  const all = await Promise.all(names.map(async (name) => [name, await world.addressesOf(name, 30_000)] as const));
  return Object.fromEntries(all);
}

const statusManagers = ({ metadata }: KubeObject): string[] =>
  (metadata.managedFields ?? [])
    .filter(({ subresource }) => subresource === 'status')
    .map(({ manager, operation }) => `${manager} ${operation}`);

function assertServed(series: ProbeReport['series']): void {
  for (const one of series) console.log(inWords(one));
  for (const one of series) assert.ok(one.isServedAtEnd && one.outageMs <= TAKEOVER_MS, inWords(one));
}

/** Declares the scenario. */
export function migrationStory(name: string, story: Story): void {
  const { release } = story;
  let names: string[] = [];
  let before: Addresses = {};
  const assertSame = async (world: World): Promise<void> => {
    assert.equal(await addressesOfAll(world, names), before);
  };

  scenario(
    name,
    (test) => {
      test(`MetalLB ${release.version} gives Services their addresses, and has peers of its older days`, async (world) => {
        await metallb.loadImages(release);
        await metallb.removeBoth(world.api);
        await kubectl('create', 'namespace', metallb.METALLB_NAMESPACE);
        await metallb.applyOldPeers(release);
        await metallb.applyText(
          oldPeers()
            .map((peer) => stringify(peer))
            .join('---\n'),
        );
        await metallb.installMetalLB(release);
        const config = configuration(world, story).map((object) => stringify(object));
        // Its webhook takes a while after its pod is ready.
        await waitFor('MetalLB takes its configuration', { withinMs: 60_000, everyMs: 1_000 }, async () => {
          await metallb.applyText(config.join('---\n'));
          return true;
        });
        names = await createServices(world, story);
        before = await addressesOfAll(world, names);
        console.log(JSON.stringify(before));
        for (const address of Object.values(before).flat()) await world.fetchSoon(address);
      });

      test('its state is the one that people have', async (world) => {
        const definition = await world.api.get(PEERS);
        assert.equal(definition['status'].storedVersions, ['v1beta1', 'v1beta2']);
        assert.is(definition['spec'].conversion.strategy, 'Webhook');
        assert.ok(definition['spec'].conversion.webhook.clientConfig.caBundle, 'a caBundle');
        assert.is((await world.api.get(WEBHOOKS))['webhooks'][0].failurePolicy, 'Fail');
        const managers = statusManagers(await world.api.get(world.servicePath('both')));
        assert.equal(managers, ['controller Update']);
      });

      test('migrate refuses while the controller runs, and says how to stop it', async () => {
        const { code, stderr } = await migrate('--apply');
        assert.is(code, 1);
        assert.match(stderr, /controller still runs \(Deployment metallb-system\/controller\)/);
        assert.match(stderr, /kubectl -n metallb-system scale deployment\/controller --replicas=0/);
      });

      test('without the controller its peers can neither be read nor anything be changed', async (world) => {
        await metallb.stopController(world.api);
        // A list may still come out of the API server's cache; a single object comes out of etcd.
        const one = `/apis/metallb.io/v1beta2/namespaces/${metallb.METALLB_NAMESPACE}/bgppeers/by-hand`;
        assert.match(await world.api.get(one).then(String, String), /conversion webhook/);
        const label = ['label', '-n', metallb.METALLB_NAMESPACE, 'ipaddresspool', world.name, 'a=b'];
        assert.match((await tryExec('host', ['kubectl', ...label])).stderr, /failed calling webhook/);
      });

      let dryRun: Run;
      test('a dry run shows the steps and changes nothing', async (world) => {
        const revision = (await world.api.get(PEERS)).metadata.resourceVersion;
        dryRun = await migrate();
        console.log(dryRun.stdout);
        assert.is(dryRun.code, 2, dryRun.stderr);
        assert.is((await world.api.get(PEERS)).metadata.resourceVersion, revision);
        await world.api.get(WEBHOOKS);
      });

      if (story.byKubectl)
        test('the lines that it prints take the steps, and a second look shows the rest', async () => {
          for (let looks = 1; dryRun.code === 2 && looks <= 3; looks += 1) {
            // Sentences begin with their number; what is left is for a shell.
            const lines = dryRun.stdout.split('\n').filter((line) => !/^(\d+\. |\S+ steps? to take)/.test(line));
            await exec('host', ['sh', '-ec', lines.map((line) => line.replace(/^ {3}/, '')).join('\n')]);
            dryRun = await migrate();
          }
          assert.is(dryRun.code, 0, dryRun.stdout);
        });

      test('applied, nothing is left to do; peers are read, and stored as v1beta2', async (world) => {
        const applied = await migrate('--apply');
        console.log(applied.stdout);
        assert.is(applied.code, 0, applied.stderr);
        const again = await migrate();
        assert.is(again.code, 0, again.stdout);
        assert.match(again.stdout, /nothing is left to do/);
        const definition = await world.api.get(PEERS);
        assert.equal(definition['status'].storedVersions, ['v1beta2']);
        assert.equal(definition['spec'].conversion, { strategy: 'None' });
        assert.is(await world.api.find(WEBHOOKS), undefined);
        const peers = await world.api.list('/apis/metallb.io/v1beta2/bgppeers');
        const specs = peers.map(({ metadata, ...peer }) => [metadata.name, Object.keys(peer['spec']).toSorted()]);
        const common = ['myASN', 'nodeSelectors', 'peerASN', 'peerAddress'];
        for (const [peer, fields] of specs)
          assert.ok(
            !fields?.includes('holdTime') && common.every((field) => fields?.includes(field)),
            `${peer}: ${fields}`,
          );
        await assertSame(world);
      });

      test('Herald takes over: no address changes, and a client misses nothing but the takeover', async (world) => {
        const { report } = await startProbe({ addresses: Object.values(before).flat(), durationMs: PROBE_MS });
        await pause(2_000);
        const startedAt = performance.now();
        await applyManifests();
        await kubectl('-n', metallb.METALLB_NAMESPACE, 'delete', 'daemonset/speaker', 'deployment/controller');
        await ready(world.api);
        console.log(`Herald is ready after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
        assertServed((await report).series);
        await assertSame(world);
        for (const service of names) {
          const adopted = await world.api.get(world.servicePath(service));
          assert.is(conditionOf(adopted, 'heraldlb.io/AddressAssigned')?.status, 'True', service);
        }
        for (const address of Object.values(before).flat()) await world.owner(address);
      });

      test('going back: MetalLB takes the definitions, the objects and the addresses as they are', async (world) => {
        const { report } = await startProbe({ addresses: Object.values(before).flat(), durationMs: PROBE_MS });
        await removeHeraldsPrograms();
        await metallb.installMetalLB(release);
        assertServed((await report).series);
        await assertSame(world);
        await exec('client', ['ip', 'neigh', 'flush', 'dev', 'eth0']);
        for (const address of Object.values(before).flat()) await world.fetchSoon(address);
        assert.is((await world.api.get(PEERS))['spec'].conversion.strategy, 'Webhook');
        await kubectl('get', 'bgppeers', '-A');
      });

      test('and goes on to serve: a new Service has an address of the same pool', async (world) => {
        const annotations = { 'metallb.universe.tf/address-pool': world.name };
        await world.service({ name: 'new', families: ['IPv4'], annotations });
        const [address = ''] = await world.addressesOf('new', 30_000);
        await world.fetchSoon(address);
        await assertSame(world);
        const service = await world.api.get(world.servicePath('both'));
        assert.is(addressesIn(service).length, 2);
      });

      test('MetalLB is removed, and Herald is back', async (world) => {
        await metallb.removeBoth(world.api);
        await metallb.restoreHerald(world.api);
      });
    },
    FOUR_MINUTES,
  );
}
