/**
 * What is announced, from speakers' reports to what people wait for, on a real API server: the real operator as a
 * process of its own, and of two speakers all but the two threads that need a network.
 */

import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import * as assert from 'uvu/assert';
import type { ServiceAnnouncement } from '../../crds/service-announcement.ts';
import { spec } from '../../testing/spec.ts';
import { Informer } from '../cluster/informer.ts';
import type { KubernetesObject, Service } from '../cluster/objects.ts';
import { getObject } from '../cluster/requests.ts';
import { objectPath, type ResourceAddress, resources } from '../cluster/resource.ts';
import { eventually, memoryLogger } from '../cluster/testing/waiting.ts';
import { Agent } from '../speaker/agent.ts';
import { ClusterView } from '../speaker/cluster-view.ts';
import type { FromClock, FromWire } from '../speaker/messages.ts';
import { createSpeakerMetrics } from '../speaker/metrics.ts';
import { NodeReporter } from '../speaker/node-reporter.ts';
import { systemClock } from '../speaker/wire/clock.ts';
import { Ownership } from '../speaker/wire/ownership.ts';
import { OWN_NAMESPACE, RealCluster } from './testing/real-operator.ts';

const NODES = ['node-a', 'node-b'];
/** Its order of owners is b, a: MetalLB's vectors. */
const ADDRESS = '10.0.0.1';
const ETH0 = { name: 'eth0', carrier: true, subnets: ['192.0.2.1/24'] };

const cluster = await RealCluster.start();
const { connection } = cluster;

const remove = (resource: ResourceAddress, name: string, namespace?: string) =>
  connection.request({ method: 'DELETE', path: objectPath(resource, { name, ...(namespace && { namespace }) }) });

/** The cluster as far as nothing else makes it: nodes, a pool and its advertisement. */
async function furnish(): Promise<void> {
  for (const node of NODES) {
    await cluster.apply(resources.nodes, { metadata: { name: node } });
    const addresses = [{ type: 'InternalIP', address: `192.0.2.${node.charCodeAt(5)}` }];
    const status: KubernetesObject & { status: object } = { metadata: { name: node }, status: { addresses } };
    await cluster.apply(resources.nodes, status, 'status');
  }
  const metadata = { namespace: OWN_NAMESPACE, name: 'public' };
  const pool: KubernetesObject & { spec: object } = { metadata, spec: { addresses: [`${ADDRESS}/32`] } };
  await cluster.apply(resources.ipAddressPools, pool);
  await advertise();
}
const advertise = () => {
  const advertisement: KubernetesObject & { spec: object } = {
    metadata: { namespace: OWN_NAMESPACE, name: 'all' },
    spec: {},
  };
  return cluster.apply(resources.l2Advertisements, advertisement);
};

/** A speaker whose heartbeats and packets are played: who is alive is told to it, and what it owns it answers. */
class PlayedSpeaker {
  readonly #ownership = new Ownership();
  readonly #stopping = new AbortController();
  readonly #fromWire: ((message: FromWire) => void)[] = [];
  readonly #fromClock: ((message: FromClock) => void)[] = [];
  #view = 0;

  constructor(node: string) {
    const log = memoryLogger();
    const settings = {
      namespace: OWN_NAMESPACE,
      configNamespaces: [OWN_NAMESPACE],
      nodeName: node,
      lbClass: '',
      ignoreExcludeLb: false,
      heartbeat: { port: 7946, intervalMs: 100, missed: 3 },
    };
    const view = new ClusterView({ connection, settings, log });
    const metrics = createSpeakerMetrics(new Registry(), node);
    const common = { node, view, clock: systemClock, wallClock: Date.now, metrics, log };
    const threads = {
      toWire: (message: Parameters<Agent['setKeys']>[0] | { kind: string }) => this.#take(node, message as never),
      toClock: () => {},
      onWire: (listener: (message: FromWire) => void) => void this.#fromWire.push(listener),
      onClock: (listener: (message: FromClock) => void) => void this.#fromClock.push(listener),
    };
    const nothing = { load: () => undefined, save: () => {} };
    new Agent({ ...common, excludeInterfaces: '', threads, folder: nothing, onOwned: () => {}, onFatal: () => {} });
    const reporter = new NodeReporter({
      ...common,
      connection,
      namespace: OWN_NAMESPACE,
      threads,
      ignoresExcludeLabel: false,
      readiness: () => ({ ready: true }),
    });
    void view.run(this.#stopping.signal);
    void reporter.run(this.#stopping.signal);
  }

  hears(...nodes: readonly string[]): void {
    this.#view += 1;
    this.#ownership.setAvailable(nodes);
    const message: FromClock = { kind: 'Available', nodes, view: this.#view, announceAgain: false };
    for (const listener of this.#fromClock) listener(message);
    this.#tellOwned();
  }

  die(): void {
    this.#stopping.abort();
  }

  #take(node: string, message: { readonly kind: string; readonly announcements?: never }): void {
    if (message.kind !== 'Desired') return;
    this.#ownership.setDesired(node, message.announcements ?? []);
    this.#tellOwned();
  }

  #tellOwned(): void {
    const services = this.#ownership
      .owned()
      .map(({ service, address }) => ({ service, address, interfaces: ['eth0'], since: 0 }));
    for (const listener of this.#fromWire) listener({ kind: 'Owned', services, interfaces: [ETH0] });
  }
}

/** 'Service changed', 'ServiceAnnouncement came': everything that happens to either. */
const happened: string[] = [];
const services = new Informer(connection, { ...resources.services, fieldSelector: '' }, { log: memoryLogger() });
const announcements = new Informer(connection, resources.serviceAnnouncements, { log: memoryLogger() });
for (const informer of [services, announcements] as unknown as readonly Informer<KubernetesObject>[])
  informer.onChange(({ before, after }) => {
    const what = before && after ? 'changed' : after ? 'came' : 'went';
    happened.push(`${informer.resource.kind} ${what}`);
  });

const WEB = { namespace: 'shop', name: 'web' };
const said = (): string => {
  const { conditions = [] } = services.store.get('shop/web')?.status ?? {};
  const { status, reason } = conditions.find(({ type }) => type === 'heraldlb.io/Announced') ?? {};
  const stored: ServiceAnnouncement | undefined = announcements.store.get('shop/web');
  const ready = stored?.status.conditions.find(({ type }) => type === 'Ready');
  return `${status} ${reason} / ${ready?.status} ${ready?.reason} ${stored?.by}`;
};
const says = (words: string, withinMs = 5_000) =>
  eventually(`${words}, not ${said()}`, () => said() === words, withinMs);

spec(
  'what is announced, on a real API server',
  (test) => {
    let operator: ChildProcess;
    const speakers: PlayedSpeaker[] = [];
    const running = new AbortController();

    test('is said with two writes of the Service and one object', async () => {
      await furnish();
      void services.run(running.signal);
      void announcements.run(running.signal);
      operator = await cluster.startOperator(17_501);
      for (const node of NODES) speakers.push(new PlayedSpeaker(node));
      for (const speaker of speakers) speaker.hears(...NODES);
      await sleep(1_500);
      happened.length = 0;
      const slice = {
        metadata: { namespace: 'shop', name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
        addressType: 'IPv4',
        endpoints: [{ addresses: ['10.0.0.1'], nodeName: 'node-a', conditions: { ready: true } }],
      };
      await cluster.apply(resources.endpointSlices, slice);
      const web: Service = {
        metadata: WEB,
        spec: { type: 'LoadBalancer', selector: { app: 'web' }, ports: [{ port: 80 }] },
      };
      await cluster.apply(resources.services, web);
      await says('True Announced / True Announced l2:node-b');
      await sleep(3_000);
      assert.equal(happened.toSorted(), [
        'Service came',
        'Service changed',
        'Service changed',
        'ServiceAnnouncement came',
      ]);
    });

    test('is not said again by the next operator', async () => {
      happened.length = 0;
      operator.kill('SIGTERM');
      await cluster.startOperator(17_502);
      await sleep(4_000);
      assert.equal(happened, []);
    });

    test('follows the advertisement', async () => {
      await remove(resources.l2Advertisements, 'all', OWN_NAMESPACE);
      await says('False NoAdvertisement / False NoAdvertisement ');
      await advertise();
      await says('True Announced / True Announced l2:node-b');
    });

    test('changes no Service when a node dies, and the name after ten seconds', async () => {
      happened.length = 0;
      speakers[1]?.die();
      speakers[0]?.hears('node-a');
      await sleep(8_000);
      assert.equal(happened, []);
      await says('True Announced / True Announced l2:node-a', 5_000);
      assert.equal(happened, ['ServiceAnnouncement changed']);
    });

    test('is taken away with the Service', async () => {
      await remove(resources.services, 'web', 'shop');
      const isGone = async () => (await getObject(connection, resources.serviceAnnouncements, WEB)) === undefined;
      await eventually('the object is gone', isGone, 8_000);
      running.abort();
      for (const speaker of speakers) speaker.die();
      cluster.end();
    });
  },
  { timeoutMs: 90_000 },
);
