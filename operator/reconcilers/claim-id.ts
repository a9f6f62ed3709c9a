/** Names claims on external sources so that whoever leads asks for the same thing by the same name. */

import { createHash } from 'node:crypto';
import type { KubernetesObject } from '../cluster/objects.ts';
import type { Claim } from '../sources/address-source.ts';

/** 160 bits: no two claims of the world meet. */
const ID_LENGTH = 40;

/**
 * The claim of one Service for one address of a family from one pool.
 *
 * @param cluster the uid of the namespace kube-system
 * @param pool 'namespace/name': one Service may have addresses of several pools
 */
export function claimOf(
  cluster: string,
  pool: string,
  { metadata: { namespace = '', name, uid = '' } }: KubernetesObject,
  family: Claim['family'],
): Claim {
  const digest = createHash('sha256')
    .update(JSON.stringify([cluster, pool, uid, family]))
    .digest('hex');
  return { id: digest.slice(0, ID_LENGTH), cluster, pool, family, service: { namespace, name, uid } };
}
