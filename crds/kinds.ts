/** Every kind that Herald serves. */
import { addressProbeKind } from './address-probe.ts';
import { addressQuotaKind } from './address-quota.ts';
import { addressReservationKind } from './address-reservation.ts';
import { bfdProfileKind } from './bfd-profile.ts';
import { bgpAdvertisementKind } from './bgp-advertisement.ts';
import { bgpPeerKind } from './bgp-peer.ts';
import { bgpSessionKind } from './bgp-session.ts';
import { communityKind } from './community.ts';
import { configurationStateKind } from './configuration-state.ts';
import type { KindDefinition } from './definition.ts';
import { ipAddressPoolKind } from './ip-address-pool.ts';
import { l2AdvertisementKind } from './l2-advertisement.ts';
import { nodeAnnouncementKind } from './node-announcement.ts';
import { poolSetKind } from './pool-set.ts';
import { serviceAnnouncementKind } from './service-announcement.ts';
import { serviceBgpStatusKind } from './service-bgp-status.ts';
import { serviceL2StatusKind } from './service-l2-status.ts';

export const kinds: readonly KindDefinition[] = [
  ipAddressPoolKind,
  l2AdvertisementKind,
  bgpPeerKind,
  bgpAdvertisementKind,
  bfdProfileKind,
  communityKind,
  configurationStateKind,
  serviceL2StatusKind,
  serviceBgpStatusKind,
  addressReservationKind,
  addressQuotaKind,
  poolSetKind,
  bgpSessionKind,
  serviceAnnouncementKind,
  nodeAnnouncementKind,
  addressProbeKind,
];
