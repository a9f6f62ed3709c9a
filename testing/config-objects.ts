/** Builders of configuration objects for tests: each shows only what matters. */

import type { IpAddressPool, IpAddressPoolSpec } from '../crds/ip-address-pool.ts';
import type { L2Advertisement } from '../crds/l2-advertisement.ts';
import type { ObjectMeta } from '../crds/object-meta.ts';

const BORN = '2026-01-01T00:00:00Z';

const meta = (name: string, more: Partial<ObjectMeta> = {}): ObjectMeta => ({
  namespace: 'herald-system',
  name,
  uid: `uid-${name}`,
  generation: 1,
  resourceVersion: '1',
  creationTimestamp: BORN,
  ...more,
});

/** A pool in Herald's own namespace. */
export const poolObject = (
  name: string,
  addresses: readonly string[],
  more: Partial<Omit<IpAddressPoolSpec, 'addresses'>> & { readonly metadata?: Partial<ObjectMeta> } = {},
): IpAddressPool => {
  const { metadata, ...spec } = more;
  return {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'IPAddressPool',
    metadata: meta(name, metadata),
    spec: { addresses: [...addresses], autoAssign: true, avoidBuggyIPs: false, ...spec },
  };
};

/** An advertisement in Herald's own namespace; without a spec it covers every pool. */
export const l2Object = (name: string, spec?: L2Advertisement['spec']): L2Advertisement => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'L2Advertisement',
  metadata: meta(name),
  spec: spec ?? {},
});
