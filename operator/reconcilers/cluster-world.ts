/** The world of the reconcilers on a real cluster, for one term of leadership. */

import { randomBytes } from 'node:crypto';
import { serviceConditions } from '../../crds/annotations.ts';
import { POOL_SET_NAME, type PoolSet } from '../../crds/pool-set.ts';
import type { ApiConnection } from '../cluster/api-connection.ts';
import { ConflictError, isNotFound } from '../cluster/api-error.ts';
import { conditionOf } from '../cluster/conditions.ts';
import type { EventRecorder, EventType } from '../cluster/events.ts';
import type { LeaderTerm } from '../cluster/leader-term.ts';
import { listAll } from '../cluster/list.ts';
import { type KubernetesObject, type Service, splitKey } from '../cluster/objects.ts';
import { createObject, getObject, write } from '../cluster/requests.ts';
import { apiVersionOf, objectPath, type ResourceAddress, resources } from '../cluster/resource.ts';
import type { StatusChange, StatusWriter } from '../cluster/status-writer.ts';
import type { Logger } from '../observability/log.ts';
import type { Stores, World } from './world.ts';

const MEMBER_KEY_SECRET = 'herald-memberkey';
/** What the heartbeats' authentication takes. */
const MEMBER_KEY_OCTETS = 32;
const fieldManager = 'herald-operator';

export interface ClusterWorldParts {
  readonly connection: ApiConnection;
  readonly writer: StatusWriter;
  readonly recorder: EventRecorder;
  readonly stores: Stores;
  readonly namespace: string;
  readonly term: LeaderTerm;
  readonly log: Logger;
}

export class ClusterWorld implements World {
  readonly stores: Stores;
  readonly #parts: ClusterWorldParts;

  constructor(parts: ClusterWorldParts) {
    this.stores = parts.stores;
    this.#parts = parts;
  }

  now(): Date {
    return new Date();
  }
  clock(): number {
    return performance.now();
  }

  applyStatus<S extends object>(
    object: KubernetesObject,
    resource: ResourceAddress,
    change: StatusChange<S>,
  ): Promise<'Written' | 'Unchanged'> {
    return this.#parts.writer.apply(object, resource, change, this.#parts.term);
  }

  /** Not by apply: a list by keys whose last entry goes would become null, which the definition refuses. */
  async storePoolSet(before: PoolSet | undefined, pools: PoolSet['pools']): Promise<PoolSet> {
    const { connection, namespace, term } = this.#parts;
    const { poolSets } = resources;
    const metadata = { namespace, name: POOL_SET_NAME };
    if (!before) {
      const object: PoolSet = { apiVersion: apiVersionOf(poolSets), kind: 'PoolSet', metadata, pools };
      return createObject(connection, poolSets, object, { fieldManager, term });
    }
    const request = {
      method: 'PATCH',
      path: objectPath(poolSets, metadata),
      query: { fieldManager },
      contentType: 'application/merge-patch+json',
      body: { metadata: { resourceVersion: before.metadata.resourceVersion }, pools },
    } as const;
    try {
      return await write<PoolSet>(connection, request, term);
    } catch (error) {
      throw isNotFound(error) ? new ConflictError('the PoolSet is gone', { cause: error }) : error;
    }
  }

  readPoolSet(): Promise<PoolSet | undefined> {
    const { connection, namespace, term } = this.#parts;
    return getObject(connection, resources.poolSets, { namespace, name: POOL_SET_NAME }, term.signal);
  }

  readService(key: string): Promise<Service | undefined> {
    return getObject(this.#parts.connection, resources.services, splitKey(key), this.#parts.term.signal);
  }

  async readFormerServices(): Promise<readonly Service[]> {
    const { connection, term } = this.#parts;
    const resource = { ...resources.services, fieldSelector: 'spec.type!=LoadBalancer' };
    const { objects } = await listAll(connection, resource, term.signal);
    return objects.filter(({ status }) => conditionOf(status?.conditions, serviceConditions.addressAssigned));
  }

  async ensureMemberKey(): Promise<'Created' | 'Exists'> {
    const { connection, namespace, term, log } = this.#parts;
    const metadata = { namespace, name: MEMBER_KEY_SECRET };
    if (await getObject(connection, resources.secrets, metadata, term.signal)) return 'Exists';
    const data = { key: randomBytes(MEMBER_KEY_OCTETS).toString('base64') };
    try {
      await createObject(connection, resources.secrets, { metadata, type: 'Opaque', data }, { fieldManager, term });
    } catch (error) {
      if (error instanceof ConflictError) return 'Exists'; // somebody was faster: theirs counts
      throw error;
    }
    log.info('member key created', metadata);
    return 'Created';
  }

  event(object: KubernetesObject, type: EventType, reason: string, message: string): void {
    this.#parts.recorder.event(object, type, reason, message);
  }
}
