/** The link of the chain about the address: the operator's condition, and below it why each pool says no. */

import { serviceConditions } from '../../../crds/annotations.ts';
import type { IpAddressPool } from '../../../crds/ip-address-pool.ts';
import type { Reason } from '../../../crds/reasons.ts';
import type { Decision } from '../../allocator/decision.ts';
import { heldAddresses, requestOf } from '../../allocator/service-request.ts';
import { conditionOf } from '../../cluster/conditions.ts';
import { type Condition, type KubernetesObject, keyOf, type Service } from '../../cluster/objects.ts';
import { rangesInForce } from '../../config/pool-extensions.ts';
import { formatIp } from '../../net/address.ts';
import { contains } from '../../net/range.ts';
import type { Decisions } from '../decisions.ts';
import type { ClusterSnapshot } from '../gather.ts';
import { ageOf } from '../output.ts';
import { type Detail, type Step, step } from './explanation.ts';
import { operatorStep } from './service-is-ours.ts';

/** What the operator wrote about the address; undefined where it wrote nothing. */
export const addressCondition = ({ status }: Service): Condition | undefined =>
  conditionOf(status?.conditions, serviceConditions.addressAssigned);

export function addressStep(service: Service, snapshot: ClusterSnapshot, decisions: Decisions): Step {
  const told = addressCondition(service);
  if (!told) return operatorStep(snapshot);
  const decision = decisions.addresses.get(keyOf(service));
  const held = heldAddresses(service).map(formatIp).join(' and ');
  const isWhole = told.status === 'True' && held !== '';
  const since = `, for ${ageOf(told.lastTransitionTime, snapshot.takenAt)}`;
  return step('address', isWhole ? 'yes' : 'no', `${told.message.replace(/\.$/, '')}${isWhole ? since : ''}`, {
    source: 'operator',
    ...(isWhole && told.reason === 'Assigned' ? {} : { reason: told.reason as Reason }),
    details: isWhole ? [] : [...rejectionsOf(decision), ...poolsNotInForce(service, told, snapshot)],
  });
}

const rejectionsOf = (decision: Decision | undefined): readonly Detail[] =>
  decision?.outcome === 'Unassigned'
    ? decision.rejections.map(({ pool, reason, message }) => ({
        subject: `pool ${pool}`,
        verdict: 'refused',
        reason,
        message,
      }))
    : [];

/** Pools that could have served the Service and do not count, or not as their spec says: often the true cause. */
function poolsNotInForce(service: Service, { reason }: Condition, { pools }: ClusterSnapshot): readonly Detail[] {
  // A pool has the address, so no other one was needed.
  if (reason === 'AddressInUse') return [];
  const couldServe = askedPools(service);
  return pools.filter(couldServe).flatMap((pool) => {
    const refusal = refusalOf(pool);
    return refusal ? [{ subject: `pool ${pool.metadata.name}`, verdict: 'not in force' as const, ...refusal }] : [];
  });
}

/** Which pools the Service asks for by what their spec says: by name, by an address, else those that give freely. */
function askedPools(service: Service): (pool: IpAddressPool) => boolean {
  const { requestedPool, requestedPools, requestedAddresses, problem } = requestOf(service);
  if (problem) return () => false;
  if (requestedPools) return ({ metadata }) => requestedPools.includes(metadata.name);
  if (requestedPool !== undefined) return ({ metadata }) => metadata.name === requestedPool;
  if (!requestedAddresses) return ({ spec }) => spec.autoAssign !== false;
  return ({ spec }) => {
    const ranges = rangesInForce(spec);
    return requestedAddresses.some((address) => ranges.some((range) => contains(range, address)));
  };
}

/** Why the operator does not take an object of ours, as it wrote it. */
export function refusalOf(
  object: KubernetesObject & {
    readonly status?:
      | { readonly conditions?: readonly Pick<Condition, 'type' | 'status' | 'reason' | 'message'>[] | undefined }
      | undefined;
  },
): { readonly reason: Reason; readonly message: string } | undefined {
  const accepted = object.status?.conditions?.find(({ type }) => type === 'Accepted');
  if (accepted?.status !== 'False') return undefined;
  return { reason: accepted.reason as Reason, message: accepted.message };
}
