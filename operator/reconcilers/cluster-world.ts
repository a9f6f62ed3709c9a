/** The world of the reconcilers on a real cluster, for one term of leadership. */

import { randomBytes } from 'node:crypto';
import { labels as ourLabels, serviceConditions } from '../../crds/annotations.ts';
import { type ConfigurationState, OPERATOR_STATE } from '../../crds/configuration-state.ts';
import { POOL_SET_NAME, type PoolSet } from '../../crds/pool-set.ts';
import type { ApiConnection } from '../cluster/api-connection.ts';
import { ConflictError, isForbidden, isNotFound } from '../cluster/api-error.ts';
import { conditionOf } from '../cluster/conditions.ts';
import type { EventRecorder, EventType } from '../cluster/events.ts';
import type { LeaderTerm } from '../cluster/leader-term.ts';
import { listAll } from '../cluster/list.ts';
import { type KubernetesObject, keyOf, type Secret, type Service, splitKey } from '../cluster/objects.ts';
import { createObject, getObject, write } from '../cluster/requests.ts';
import { apiVersionOf, objectPath, type ResourceAddress, resources } from '../cluster/resource.ts';
import type { StatusChange, StatusWriter } from '../cluster/status-writer.ts';
import { MAX_PASSWORD_OCTETS, type SecretName } from '../config/password-secret.ts';
import type { PodAddress, SecretFact } from '../config/surroundings.ts';
import type { Logger } from '../observability/log.ts';
import type { SourceObserver } from '../sources/http-source.ts';
import { ClusterSources, type SourceDoor } from './source-door.ts';
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
  /** Told of the requests to the source of a pool, 'namespace/name'. */
  readonly sourceObserver?: (pool: string) => SourceObserver;
}

export class ClusterWorld implements World {
  readonly stores: Stores;
  readonly sources: SourceDoor;
  readonly #parts: ClusterWorldParts;

  constructor(parts: ClusterWorldParts) {
    this.stores = parts.stores;
    this.sources = new ClusterSources({ ...parts, observer: parts.sourceObserver });
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

  /** Whatever else is stored beside them: only the leader writes them, and who comes after it decides anew. */
  storeExternalIps(externalIPs: NonNullable<PoolSet['externalIPs']>): Promise<PoolSet> {
    return this.#patchPoolSet({ externalIPs: externalIPs.length > 0 ? externalIPs : null });
  }
  storeResting(resting: NonNullable<PoolSet['resting']>): Promise<PoolSet> {
    return this.#patchPoolSet({ resting: resting.length > 0 ? resting : null });
  }

  #patchPoolSet(body: object): Promise<PoolSet> {
    const { connection, namespace, term } = this.#parts;
    const request = {
      method: 'PATCH',
      path: objectPath(resources.poolSets, { namespace, name: POOL_SET_NAME }),
      query: { fieldManager },
      contentType: 'application/merge-patch+json',
      body,
    } as const;
    return write<PoolSet>(connection, request, term);
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

  async readPodAddresses(): Promise<readonly PodAddress[]> {
    const { connection, term } = this.#parts;
    // Those of the host network have the addresses of their nodes.
    const fieldSelector = 'spec.hostNetwork=false,status.phase!=Succeeded,status.phase!=Failed';
    const { objects } = await listAll(connection, { ...resources.pods, fieldSelector }, term.signal);
    return objects.flatMap((pod) =>
      (pod.status?.podIPs ?? []).map(({ ip }): PodAddress => ({ pod: keyOf(pod), address: ip })),
    );
  }

  async readSecretFact(name: SecretName): Promise<SecretFact> {
    const { connection, term } = this.#parts;
    try {
      const secret = await getObject(connection, resources.secrets, name, term.signal);
      return secret ? secretFactOf(secret) : 'Missing';
    } catch (error) {
      if (isForbidden(error)) return 'Unreadable';
      throw error;
    }
  }

  async createConfigurationState(): Promise<'Created' | 'Exists' | 'NotServed'> {
    const { connection, namespace, term } = this.#parts;
    const { configurationStates } = resources;
    const labels = { [ourLabels.componentType]: 'controller' };
    const object: ConfigurationState = {
      apiVersion: apiVersionOf(configurationStates),
      kind: 'ConfigurationState',
      metadata: { namespace, name: OPERATOR_STATE, labels },
    };
    try {
      await createObject(connection, configurationStates, object, { fieldManager, term });
      return 'Created';
    } catch (error) {
      if (error instanceof ConflictError) return 'Exists';
      if (isNotFound(error)) return 'NotServed';
      throw error;
    }
  }

  event(object: KubernetesObject, type: EventType, reason: string, message: string): void {
    this.#parts.recorder.event(object, type, reason, message);
  }
}

/** The password itself goes no further than here. */
function secretFactOf({ type, data = {} }: Secret): SecretFact {
  if (type !== 'kubernetes.io/basic-auth') return 'WrongType';
  const octets = Buffer.from(data['password'] ?? '', 'base64').length;
  if (octets === 0) return 'NoPassword';
  return octets > MAX_PASSWORD_OCTETS ? 'PasswordTooLong' : 'Usable';
}
