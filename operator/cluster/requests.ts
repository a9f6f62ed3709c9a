/** Single requests about single objects: get, create, delete, and what a server-side apply looks like. */

import type { ApiConnection, ApiRequest } from './api-connection.ts';
import { ConflictError, isConflict, isNotFound } from './api-error.ts';
import type { FieldManager } from './field-managers.ts';
import type { LeaderTerm } from './leader-term.ts';
import type { KubernetesObject, ObjectMeta } from './objects.ts';
import { apiVersionOf, collectionPath, objectPath, type Resource, type ResourceAddress } from './resource.ts';

/** Writes of a leader end within this time, whatever happens: its lease ends that much later than its right to write. */
export const WRITE_TIMEOUT_MS = 1_000;

/** The object, whole; undefined when it does not exist. @throws {ApiError} */
export async function getObject<T extends KubernetesObject>(
  connection: ApiConnection,
  resource: Resource<T>,
  where: Pick<ObjectMeta, 'namespace' | 'name'>,
  signal?: AbortSignal,
): Promise<T | undefined> {
  try {
    const path = objectPath(resource, where);
    return await connection.request<T>({ method: 'GET', path, ...(signal && { signal }) });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Creates an object. @throws {ConflictError} when it exists already @throws {ApiError} @throws {LeadershipLostError} */
export function createObject<T extends KubernetesObject>(
  connection: ApiConnection,
  resource: Resource<T>,
  object: T,
  options: { readonly fieldManager: FieldManager; readonly term?: LeaderTerm | undefined },
): Promise<T> {
  const request: ApiRequest = {
    method: 'POST',
    path: collectionPath(resource, object.metadata.namespace),
    query: { fieldManager: options.fieldManager },
    body: withKind(resource, object),
  };
  return write(connection, request, options.term);
}

/** Deletes an object, and only the one meant where uid or resourceVersion are given; a missing one is as good. */
export async function deleteObject(
  connection: ApiConnection,
  resource: ResourceAddress,
  { namespace, name, uid, resourceVersion }: Pick<ObjectMeta, 'namespace' | 'name' | 'uid' | 'resourceVersion'>,
  term?: LeaderTerm,
): Promise<void> {
  const where = { name, ...(namespace && { namespace }) };
  const body = { preconditions: { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) } };
  try {
    await write(connection, { method: 'DELETE', path: objectPath(resource, where), body }, term);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** A server-side apply by force; `subresource` writes only that part. */
export function applyRequest(
  resource: ResourceAddress,
  object: KubernetesObject,
  fieldManager: FieldManager,
  subresource?: 'status',
): ApiRequest {
  return {
    method: 'PATCH',
    path: objectPath(resource, object.metadata, subresource),
    query: { fieldManager, force: 'true' },
    body: withKind(resource, object),
    contentType: 'application/apply-patch+yaml',
  };
}

/**
 * Sends a write, as leader only while the lease lasts long enough for its timeout.
 *
 * @throws {ConflictError} for a 409 @throws {ApiError} @throws {LeadershipLostError}
 */
export async function write<T>(connection: ApiConnection, request: ApiRequest, term?: LeaderTerm): Promise<T> {
  const send = () =>
    connection.request<T>({
      ...request,
      ...(term && { timeoutMs: WRITE_TIMEOUT_MS, guard: () => term.assertMayWrite() }),
    });
  try {
    return await (term ? term.during(send) : send());
  } catch (error) {
    if (isConflict(error)) throw new ConflictError(`${request.method} ${request.path}`, { cause: error });
    throw error;
  }
}

const withKind = <T extends KubernetesObject>(resource: ResourceAddress, object: T): T => ({
  ...object,
  apiVersion: apiVersionOf(resource),
  kind: resource.kind,
});
