/** Lists that may be of kinds which the cluster does not have. */

import type { ApiConnection } from '../../cluster/api-connection.ts';
import { isNotFound } from '../../cluster/api-error.ts';
import { listAll } from '../../cluster/list.ts';
import type { KubernetesObject } from '../../cluster/objects.ts';
import type { Resource } from '../../cluster/resource.ts';
import { patiently } from './patience.ts';

/** All objects; none where there is no such kind. @throws {ApiError} */
export async function list<T extends KubernetesObject>(
  connection: ApiConnection,
  resource: Resource<T>,
): Promise<readonly T[]> {
  try {
    return (await patiently(() => listAll(connection, resource))).objects;
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}
