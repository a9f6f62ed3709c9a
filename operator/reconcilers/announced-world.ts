/** All that rolling reports up may see and do; the tests pass a world of their own. */

import type { NodeAnnouncement } from '../../crds/node-announcement.ts';
import type { ServiceAnnouncement } from '../../crds/service-announcement.ts';
import type { ApiConnection } from '../cluster/api-connection.ts';
import type { LeaderTerm } from '../cluster/leader-term.ts';
import type { EndpointSlice, Lease } from '../cluster/objects.ts';
import { applyRequest, deleteObject, write } from '../cluster/requests.ts';
import { resources } from '../cluster/resource.ts';
import type { ReadonlyStore } from '../cluster/store.ts';
import type { World } from './world.ts';

/** What the informers of reports know. */
export interface ReportStores {
  readonly nodeAnnouncements: ReadonlyStore<NodeAnnouncement>;
  /** Of the speakers. */
  readonly leases: ReadonlyStore<Lease>;
  /** With the index `BY_SERVICE`. */
  readonly endpointSlices: ReadonlyStore<EndpointSlice>;
  readonly serviceAnnouncements: ReadonlyStore<ServiceAnnouncement>;
}

/** The index of slices by the key of their Service. */
export const BY_SERVICE = 'service';

/** Every write is one of a leader: it throws LeadershipLostError when the term does not allow it any more. */
export interface AnnouncedWorld extends Pick<World, 'now' | 'clock' | 'applyStatus'> {
  readonly stores: Pick<World['stores'], 'services' | 'externalServices' | 'nodes' | 'l2Advertisements' | 'poolSets'> &
    ReportStores;
  /** Creates a ServiceAnnouncement, or puts it in place of the one that is there. */
  storeAnnouncement(announcement: ServiceAnnouncement): Promise<void>;
  /** Deletes that very object; one that is gone is as good. */
  removeAnnouncement(announcement: ServiceAnnouncement): Promise<void>;
}

/** The world of one term of leadership on a real cluster. */
export function announcedWorld(
  world: World,
  reports: ReportStores,
  connection: ApiConnection,
  term: LeaderTerm,
): AnnouncedWorld {
  const resource = resources.serviceAnnouncements;
  return {
    stores: { ...world.stores, ...reports },
    now: () => world.now(),
    clock: () => world.clock(),
    applyStatus: (object, address, change) => world.applyStatus(object, address, change),
    async storeAnnouncement(announcement) {
      await write(connection, applyRequest(resource, announcement, 'herald-operator'), term);
    },
    removeAnnouncement: ({ metadata: { namespace = '', name, uid } }) =>
      deleteObject(connection, resource, { namespace, name, ...(uid !== undefined && { uid }) }, term),
  };
}
