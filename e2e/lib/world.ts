/** The world of one scenario: a namespace, addresses of its own, and words to act upon the cluster and to look at it. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { places, repository } from '../cluster/places.ts';
import { copyProbe } from '../probe/run.ts';
import { type Slice, sliceOf } from './address-slice.ts';
import { NAMESPACE, ready } from './herald.ts';
import { collection, KubeApi, type KubeObject } from './kube-api.ts';
import { exec, freeAddresses, tryExec } from './lab.ts';
import { answersIn } from './neighbour-answers.ts';
import { waitFor } from './wait-for.ts';
import { type ServiceOptions, webObjects, webService } from './web.ts';

/** Marks everything a scenario makes outside its namespace. */
const SCENARIO_LABEL = 'e2e.heraldlb.io/scenario';
const SCENARIOS = join(repository, 'e2e/scenarios');
/** Others that need a slice of addresses beside the scenarios. */
const OTHERS = ['demo', 'bench', 'spare'];
export const METALLB = 'metallb.io/v1beta1';
const HERALD = 'heraldlb.io/v1alpha1';
/** What scenarios configure, by the version that is served. */
const CONFIG_VERSIONS = {
  IPAddressPool: METALLB,
  L2Advertisement: METALLB,
  BGPAdvertisement: METALLB,
  BGPPeer: 'metallb.io/v1beta2',
  BFDProfile: METALLB,
  Community: METALLB,
  AddressReservation: HERALD,
  AddressQuota: HERALD,
} as const;
export type ConfigKind = keyof typeof CONFIG_VERSIONS;
/** After an outage of the API server the controller manager waits up to minutes before it looks at namespaces again. */
const NAMESPACE_GONE_MS = 180_000;
export const CONFIG_KINDS = Object.keys(CONFIG_VERSIONS) as readonly ConfigKind[];

export interface ClusterNode {
  readonly name: string;
  readonly mac: string;
  readonly isControlPlane: boolean;
}

export type Family = 'IPv4' | 'IPv6';
export const familyOf = (address: string): Family => (address.includes(':') ? 'IPv6' : 'IPv4');

const NOTHING = { IPv4: { range: '', addresses: [] }, IPv6: { range: '', addresses: [] } };

export class World {
  readonly name: string;
  readonly namespace: string;
  readonly api: KubeApi;
  readonly nodes: readonly ClusterNode[];
  /** This scenario's addresses, by family. */
  readonly free: Readonly<Record<Family, Slice>>;

  private constructor(
    name: string,
    namespace: string,
    api: KubeApi,
    nodes: readonly ClusterNode[],
    free: Record<Family, Slice>,
  ) {
    this.name = name;
    this.namespace = namespace;
    this.api = api;
    this.nodes = nodes;
    this.free = free;
  }

  /** Removes everything that a scenario of this name made. */
  static async remove(name: string): Promise<void> {
    await new World(name, `e2e-${name}`, new KubeApi(places.kubeconfig), [], NOTHING).clear();
  }

  /** A clean world: what an earlier run of the same scenario left behind is removed first. */
  static async open(name: string, namespace = `e2e-${name}`): Promise<World> {
    const api = new KubeApi(places.kubeconfig);
    await ready(api);
    const [nodes, range] = await Promise.all([nodesOf(api), freeAddresses()]);
    const slot = slotOf(name);
    const free = { IPv4: sliceOf(range.ipv4, slot), IPv6: sliceOf(range.ipv6, slot) };
    const world = new World(name, namespace, api, nodes, free);
    await Promise.all([world.clear(), copyProbe()]);
    await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: world.namespace } });
    return world;
  }

  /** Removes everything this scenario made and waits until it is gone. */
  async clear(): Promise<void> {
    await this.api.delete(`${collection('v1', 'Namespace')}/${this.namespace}`);
    await waitFor(
      'the namespace of the scenario is gone',
      { withinMs: NAMESPACE_GONE_MS, everyMs: 250 },
      async () => (await this.api.find(`${collection('v1', 'Namespace')}/${this.namespace}`)) === undefined,
    );
    for (const kind of CONFIG_KINDS)
      for (const { metadata } of await this.#ownObjects(kind))
        await this.api.delete(`${collection(CONFIG_VERSIONS[kind], kind, metadata.namespace)}/${metadata.name}`);
  }

  async #ownObjects(kind: ConfigKind): Promise<KubeObject[]> {
    // Without the CRDs there is nothing to remove.
    return ((await this.api.find(this.ownPath(kind))) as { items?: KubeObject[] } | undefined)?.items ?? [];
  }

  /** The path that lists what this scenario configured, of one kind. */
  ownPath(kind: ConfigKind): string {
    const selector = encodeURIComponent(`${SCENARIO_LABEL}=${this.name}`);
    return `${collection(CONFIG_VERSIONS[kind], kind)}?labelSelector=${selector}`;
  }

  configObject(kind: ConfigKind, name: string, spec: Record<string, unknown>): KubeObject {
    const labels = { [SCENARIO_LABEL]: this.name };
    return { apiVersion: CONFIG_VERSIONS[kind], kind, metadata: { name, namespace: NAMESPACE, labels }, spec };
  }

  /** A pool that serves only this scenario's namespace; all its addresses unless told otherwise. */
  pool(spec: Record<string, unknown> = {}, name = this.name): Promise<KubeObject> {
    const addresses = [this.free.IPv4.range, this.free.IPv6.range];
    const serviceAllocation = { namespaces: [this.namespace] };
    return this.api.apply(this.configObject('IPAddressPool', name, { addresses, serviceAllocation, ...spec }));
  }

  /** An L2Advertisement for this scenario's pool. */
  advertise(spec: Record<string, unknown> = {}, name = this.name): Promise<KubeObject> {
    return this.api.apply(this.configObject('L2Advertisement', name, { ipAddressPools: [this.name], ...spec }));
  }

  /** The echo server in pods, ready to answer. */
  async web(options: { name?: string; node?: string; replicas?: number } = {}): Promise<void> {
    const { name = 'web', replicas = 1 } = options;
    for (const object of webObjects({ namespace: this.namespace, ...options })) await this.api.apply(object);
    const path = `${collection('apps/v1', 'Deployment', this.namespace)}/${name}`;
    await waitFor(
      `${name} is available`,
      { withinMs: 60_000, everyMs: 200 },
      async () => (await this.api.get(path))['status'],
      (status) => status.readyReplicas === replicas,
    );
  }

  service(options: Omit<ServiceOptions, 'namespace'>): Promise<KubeObject> {
    return this.api.create(webService({ namespace: this.namespace, ...options }));
  }

  servicePath(name: string): string {
    return `${collection('v1', 'Service', this.namespace)}/${name}`;
  }

  /** The addresses in a Service's status, as they are now. */
  async addressesNow(name: string): Promise<string[]> {
    return addressesIn(await this.api.get(this.servicePath(name)));
  }

  /** The addresses of a Service once it has them. */
  addressesOf(name: string, withinMs = 10_000): Promise<string[]> {
    return waitFor(
      `${name} has its addresses`,
      { withinMs, everyMs: 20 },
      () => this.addressesNow(name),
      ({ length }) => length > 0,
    );
  }

  /** The condition about the address of a Service, once it has this reason. */
  says(name: string, reason: string, withinMs = 10_000): Promise<ReturnType<typeof conditionOf>> {
    return waitFor(
      `${name} says ${reason}`,
      { withinMs, everyMs: 50 },
      async () => conditionOf(await this.api.get(this.servicePath(name)), 'heraldlb.io/AddressAssigned'),
      (condition) => condition?.reason === reason,
    );
  }

  /** Every hardware address that answers for `address` in three requests from the client. */
  async answers(address: string): Promise<string[]> {
    const { stdout, stderr } = await tryExec('client', askNeighbour(address, 3));
    return answersIn(`${stdout}\n${stderr}`);
  }

  /** The one node that answers for an address; fails when none or several do. */
  async owner(address: string, withinMs = 10_000): Promise<ClusterNode> {
    const seen = await waitFor(
      `exactly one node answers for ${address}`,
      { withinMs },
      async () => {
        const macs = [...new Set(await this.answers(address))];
        return macs.map((mac) => this.nodes.find((node) => node.mac === mac)?.name ?? `unknown ${mac}`);
      },
      (names) => names.length === 1,
    );
    const owner = this.nodes.find(({ name }) => name === seen[0]);
    if (!owner) throw new Error(`${address} is answered by a stranger: ${seen[0]}`);
    return owner;
  }

  /** Resolves when nobody answers for an address. */
  async silence(address: string, withinMs = 10_000): Promise<void> {
    const isSilent = (answers: string[]): boolean => answers.length === 0;
    await waitFor(`nobody answers for ${address}`, { withinMs }, () => this.answers(address), isSilent);
  }

  /** Fetches the page from the client; what it says. */
  async fetch(address: string): Promise<string> {
    const host = familyOf(address) === 'IPv6' ? `[${address}]` : address;
    return exec('client', ['curl', '-sS', '--fail', '--max-time', '3', `http://${host}/`]);
  }

  /** Fetches the page until it comes: kube-proxy takes a moment. */
  fetchSoon(address: string, withinMs = 60_000): Promise<string> {
    return waitFor(
      `the client fetches http://${address}/`,
      { withinMs },
      () => this.fetch(address),
      (page) => page.includes('served by'),
    );
  }

  get controlPlane(): ClusterNode {
    const node = this.nodes.find(({ isControlPlane }) => isControlPlane);
    if (!node) throw new Error('no control plane');
    return node;
  }

  get workers(): readonly ClusterNode[] {
    return this.nodes.filter(({ isControlPlane }) => !isControlPlane);
  }
}

/** The command that asks the client's segment who has an address. */
export function askNeighbour(address: string, times: number): string[] {
  return familyOf(address) === 'IPv4'
    ? // -b: without it arping turns to unicast after the first answer, and a second node would never be asked.
      ['arping', '-b', '-c', `${times}`, '-w', `${times + 1}`, '-I', 'eth0', address]
    : ['sh', '-c', `for i in $(seq ${times}); do ndisc6 -m -n -r 1 -w 500 ${address} eth0; done`];
}

export const addressesIn = (service: KubeObject): string[] =>
  ((service['status']?.loadBalancer?.ingress ?? []) as { ip: string }[]).map(({ ip }) => ip);

export const conditionOf = (
  object: KubeObject,
  type: string,
): { status: string; reason: string; message: string } | undefined =>
  (object['status']?.conditions ?? []).find((condition: { type: string }) => condition.type === type);

async function nodesOf(api: KubeApi): Promise<ClusterNode[]> {
  const nodes = await api.list(collection('v1', 'Node'));
  return Promise.all(
    nodes.map(async ({ metadata }) => ({
      name: metadata.name,
      mac: (await exec(metadata.name, ['cat', '/sys/class/net/eth0/address'])).trim(),
      isControlPlane: metadata.labels?.['node-role.kubernetes.io/control-plane'] !== undefined,
    })),
  );
}

function slotOf(name: string): number {
  const scenariosIn = (folder: string): string[] =>
    readdirSync(folder)
      .filter((file) => file.endsWith('.e2e.ts'))
      .map((file) => file.replace('.e2e.ts', ''));
  const slot = [...scenariosIn(SCENARIOS), ...OTHERS, ...scenariosIn(join(SCENARIOS, 'long'))].indexOf(name);
  if (slot < 0) throw new Error(`no scenario is called ${name}`);
  return slot;
}
