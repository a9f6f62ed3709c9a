/** The kinds of configuration: all that people write, and that get conditions. */

import { type ResourceAddress, resources } from '../cluster/resource.ts';
import type { ReadonlyStore } from '../cluster/store.ts';
import { type Counting, countQuota, countReservation } from './counted-kinds.ts';
import type { JudgedObject } from './verdict-status.ts';
import type { Stores } from './world.ts';

export interface JudgedKind {
  /** The name of the controller, for instance `l2-advertisement`. */
  readonly name: string;
  readonly resource: ResourceAddress;
  readonly store: ReadonlyStore<JudgedObject>;
  /** For a kind with counters. */
  readonly counting?: Counting;
}

export const judgedKinds = (stores: Stores): readonly JudgedKind[] => [
  { name: 'address-pool', resource: resources.ipAddressPools, store: stores.pools },
  ...otherKinds(stores),
];

/** Those whose status is their conditions and perhaps a field more; pools have a controller of their own. */
export const otherKinds = (stores: Stores): readonly JudgedKind[] => [
  { name: 'l2-advertisement', resource: resources.l2Advertisements, store: stores.l2Advertisements },
  { name: 'bgp-advertisement', resource: resources.bgpAdvertisements, store: stores.bgpAdvertisements },
  { name: 'bgp-peer', resource: resources.bgpPeers, store: stores.bgpPeers },
  { name: 'bfd-profile', resource: resources.bfdProfiles, store: stores.bfdProfiles },
  { name: 'community', resource: resources.communities, store: stores.communities },
  {
    name: 'address-reservation',
    resource: resources.addressReservations,
    store: stores.reservations,
    counting: countReservation,
  },
  { name: 'address-quota', resource: resources.addressQuotas, store: stores.quotas, counting: countQuota },
];
