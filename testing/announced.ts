/** Values for tests of what is announced: a Service, a pool and an advertisement that give every answer its simplest form. */

import fc from 'fast-check';
import type { AnnouncedService, PoolInForce } from '../operator/advertising/snapshot.ts';
import type { L2Advertisement } from '../operator/config/advertisements.ts';
import { RangeSet } from '../operator/config/range-set.ts';
import { parseRange } from '../operator/net/range.ts';

export const NODES = ['node-a', 'node-b', 'node-c'];
export const EXCLUDE = { 'node.kubernetes.io/exclude-from-external-load-balancers': '' };

export const served = (...nodes: string[]) => ({ anywhere: nodes.length > 0, nodes: new Set(nodes) });

/** Of namespace shop, with 10.0.0.1 in its status and a port of its own, served on node-a. */
export const service = (name: string, more: Partial<AnnouncedService> = {}): AnnouncedService => ({
  key: `${more.namespace ?? 'shop'}/${name}`,
  namespace: 'shop',
  createdAt: '2026-01-01T00:00:00Z',
  labels: {},
  addresses: ['10.0.0.1'],
  held: more.addresses?.length ?? 1,
  sharingKey: '',
  ports: [`TCP/${name}`],
  backend: '',
  externalTrafficPolicy: 'Cluster',
  hasSelector: true,
  endpoints: served('node-a'),
  ...more,
});

export const pool = (name: string, range = '10.0.0.0/24', more: Partial<PoolInForce> = {}): PoolInForce => {
  const parsed = parseRange(range);
  if (typeof parsed === 'string') throw new Error(parsed);
  return { name, labels: {}, addresses: new RangeSet([parsed]), sharesAcrossNamespaces: false, ...more };
};

export const advertisement = (more: Partial<L2Advertisement> = {}): L2Advertisement => ({
  namespace: 'herald-system',
  name: 'ad',
  pools: [],
  poolSelectors: [],
  nodeSelectors: [],
  serviceSelectors: [],
  interfaces: [],
  preferredNodeSelectors: [],
  ...more,
});

export const ADDRESSES = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '2001:db8::1', '192.0.2.1'];

/** Services that meet each other at addresses, sharing keys and ports, some of whose addresses are external IPs. */
export const someService: fc.Arbitrary<AnnouncedService> = fc
  .record(
    {
      name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      namespace: fc.constantFrom('s', 's', 't'),
      createdAt: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'),
      labels: fc.constantFrom({}, { app: 'a' }, { app: 'b' }),
      addresses: fc.uniqueArray(fc.constantFrom(...ADDRESSES), { minLength: 1, maxLength: 3 }),
      held: fc.nat({ max: 3 }),
      sharingKey: fc.constantFrom('', 'k', 'k', 'j'),
      ports: fc.uniqueArray(fc.constantFrom('TCP/53', 'UDP/53', 'TCP/80', 'TCP/443'), { minLength: 1, maxLength: 2 }),
      isLocal: fc.boolean(),
      hasSelector: fc.boolean(),
      endpoints: fc.subarray(NODES).map((nodes) => served(...nodes)),
    },
    { noNullPrototype: true },
  )
  .map(({ name, isLocal, held, ...more }) => ({
    ...more,
    key: `${more.namespace}/${name}`,
    held: Math.min(held, more.addresses.length),
    externalTrafficPolicy: isLocal ? 'Local' : 'Cluster',
    backend: isLocal ? '{"app":"x"}' : '',
  }));
