/**
 * Duplicate address detection from a Service to its status on a real API server: the real operator as a process of its
 * own, and of two speakers all but the two threads that need a network.
 */

import { Registry } from 'prom-client';
import * as assert from 'uvu/assert';
import type { ProbeResult } from '../../crds/node-announcement.ts';
import { spec } from '../../testing/spec.ts';
import { Informer } from '../cluster/informer.ts';
import { listAll } from '../cluster/list.ts';
import type { KubernetesObject } from '../cluster/objects.ts';
import { resources } from '../cluster/resource.ts';
import { eventually, memoryLogger } from '../cluster/testing/waiting.ts';
import { rank } from '../election/rank.ts';
import { AddressProbes, addressProbeSource } from '../speaker/address-probes.ts';
import { ClusterView } from '../speaker/cluster-view.ts';
import type { FromClock, FromWire, ProbeRequest, ToWire } from '../speaker/messages.ts';
import { createSpeakerMetrics } from '../speaker/metrics.ts';
import { NodeReporter } from '../speaker/node-reporter.ts';
import { systemClock } from '../speaker/wire/clock.ts';
import { OWN_NAMESPACE, RealCluster } from './testing/real-operator.ts';

const NODES = ['node-a', 'node-b'];
const MAC = '02:00:00:00:00:c1';
const log = memoryLogger();

const cluster = await RealCluster.start();
const { connection } = cluster;
const put = (resource: Parameters<RealCluster['apply']>[0], object: KubernetesObject & { spec?: object }) =>
  cluster.apply(resource, object);

/** What others on the network have, and addresses about which the nodes say nothing. */
const taken = new Set<string>();
const ignored = new Set<string>();
/** `node address`, in the order in which nodes were asked. */
const asked: string[] = [];

/** Lets each speaker hear what the network says by now. */
const hear: (() => void)[] = [];
const hearAll = (): void => {
  for (const each of hear) each();
};
const heard = ({ uid, address }: ProbeRequest): ProbeResult =>
  taken.has(address)
    ? { uid, address, result: 'Conflict', mac: MAC, interface: 'eth0' }
    : { uid, address, result: 'Free' };

/** A speaker whose network is played: it hears of `taken`. */
function playSpeaker(node: string, signal: AbortSignal): void {
  const fromWire: ((message: FromWire) => void)[] = [];
  const fromClock: ((message: FromClock) => void)[] = [];
  const known = new Set<string>();
  const tell = (message: FromWire): void => {
    for (const listener of fromWire) listener(message);
  };
  let wanted: Extract<ToWire, { kind: 'Probe' }>['probes'] = [];
  hear.push(() => tell({ kind: 'Probed', results: wanted.filter(({ address }) => !ignored.has(address)).map(heard) }));
  const threads = {
    onWire: (listener: (message: FromWire) => void) => void fromWire.push(listener),
    onClock: (listener: (message: FromClock) => void) => void fromClock.push(listener),
    toWire: (message: ToWire) => {
      if (message.kind !== 'Probe') return;
      wanted = message.probes;
      for (const { uid, address } of wanted) if (!known.has(uid)) asked.push(`${node} ${address}`);
      for (const { uid } of wanted) known.add(uid);
      setTimeout(hearAll, 50);
    },
  };
  const configNamespaces = [OWN_NAMESPACE];
  const heartbeat = { port: 7946, intervalMs: 100, missed: 3 };
  const settings = {
    namespace: OWN_NAMESPACE,
    configNamespaces,
    nodeName: node,
    lbClass: '',
    ignoreExcludeLb: false,
    heartbeat,
  };
  const view = new ClusterView({ connection, settings: settings as never, log });
  const metrics = createSpeakerMetrics(new Registry(), node);
  const reporter = new NodeReporter({
    connection,
    namespace: OWN_NAMESPACE,
    node,
    threads,
    view,
    ignoresExcludeLabel: false,
    readiness: () => ({ ready: true }),
    clock: systemClock,
    wallClock: Date.now,
    metrics,
    log,
  } as ConstructorParameters<typeof NodeReporter>[0]);
  const source = addressProbeSource(connection, OWN_NAMESPACE, log);
  const onResults = reporter.setProbes.bind(reporter);
  new AddressProbes({ source, node, excludeInterfaces: '', view, threads, onResults, log });
  for (const run of [view, reporter, source]) void run.run(signal);
  const interfaces = [{ name: 'eth0', carrier: true, subnets: [] }];
  tell({ kind: 'Owned', services: [], interfaces } as never);
  for (const listener of fromClock) listener({ kind: 'Available', nodes: NODES, view: 1, announceAgain: false });
}

const services = new Informer(connection, resources.services, { log });
/** What the condition about the address says of a Service, and its addresses. */
function said(name: string): string {
  const { conditions = [], loadBalancer } = services.store.get(`shop/${name}`)?.status ?? {};
  const { reason } = conditions.find(({ type }) => type === 'heraldlb.io/AddressAssigned') ?? {};
  return [reason, ...(loadBalancer?.ingress ?? []).map(({ ip }) => ip)].join(' ');
}
const messageOf = (name: string): string =>
  services.store.get(`shop/${name}`)?.status?.conditions?.find(({ reason }) => reason === 'AddressConflicts')
    ?.message ?? '';
const says = (name: string, words: string): Promise<void> =>
  eventually(`${name} says ${words}`, () => said(name) === words, 15_000);
const probes = async (): Promise<readonly string[]> =>
  (await listAll(connection, { ...resources.addressProbes, namespace: OWN_NAMESPACE })).objects.map(
    ({ address }) => address,
  );

async function serve(name: string, annotations: Record<string, string> = {}): Promise<void> {
  const metadata = { namespace: 'shop', name, annotations };
  await put(resources.services, { metadata, spec: { type: 'LoadBalancer', ports: [{ port: 80 }] } });
}

spec(
  'duplicate address detection on a real API server',
  (test) => {
    const ending = new AbortController();
    const pool = (spec: object) =>
      put(resources.ipAddressPools, { metadata: { namespace: OWN_NAMESPACE, name: 'public' }, spec });
    let operator: Awaited<ReturnType<RealCluster['startOperator']>> | undefined;

    test('gives the next address where somebody has the first', async () => {
      for (const node of NODES) {
        await put(resources.nodes, { metadata: { name: node } });
        const addresses = [{ type: 'InternalIP', address: `192.0.2.${node.charCodeAt(5)}` }];
        const status: KubernetesObject & { status: object } = { metadata: { name: node }, status: { addresses } };
        await cluster.apply(resources.nodes, status, 'status');
      }
      await pool({ addresses: ['10.0.0.1-10.0.0.9'], duplicateAddressDetection: true });
      await put(resources.l2Advertisements, { metadata: { namespace: OWN_NAMESPACE, name: 'all' }, spec: {} });
      taken.add('10.0.0.1');
      void services.run(ending.signal);
      for (const node of NODES) playSpeaker(node, ending.signal);
      operator = await cluster.startOperator(19471);
      await serve('web');
      await says('web', 'Assigned 10.0.0.2');
      const owners = ['10.0.0.1', '10.0.0.2'].map((address) => `${rank(NODES, address)[0]} ${address}`);
      assert.equal(asked, owners);
      await eventually('the AddressProbes are gone', async () => (await probes()).length === 0);
    });
    test('refuses who asks for exactly that address, with the MAC address of the other', async () => {
      await serve('exact', { 'metallb.io/loadBalancerIPs': '10.0.0.1' });
      await says('exact', 'AddressConflicts');
      assert.match(messageOf('exact'), MAC);
      taken.clear();
      await serve('exact', { 'metallb.io/loadBalancerIPs': '10.0.0.1', note: 'it is free now' });
      await says('exact', 'Assigned 10.0.0.1');
    });
    test('a new leader removes what the former one has asked, and asks itself', async () => {
      ignored.add('10.0.0.3');
      await serve('late');
      await eventually('a node is asked', async () => (await probes()).join() === '10.0.0.3');
      operator?.kill('SIGKILL');
      await cluster.startOperator(19472);
      const before = asked.length;
      await eventually('the next leader asks too', () => asked.length > before, 20_000);
      ignored.clear();
      hearAll();
      await says('late', 'Assigned 10.0.0.3');
      await eventually('the AddressProbes are gone', async () => (await probes()).length === 0);
    });
    test('asks nobody where the pool does not say so', async () => {
      await pool({ addresses: ['10.0.0.1-10.0.0.9'] });
      const entry = async () => (await cluster.get(resources.poolSets, `${OWN_NAMESPACE}/herald`))?.pools[0];
      await eventually('that is in force', async () => (await entry())?.duplicateAddressDetection === undefined);
      const before = asked.length;
      await serve('plain');
      await says('plain', 'Assigned 10.0.0.4');
      assert.is(asked.length, before);
      ending.abort();
      cluster.end();
    });
  },
  { timeoutMs: 60_000 },
);
