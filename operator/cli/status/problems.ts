/** What is wrong in a cluster, most serious first: nobody at work, then configuration, nodes, Services. */

import { serviceConditions } from '../../../crds/annotations.ts';
import type { Condition } from '../../../crds/condition.ts';
import { heldAddresses, isOurs } from '../../allocator/service-request.ts';
import { conditionOf } from '../../cluster/conditions.ts';
import { type KubernetesObject, keyOf, type Service } from '../../cluster/objects.ts';
import { hasSpeaker } from '../explain/nodes.ts';
import { isFresh, leaderLeaseOf } from '../explain/service-is-ours.ts';
import type { ClusterSnapshot } from '../gather.ts';
import { ageOf } from '../output.ts';
import type { Problem } from './report.ts';

export function problemsOf(snapshot: ClusterSnapshot): readonly Problem[] {
  return [
    ...workProblems(snapshot),
    ...configProblems(snapshot),
    ...snapshot.nodes.flatMap((node) => nodeProblems(node.metadata.name, snapshot)),
    ...snapshot.services.filter((one) => isOurs(one, snapshot.installation.lbClass)).flatMap(serviceProblems),
  ];
}

/** Nobody decides, or something cannot be seen. */
function workProblems(snapshot: ClusterSnapshot): readonly Problem[] {
  const { installation, unread, takenAt } = snapshot;
  const problems: Problem[] = [...unread].map(([name, message]) => ({ subject: name, reason: 'Unreadable', message }));
  if (!installation.isFound) {
    const message = `no Deployment herald-operator was found in namespace ${installation.namespace}`;
    return [{ subject: 'herald', reason: 'NotInstalled', message }, ...problems];
  }
  const lease = leaderLeaseOf(snapshot);
  const holder = lease?.spec?.holderIdentity;
  if (holder && isFresh(lease, takenAt)) return problems;
  const message = holder
    ? `${holder} renewed the Lease herald-operator ${ageOf(lease?.spec?.renewTime, takenAt)} ago`
    : 'nobody holds the Lease herald-operator';
  return [{ subject: 'operator', reason: 'NoLeader', message }, ...problems];
}

type Judged = KubernetesObject & {
  readonly status?: { readonly conditions?: readonly SaidCondition[] | undefined } | undefined;
};
type SaidCondition = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

function configProblems(snapshot: ClusterSnapshot): readonly Problem[] {
  const kinds: readonly (readonly [string, readonly Judged[]])[] = [
    ['pool', snapshot.pools],
    ['l2advertisement', snapshot.l2Advertisements],
    ['bgpadvertisement', snapshot.bgpAdvertisements],
    ['bgppeer', snapshot.bgpPeers],
    ['bfdprofile', snapshot.bfdProfiles],
    ['community', snapshot.communities],
    ['reservation', snapshot.reservations],
    ['quota', snapshot.quotas],
    ['bgpsession', snapshot.bgpSessions],
  ];
  return kinds.flatMap(([word, objects]) =>
    objects.flatMap(({ metadata, status }) => {
      const wrong = wrongCondition(status?.conditions ?? []);
      return wrong ? [{ subject: `${word} ${metadata.name}`, reason: wrong.reason, message: wrong.message }] : [];
    }),
  );
}

/** A summary that is not True, or a warning beside one that is. */
function wrongCondition(conditions: readonly SaidCondition[]): SaidCondition | undefined {
  const ready = conditions.find(({ type }) => type === 'Ready');
  if (ready && ready.status !== 'True') return ready;
  return conditions.find(({ type, status }) => type === 'Conflicting' && status === 'True');
}

function nodeProblems(name: string, snapshot: ClusterSnapshot): readonly Problem[] {
  const subject = `node ${name}`;
  if (!hasSpeaker(name, snapshot)) return [{ subject, reason: 'NoSpeaker', message: 'no speaker is ready on it' }];
  const report = snapshot.nodeAnnouncements.find(
    ({ metadata: m }) => m.name === name && m.namespace === snapshot.installation.namespace,
  );
  return (report?.reasons ?? []).map(({ reason, message }) => ({ subject, reason, message }));
}

function serviceProblems(service: Service): readonly Problem[] {
  const subject = `service ${keyOf(service)}`;
  const problem = ({ reason, message }: Condition): Problem => ({ subject, reason, message });
  const assigned = conditionOf(service.status?.conditions, serviceConditions.addressAssigned);
  if (!assigned) return [{ subject, reason: 'NotLookedAt', message: 'no operator has written anything about it yet' }];
  if (assigned.status !== 'True' || heldAddresses(service).length === 0) return [problem(assigned)];
  const announced = conditionOf(service.status?.conditions, serviceConditions.announced);
  return announced && announced.status !== 'True' ? [problem(announced)] : [];
}
