/** The samples of every kind. */
import { bgpAdvertisementSamples, l2AdvertisementSamples } from './advertisements.ts';
import { nodeAnnouncementSamples, serviceAnnouncementSamples } from './announcements.ts';
import { bgpPeerSamples } from './bgp-peer.ts';
import { bgpSessionSamples } from './bgp-session.ts';
import { bfdProfileSamples, communitySamples } from './bgp-settings.ts';
import type { KindSamples } from './field.ts';
import { ipAddressPoolSamples } from './ip-address-pool.ts';
import { configurationStateSamples, serviceBgpStatusSamples, serviceL2StatusSamples } from './metallb-statuses.ts';
import { poolSetSamples } from './pool-set.ts';
import { addressProbeSamples, addressQuotaSamples, addressReservationSamples } from './reservations.ts';

export const samples: readonly KindSamples[] = [
  ipAddressPoolSamples,
  l2AdvertisementSamples,
  bgpAdvertisementSamples,
  bgpPeerSamples,
  bfdProfileSamples,
  communitySamples,
  configurationStateSamples,
  serviceL2StatusSamples,
  serviceBgpStatusSamples,
  poolSetSamples,
  serviceAnnouncementSamples,
  nodeAnnouncementSamples,
  bgpSessionSamples,
  addressReservationSamples,
  addressQuotaSamples,
  addressProbeSamples,
];
