/** The first links of the chain: whether the Service is one that Herald serves, and whether an operator is at work. */

import { externalIpsOf } from '../../advertising/announced-service.ts';
import type { Lease, Service } from '../../cluster/objects.ts';
import type { ClusterSnapshot } from '../gather.ts';
import { ageOf } from '../output.ts';
import { type Step, step } from './explanation.ts';

/** The Lease of the operators. */
const LEADER_LEASE = 'herald-operator';
/** The operator renews its Lease every second; so much later nobody does (the clocks of two machines may differ). */
const RENEWED_WITHIN_MS = 15_000;

/** Whether type and class make the Service ours. */
export function serviceStep({ metadata, spec }: Service, { installation }: ClusterSnapshot): Step {
  const isNamingExternalIps = externalIpsOf({ spec }).length > 0;
  if (spec.type !== 'LoadBalancer' && isNamingExternalIps)
    return step(
      'service',
      'yes',
      `of type ${spec.type ?? 'ClusterIP'}: of such a one Herald serves spec.externalIPs alone`,
    );
  if (spec.type !== 'LoadBalancer')
    return step('service', 'no', `its type is ${spec.type ?? 'ClusterIP'}, and only LoadBalancer gets an address`, {
      reason: 'NotLoadBalancer',
    });
  const { lbClass } = installation;
  const its = spec.loadBalancerClass ?? '';
  if (its !== lbClass) return step('service', 'no', otherClass(its, lbClass), { reason: 'OtherClass' });
  const which = lbClass === '' ? 'without a loadBalancerClass' : `of class ${lbClass}`;
  const ending = metadata.deletionTimestamp === undefined ? '' : '; it is being deleted';
  return step('service', 'yes', `of type LoadBalancer ${which}: Herald serves it${ending}`);
}

function otherClass(its: string, ours: string): string {
  const serves = ours === '' ? 'Services without a class' : `the class ${ours}`;
  return its === ''
    ? `it has no loadBalancerClass, and Herald serves ${serves}`
    : `its loadBalancerClass is ${its}, and Herald serves ${serves}`;
}

/** Whether anybody decides; asked only where the operator has not said anything. */
export function operatorStep(snapshot: ClusterSnapshot): Step {
  const { installation, takenAt } = snapshot;
  if (!installation.isFound)
    return step('operator', 'no', `no Deployment herald-operator was found in namespace ${installation.namespace}`, {
      reason: 'NotInstalled',
    });
  const lease = leaderLeaseOf(snapshot);
  const holder = lease?.spec?.holderIdentity;
  if (!holder)
    return step('operator', 'no', 'no operator leads: nobody holds the Lease herald-operator', { reason: 'NoLeader' });
  if (!isFresh(lease, takenAt)) {
    const ago = ageOf(lease?.spec?.renewTime, takenAt);
    return step('operator', 'no', `no operator leads: ${holder} renewed its Lease ${ago} ago`, { reason: 'NoLeader' });
  }
  return step('operator', 'no', `${holder} leads and has not looked at this Service yet`, { reason: 'NotLookedAt' });
}

export const leaderLeaseOf = ({ leases, installation }: ClusterSnapshot): Lease | undefined =>
  leases.find(({ metadata: m }) => m.name === LEADER_LEASE && m.namespace === installation.namespace);

export function isFresh(lease: Lease | undefined, at: Date): boolean {
  const renewedAt = Date.parse(lease?.spec?.renewTime ?? '');
  return Number.isFinite(renewedAt) && at.getTime() - renewedAt < RENEWED_WITHIN_MS;
}
