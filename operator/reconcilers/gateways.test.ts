/** Services as controllers of the Gateway API make them, and what each gets: docs/gateways.md, row by row. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import type { IpAddressPool } from '../../crds/ip-address-pool.ts';
import { poolObject } from '../../testing/config-objects.ts';
import { spec } from '../../testing/spec.ts';
import { announcedServiceOf } from '../advertising/announced-service.ts';
import type { Service, ServiceSpec } from '../cluster/objects.ts';
import { FakeWorld } from './testing/fake-world.ts';
import { settled } from './testing/stories.ts';

const PORTS = [
  { name: 'http', port: 80 },
  { name: 'https', port: 443 },
];
const GATEWAY = { 'gateway.networking.k8s.io/gateway-name': 'gw' };
const DUAL = { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1', 'fd00::1'], ipFamilyPolicy: 'PreferDualStack' };

/** A load balancer of one family in namespace edge, as most controllers make one. */
function made(
  name: string,
  more: { spec?: ServiceSpec; annotations?: Record<string, string>; labels?: Record<string, string> } = {},
): Service {
  const { annotations, labels } = more;
  return {
    metadata: {
      namespace: 'edge',
      name,
      uid: `uid-${name}`,
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { ...GATEWAY, ...labels },
      ...(annotations && { annotations }),
    },
    spec: {
      type: 'LoadBalancer',
      clusterIP: '10.96.0.1',
      clusterIPs: ['10.96.0.1'],
      ports: PORTS,
      selector: GATEWAY,
      ...more.spec,
    },
  };
}

const publicPool = poolObject('public', ['203.0.113.0/28', '2001:db8::/124']);
const internalPool = poolObject('internal', ['198.51.100.0/28'], {
  autoAssign: false,
  serviceAllocation: { serviceSelectors: [{ matchLabels: { exposure: 'internal' } }] },
});
const lentPool = poolObject('lent', ['192.0.2.0/28', '2001:db8:1::/124'], {
  autoAssign: false,
  externalIPs: true,
  serviceAllocation: { namespaces: ['edge'] },
});

/** What the network gets to see of each Service: what it holds, then what it may have announced beside. */
async function seenOf(pools: readonly IpAddressPool[], services: readonly Service[]) {
  const world = new FakeWorld();
  world.put(world.stores.namespaces, { metadata: { name: 'edge' } });
  for (const pool of pools) world.put(world.stores.pools, pool);
  world.lead();
  await settled(world);
  for (const service of services) {
    const isBalancer = service.spec.type === 'LoadBalancer';
    world.put(isBalancer ? world.stores.services : world.stores.externalServices, service);
  }
  await settled(world, 200);
  const granted = world.stores.poolSets.get('herald-system/herald')?.externalIPs ?? [];
  const addressesOf = (name: string, lbClass = ''): readonly string[] => {
    const key = `edge/${name}`;
    const service = world.stores.services.get(key) ?? world.stores.externalServices.get(key);
    if (!service) throw new Error(`no Service ${name}`);
    const own = granted.filter((one) => one.service === key).map(({ address }) => address);
    return announcedServiceOf(service, [], lbClass, own)?.addresses ?? [];
  };
  await world.die();
  return { world, addressesOf };
}

interface Row {
  readonly controller: string;
  readonly wish: string;
  readonly service: Service;
  readonly gets: readonly string[];
}

const rows: readonly Row[] = [
  { controller: 'any', wish: 'any address', service: made('gw-istio'), gets: ['203.0.113.0'] },
  {
    controller: 'any',
    wish: 'both families, where the cluster has them',
    service: made('gw-nginx', { spec: DUAL }),
    gets: ['203.0.113.0', '2001:db8::'],
  },
  {
    controller: 'Istio',
    wish: 'the first of spec.addresses',
    service: made('gw-istio', { spec: { loadBalancerIP: '203.0.113.7' } }),
    gets: ['203.0.113.7'],
  },
  {
    controller: 'Istio',
    wish: 'an address of each family, by an annotation of spec.infrastructure',
    service: made('gw-istio', {
      spec: DUAL,
      annotations: { 'metallb.io/loadBalancerIPs': '203.0.113.7,2001:db8::7' },
    }),
    gets: ['203.0.113.7', '2001:db8::7'],
  },
  {
    controller: 'Contour',
    wish: 'spec.addresses, with the traffic kept on the node',
    service: made('envoy-gw', { spec: { loadBalancerIP: '203.0.113.8', externalTrafficPolicy: 'Local' } }),
    gets: ['203.0.113.8'],
  },
  {
    controller: 'Cilium',
    wish: 'a Service without selector, and a pool by name',
    service: made('cilium-gateway-gw', {
      spec: { ...DUAL, selector: {} },
      annotations: { 'metallb.io/address-pool': 'public' },
    }),
    gets: ['203.0.113.0', '2001:db8::'],
  },
  {
    controller: 'NGINX Gateway Fabric',
    wish: 'one address by its NginxProxy, on a cluster of both families',
    service: made('gw-nginx', { spec: { ...DUAL, loadBalancerIP: '203.0.113.9', externalTrafficPolicy: 'Local' } }),
    gets: ['203.0.113.9'],
  },
  {
    controller: 'kgateway',
    wish: 'a pool by a label of spec.infrastructure',
    service: made('gw', {
      labels: { exposure: 'internal' },
      annotations: { 'metallb.io/address-pool': 'internal' },
    }),
    gets: ['198.51.100.0'],
  },
  {
    controller: 'any',
    wish: 'a set of addresses of each of two pools',
    service: made('gw', {
      labels: { exposure: 'internal' },
      annotations: { 'heraldlb.io/address-pools': 'internal,public' },
    }),
    gets: ['198.51.100.0', '203.0.113.0'],
  },
  {
    controller: 'Envoy Gateway',
    wish: 'spec.addresses, as external IPs beside the address of the load balancer',
    service: made('envoy-edge-gw', { spec: { externalIPs: ['192.0.2.5'], externalTrafficPolicy: 'Local' } }),
    gets: ['203.0.113.0', '192.0.2.5'],
  },
  {
    controller: 'Envoy Gateway',
    wish: 'external IPs of both families alone, with envoyService.type ClusterIP',
    service: made('envoy-edge-gw', {
      spec: { ...DUAL, type: 'ClusterIP', externalIPs: ['192.0.2.5', '2001:db8:1::5'] },
    }),
    gets: ['192.0.2.5', '2001:db8:1::5'],
  },
  {
    controller: 'Envoy Gateway',
    wish: 'an external IP that no pool lends out',
    service: made('envoy-edge-gw', { spec: { type: 'ClusterIP', externalIPs: ['203.0.113.5'] } }),
    gets: [],
  },
  {
    controller: 'Traefik',
    wish: 'one Service for all Gateways, TCP and UDP',
    service: made('traefik', { spec: { ports: [{ port: 443 }, { port: 443, protocol: 'UDP' }] } }),
    gets: ['203.0.113.0'],
  },
  {
    controller: 'any',
    wish: 'an implementation of load balancers that is not Herald',
    service: made('gw', { spec: { loadBalancerClass: 'example.com/other' } }),
    gets: [],
  },
];

spec('Services of Gateways', (test) => {
  for (const { controller, wish, service, gets } of rows)
    test(`${controller}: ${wish}`, async () => {
      const { addressesOf } = await seenOf([publicPool, internalPool, lentPool], [service]);
      assert.equal(addressesOf(service.metadata.name), gets);
    });

  test('the example gives two Gateways two addresses, one of which was asked for', async () => {
    const folder = join(import.meta.dirname, '../../examples/gateway-two-addresses');
    const objectsOf = (file: string): readonly Record<string, unknown>[] =>
      parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map((document) => document.toJS());
    const pools = objectsOf('pools.yaml').map(({ metadata, spec: wanted }) => {
      const { name } = metadata as { name: string };
      const { addresses, ...more } = wanted as { addresses: string[] };
      return poolObject(name, addresses, more);
    });
    const gateways = objectsOf('gateways.yaml').filter(({ kind }) => kind === 'Gateway');
    // As GEP-1762 has it: what stands in spec.infrastructure comes to the Service.
    const services = gateways.map(({ metadata, spec: wanted }) => {
      const { name } = metadata as { name: string };
      const { infrastructure } = wanted as { infrastructure: Parameters<typeof made>[1] };
      return made(`${name}-istio`, infrastructure);
    });
    const { addressesOf } = await seenOf(pools, services);
    assert.equal(addressesOf('public-istio'), ['203.0.113.20']);
    assert.equal(addressesOf('internal-istio'), ['198.51.100.16']);
  });
});
