/** Every kind that Herald serves. */
import { bgpAdvertisementKind } from './bgp-advertisement.ts';
import { bgpPeerKind } from './bgp-peer.ts';
import type { KindDefinition } from './definition.ts';
import { ipAddressPoolKind } from './ip-address-pool.ts';
import { l2AdvertisementKind } from './l2-advertisement.ts';
import { poolSetKind } from './pool-set.ts';
import { serviceL2StatusKind } from './service-l2-status.ts';

export const kinds: readonly KindDefinition[] = [
  ipAddressPoolKind,
  l2AdvertisementKind,
  bgpPeerKind,
  bgpAdvertisementKind,
  serviceL2StatusKind,
  poolSetKind,
];
