/** Builders of configuration objects for tests: each shows only what matters. */

import type { AddressQuota, AddressQuotaSpec } from '../crds/address-quota.ts';
import type { AddressReservation, AddressReservationSpec } from '../crds/address-reservation.ts';
import type { BfdProfile } from '../crds/bfd-profile.ts';
import type { BgpAdvertisement } from '../crds/bgp-advertisement.ts';
import type { BgpPeer, BgpPeerSpec } from '../crds/bgp-peer.ts';
import type { Community } from '../crds/community.ts';
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
export const l2Object = (
  name: string,
  spec?: L2Advertisement['spec'],
  metadata?: Partial<ObjectMeta>,
): L2Advertisement => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'L2Advertisement',
  metadata: meta(name, metadata),
  spec: spec ?? {},
});

/** A peer of AS 64513 at 192.0.2.1, seen from AS 64512. */
export const peerObject = (
  name: string,
  spec: Partial<BgpPeerSpec> = {},
  metadata: Partial<ObjectMeta> = {},
): BgpPeer => ({
  apiVersion: 'metallb.io/v1beta2',
  kind: 'BGPPeer',
  metadata: meta(name, metadata),
  spec: {
    myASN: 64512,
    peerASN: 64513,
    peerAddress: '192.0.2.1',
    peerPort: 179,
    disableMP: false,
    dualStackAddressFamily: false,
    ...spec,
  },
});

/** A BGPAdvertisement; without a spec it gives every address of every pool to every peer. */
export const bgpObject = (
  name: string,
  spec: Partial<BgpAdvertisement['spec']> = {},
  metadata: Partial<ObjectMeta> = {},
): BgpAdvertisement => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'BGPAdvertisement',
  metadata: meta(name, metadata),
  spec: { aggregationLength: 32, aggregationLengthV6: 128, ...spec },
});

export const profileObject = (name: string, spec: BfdProfile['spec'] = {}): BfdProfile => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'BFDProfile',
  metadata: meta(name),
  spec,
});

/** @param values by name */
export const communityObject = (
  name: string,
  values: Readonly<Record<string, string>>,
  metadata: Partial<ObjectMeta> = {},
): Community => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'Community',
  metadata: meta(name, metadata),
  spec: { communities: Object.entries(values).map(([alias, value]) => ({ name: alias, value })) },
});

export const reservationObject = (
  name: string,
  spec: AddressReservationSpec,
  metadata: Partial<ObjectMeta> = {},
): AddressReservation => ({
  apiVersion: 'heraldlb.io/v1alpha1',
  kind: 'AddressReservation',
  metadata: meta(name, metadata),
  spec,
});

export const quotaObject = (
  name: string,
  spec: AddressQuotaSpec,
  metadata: Partial<ObjectMeta> = {},
): AddressQuota => ({
  apiVersion: 'heraldlb.io/v1alpha1',
  kind: 'AddressQuota',
  metadata: meta(name, metadata),
  spec,
});

/** Born after everything that does not say when. */
export const LATER = { creationTimestamp: '2026-02-01T00:00:00Z' } as const;
