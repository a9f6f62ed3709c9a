/**
 * The informers of what speakers report. They are apart from those that decide about addresses: where their definitions
 * are missing, for instance before those are upgraded, Services still get addresses, and only nobody says who announces.
 */

import { SPEAKER_LABELS } from '../../crds/node-announcement.ts';
import { serviceKeyOf } from '../advertising/announced-service.ts';
import type { ApiConnection } from '../cluster/api-connection.ts';
import { type Change, Informer } from '../cluster/informer.ts';
import type { EndpointSlice, KubernetesObject, Lease } from '../cluster/objects.ts';
import { type Resource, resources } from '../cluster/resource.ts';
import { BY_SERVICE, type ReportStores } from './announced-world.ts';
import type { InformersOptions } from './informers.ts';

type AnyInformer = Informer<KubernetesObject>;

/** What a change of each kind is told as. */
export interface ReportListener {
  /** Of a NodeAnnouncement. */
  reportChanged(node: string): void;
  renewed(lease: Lease): void;
  slicesChanged(before: EndpointSlice | undefined, after: EndpointSlice | undefined): void;
  announcementChanged(key: string): void;
}

export class ReportInformers {
  readonly all: readonly AnyInformer[];
  readonly stores: ReportStores;

  /** @param listener who listens now; undefined while nobody leads */
  constructor(
    connection: ApiConnection,
    { log, metrics, guardOf }: InformersOptions,
    namespace: string,
    listener: () => ReportListener | undefined,
  ) {
    const guarded = <T extends KubernetesObject>(resource: Resource<T>): Informer<T> =>
      new Informer(connection, resource, { log, metrics, crd: guardOf(resource) });
    const labelSelector = Object.entries(SPEAKER_LABELS)
      .map(([name, value]) => `${name}=${value}`)
      .join(',');
    const nodeAnnouncements = guarded({ ...resources.nodeAnnouncements, namespace });
    const serviceAnnouncements = guarded(resources.serviceAnnouncements);
    const leases = new Informer(connection, { ...resources.leases, namespace, labelSelector }, { log, metrics });
    const endpointSlices = new Informer(connection, resources.serviceEndpointSlices, {
      log,
      metrics,
      indexes: { [BY_SERVICE]: (slice) => [serviceKeyOf(slice) ?? ''] },
    });
    nodeAnnouncements.onChange(({ before, after }) =>
      listener()?.reportChanged((after ?? before)?.metadata.name ?? ''),
    );
    serviceAnnouncements.onChange(({ key }) => listener()?.announcementChanged(key));
    leases.onChange(({ after }: Change<Lease>) => after && listener()?.renewed(after));
    endpointSlices.onChange(({ before, after }) => listener()?.slicesChanged(before, after));
    this.stores = {
      nodeAnnouncements: nodeAnnouncements.store,
      serviceAnnouncements: serviceAnnouncements.store,
      leases: leases.store,
      endpointSlices: endpointSlices.store,
    };
    // Whoever runs them does not look at their objects.
    this.all = [nodeAnnouncements, serviceAnnouncements, leases, endpointSlices] as readonly unknown[] as AnyInformer[];
  }

  /** Resolves when every store is complete. @throws when `signal` aborts */
  async synced(signal: AbortSignal): Promise<void> {
    await Promise.all(this.all.map((informer) => informer.synced(signal)));
  }
}
