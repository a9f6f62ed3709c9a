/** The link of the chain about external IPs: what the operator wrote, or what it would, where it has not looked. */

import { serviceConditions } from '../../../crds/annotations.ts';
import { POOL_SET_NAME } from '../../../crds/pool-set.ts';
import type { Reason } from '../../../crds/reasons.ts';
import { externalIpClaimOf } from '../../advertising/announced-service.ts';
import { decideExternalIps, type ExternalIpVerdict } from '../../advertising/external-ips.ts';
import { heldAddresses } from '../../allocator/service-request.ts';
import { conditionOf } from '../../cluster/conditions.ts';
import { keyOf, type Service } from '../../cluster/objects.ts';
import { ClusterRanges } from '../../config/cluster-ranges.ts';
import { formatIp, type IpAddress } from '../../net/address.ts';
import type { Decisions } from '../decisions.ts';
import type { ClusterSnapshot } from '../gather.ts';
import { ageOf } from '../output.ts';
import { type Step, step } from './explanation.ts';
import { operatorStep } from './service-is-ours.ts';

/** Undefined where the Service names none, or, for a load balancer, none that lies in a pool. */
export function externalIpStep(service: Service, snapshot: ClusterSnapshot, decisions: Decisions): Step | undefined {
  const claim = externalIpClaimOf(service, snapshot.installation.lbClass);
  if (!claim) return undefined;
  const told = conditionOf(service.status?.conditions, serviceConditions.externalIpsAccepted);
  const computed = computedVerdict(service, snapshot, decisions);
  if (told) {
    const message = told.message.replace(/\.$/, '');
    if (told.status !== 'True')
      return step('external IPs', 'no', message, { reason: told.reason as Reason, source: 'operator' });
    return step('external IPs', 'yes', `${message}, for ${ageOf(told.lastTransitionTime, snapshot.takenAt)}`, {
      source: 'operator',
    });
  }
  if (!computed)
    return service.spec.type === 'LoadBalancer'
      ? undefined
      : step('external IPs', 'no', `${claim.addresses.map(formatIp).join(', ')}: in no pool, so none of Herald's`, {
          reason: 'AddressNotInPool',
        });
  if (computed.status === 'False')
    return step('external IPs', 'no', computed.message.replace(/\.$/, ''), { reason: computed.reason });
  return operatorStep(snapshot);
}

/** By the operator's own rule. */
function computedVerdict(
  service: Service,
  snapshot: ClusterSnapshot,
  { pools }: Decisions,
): ExternalIpVerdict | undefined {
  const { services, nodes, serviceCidrs, poolSets, installation } = snapshot;
  const claim = externalIpClaimOf(service, installation.lbClass);
  if (!claim) return undefined;
  const cluster = new ClusterRanges({ nodes, serviceRanges: serviceCidrs, podAddresses: [] });
  const poolSet = poolSets.find(
    ({ metadata }) => metadata.namespace === installation.namespace && metadata.name === POOL_SET_NAME,
  );
  const before = poolSet?.externalIPs ?? [];
  const { verdicts } = decideExternalIps([claim], {
    pools,
    before,
    clusterUseOf: (address) => cluster.useOf(address),
    holdersOf: (address) => [...holdersOf(address, services), ...grantedOthers(address, claim.key, before)],
    // Where a reservation keeps it for others the operator has said so.
    keptFor: () => undefined,
  });
  return verdicts.get(claim.key);
}

const holdersOf = (address: IpAddress, services: readonly Service[]): readonly string[] =>
  services
    .filter((one) =>
      heldAddresses(one).some(({ family, value }) => family === address.family && value === address.value),
    )
    .map(keyOf);

/** Other Services of which nothing more is known here, unless this one has been granted the address beside them. */
function grantedOthers(
  address: IpAddress,
  key: string,
  granted: readonly { readonly address: string; readonly service: string }[],
): readonly string[] {
  const who = granted.filter((one) => one.address === formatIp(address)).map(({ service }) => service);
  return who.includes(key) ? [] : who;
}
