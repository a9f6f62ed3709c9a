/** A cluster in which shop/api is announced, and ways in which it is not. */

import type { HeraldEvent } from '../../event-list.ts';
import { l2Advertisement, pool, service, type TestCluster } from '../../testing/cluster.ts';

export const KEY = 'shop/api';
export const ADDRESS_POOL = 'metallb.io/address-pool';
export const WANTED_IPS = 'metallb.io/loadBalancerIPs';

export const PUBLIC = pool('public', ['203.0.113.0/28']);

/** What was in force of the pool before. */
export const BEFORE = {
  namespace: 'herald-system',
  name: 'public',
  generation: 1,
  hash: 'x',
  addresses: ['203.0.113.0/28'],
  autoAssign: true,
  avoidBuggyIPs: false,
} as const;

/** What announces shop/api, but for what the case changes. */
export const announcing = (more: TestCluster): TestCluster => ({
  pools: [PUBLIC],
  l2Advertisements: [l2Advertisement('all')],
  services: [service(KEY)],
  endpoints: { [KEY]: ['node-a'] },
  ...more,
});

/** One way to get no address or no announcement, and what explain must find. */
export interface Cause {
  readonly name: string;
  readonly cluster: TestCluster;
  /** What the operator told as events about shop/api. */
  readonly events?: readonly HeraldEvent[];
  readonly reason: string;
  /** In the message of the broken link. */
  readonly says: string;
  /** In one of its details: subject and reason. */
  readonly detail?: readonly [subject: string, reason: string];
  /** The link that breaks, where the reason alone does not tell. */
  readonly link?: string;
  /** In one of the remedies. */
  readonly remedy?: string;
}
