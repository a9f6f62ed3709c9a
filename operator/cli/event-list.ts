/** The events that Herald wrote, as the API server lists them. */

import type { ApiConnection } from '../cluster/api-connection.ts';
import { listAll } from '../cluster/list.ts';
import type { KubernetesObject } from '../cluster/objects.ts';
import type { Resource } from '../cluster/resource.ts';

/** events.k8s.io/v1, as far as it is shown. */
export interface HeraldEvent extends KubernetesObject {
  readonly type?: string;
  readonly reason?: string;
  readonly note?: string;
  /** RFC 3339 with microseconds. */
  readonly eventTime?: string | null;
  readonly reportingController?: string;
  readonly reportingInstance?: string;
  readonly regarding?: { readonly kind?: string; readonly namespace?: string; readonly name?: string };
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
}

/** Who of us reports; the API server chooses by one at a time. */
const REPORTERS = ['herald-operator', 'herald-speaker'];

/** Which events: of one object, of a namespace, or all. */
export interface EventChoice {
  readonly namespace?: string | undefined;
  readonly name?: string;
}

/** By the time at which they were last seen. @throws {ApiError} */
export async function listHeraldEvents(
  connection: ApiConnection,
  choice: EventChoice,
): Promise<readonly HeraldEvent[]> {
  const lists = await Promise.all(REPORTERS.map((reporter) => listEvents(connection, reporter, choice)));
  return lists.flat().toSorted((a, b) => (lastSeen(a) < lastSeen(b) ? -1 : 1));
}

async function listEvents(
  connection: ApiConnection,
  reporter: string,
  { namespace, name }: EventChoice,
): Promise<readonly HeraldEvent[]> {
  const resource: Resource<HeraldEvent> = {
    group: 'events.k8s.io',
    version: 'v1',
    kind: 'Event',
    plural: 'events',
    namespaced: true,
    ...(namespace !== undefined && { namespace }),
    fieldSelector: [`reportingController=${reporter}`, ...(name === undefined ? [] : [`regarding.name=${name}`])].join(
      ',',
    ),
  };
  return (await listAll(connection, resource)).objects;
}

export const lastSeen = ({ series, eventTime, metadata }: HeraldEvent): string =>
  series?.lastObservedTime ?? eventTime ?? metadata.creationTimestamp ?? '';
