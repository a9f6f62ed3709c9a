/** A node of the takeover test: the real threads and the real agent in a process of its own, between a fixed cluster and a parent. */

import { Registry } from 'prom-client';
import { labels } from '../../crds/annotations.ts';
import type { AdvertisingConfig, AnnouncedService } from '../advertising/snapshot.ts';
import { RangeSet } from '../config/range-set.ts';
import { parseRange } from '../net/range.ts';
import { createLogger } from '../observability/log.ts';
import { Agent } from './agent.ts';
import type { View, ViewChange } from './cluster-view.ts';
import { createSpeakerMetrics } from './metrics.ts';
import { SpeakerThreads } from './threads.ts';
import { systemClock } from './wire/clock.ts';

/** What the parent gives a node to start with. */
export interface TakeoverNodeData {
  readonly node: string;
  readonly nodes: readonly { readonly node: string; readonly address: string }[];
  readonly addresses: readonly string[];
}

const { node, nodes, addresses } = JSON.parse(process.argv[2] ?? '{}') as TakeoverNodeData;
const ranges = ['198.51.100.0/24', '192.0.2.0/24', '2001:db8::/64'].map(parseRange);
const all = { pools: [], poolSelectors: [], nodeSelectors: [], serviceSelectors: [], interfaces: [] };

const service: AnnouncedService = {
  key: 'shop/web',
  createdAt: '2026-01-01T00:00:00Z',
  namespace: 'shop',
  labels: {},
  addresses,
  held: addresses.length,
  sharingKey: '',
  ports: ['TCP/80'],
  backend: '',
  externalTrafficPolicy: 'Cluster',
  hasSelector: true,
  endpoints: { anywhere: true, nodes: new Set([node]) },
};
const addressesOfPool = new RangeSet(ranges.filter((range) => typeof range !== 'string'));
/** With one node that its label keeps out, or none. */
const configWithout = (excluded?: string): AdvertisingConfig => ({
  node,
  nodes: nodes.map(({ node: name }) => ({
    name,
    labels: name === excluded ? { [labels.excludeFromExternalLoadBalancers]: '' } : {},
    isNetworkUnavailable: false,
  })),
  pools: [{ name: 'p', labels: {}, addresses: addressesOfPool, sharesAcrossNamespaces: false }],
  advertisements: [{ namespace: 'herald-system', name: 'all', preferredNodeSelectors: [], ...all }],
  ignoresExcludeLabel: false,
});
let config = configWithout();

let tell: (change: ViewChange) => void = () => {};
const view: View = {
  hasSynced: true,
  knowsPools: true,
  announcedService: () => service,
  config: () => config,
  peers: () => nodes.filter((other) => other.node !== node),
  onChange: (listener) => {
    tell = listener;
  },
};
const heartbeats = { intervalMs: 100, missed: 3, startMarginMs: 1_000, isolationHoldMs: 10_000, leaveTimeoutMs: 1_000 };
const threads = new SpeakerThreads(
  { config: { node, incarnation: Date.now(), algorithmVersion: 1, ...heartbeats }, port: 7946 },
  (error) => {
    throw error;
  },
);
const agent = new Agent({
  node,
  excludeInterfaces: '',
  view,
  threads,
  folder: { load: () => undefined, save: () => {} },
  clock: systemClock,
  wallClock: Date.now,
  metrics: createSpeakerMetrics(new Registry(), node),
  log: createLogger({ level: 'error' }),
  onOwned: (owned) => process.send?.({ owned: owned.map(({ address }) => address) }),
  onFatal: (_reason, message) => {
    throw new Error(message);
  },
});
threads.onClock((message) => message.kind === 'Available' && process.send?.({ available: message.nodes }));
agent.setKeys([new Uint8Array(32).fill(9)]);

process.on('message', (message) => {
  if (message === 'start') tell({ kind: 'Service', key: service.key });
  if (typeof message === 'object' && message !== null && 'exclude' in message) {
    config = configWithout(String(message.exclude));
    tell({ kind: 'Config' });
  }
  if (message === 'leave')
    void agent
      .leave()
      .then(() => threads.stop())
      .then(() => process.exit(0));
});
process.on('disconnect', () => process.exit(0));
process.send?.({ started: true });
