/** Explains one object of the configuration: what the operator wrote about it, and what it means for Services. */

import type { Condition } from '../../../crds/condition.ts';
import type { Reason } from '../../../crds/reasons.ts';
import type { KubernetesObject } from '../../cluster/objects.ts';
import { type Decisions, decisionsOf } from '../decisions.ts';
import type { ClusterSnapshot } from '../gather.ts';
import { ageOf } from '../output.ts';
import { type Detail, type Explanation, type Step, step } from './explanation.ts';
import { configRemedies } from './remedies.ts';
import { operatorStep } from './service-is-ours.ts';

/** The kinds that can be asked for, by the word that people write. */
export const configLists = {
  pool: 'pools',
  l2advertisement: 'l2Advertisements',
  bgpadvertisement: 'bgpAdvertisements',
  bgppeer: 'bgpPeers',
  bfdprofile: 'bfdProfiles',
  community: 'communities',
  reservation: 'reservations',
  quota: 'quotas',
} as const satisfies Readonly<Record<string, keyof ClusterSnapshot>>;
export type ConfigWord = keyof typeof configLists;

type ConfigObject = KubernetesObject & {
  readonly status?: { readonly conditions?: readonly SaidCondition[] | undefined } | undefined;
};
type SaidCondition = Pick<Condition, 'type' | 'status' | 'reason' | 'message' | 'lastTransitionTime'>;

export function explainConfigObject(word: ConfigWord, object: ConfigObject, snapshot: ClusterSnapshot): Explanation {
  const conditions = object.status?.conditions ?? [];
  const ready = conditions.find(({ type }) => type === 'Ready');
  const steps = ready ? [readyStep(ready, snapshot), ...useStep(word, object, snapshot)] : [unsaid(snapshot)];
  const broken = steps.find(({ answer }) => answer !== 'yes');
  const name = `${word}/${object.metadata.name}`;
  return {
    object: name,
    summary: `${name} ${broken ? 'does not work' : 'works'}`,
    ...(broken?.reason && { reason: broken.reason }),
    steps,
    remedies: configRemedies(broken?.reason, snapshot),
  };
}

/** Nobody has looked at it; at birth its definition says so itself, by `Ready=Unknown`. */
function unsaid(snapshot: ClusterSnapshot): Step {
  const { message, ...rest } = operatorStep(snapshot);
  return { ...rest, message: message.replace('this Service', 'this object') };
}

function readyStep(ready: SaidCondition, snapshot: ClusterSnapshot): Step {
  if (ready.status === 'Unknown' && ready.reason === 'Pending') return unsaid(snapshot);
  const since = `, for ${ageOf(ready.lastTransitionTime, snapshot.takenAt)}`;
  const message = `${ready.message.replace(/\.$/, '')}${since}`;
  if (ready.status === 'True') return step('accepted', 'yes', message, { source: 'operator' });
  return step('accepted', 'no', message, { source: 'operator', reason: ready.reason as Reason });
}

function useStep(word: ConfigWord, object: ConfigObject, snapshot: ClusterSnapshot): readonly Step[] {
  if (word !== 'pool') return [];
  return [poolUse(object.metadata.name, decisionsOf(snapshot))];
}

/** Which Services have addresses of a pool, and which it refuses. */
function poolUse(pool: string, { addresses }: Decisions): Step {
  const using: Detail[] = [];
  const refused: Detail[] = [];
  for (const [key, decision] of [...addresses].sort()) {
    if (decision.outcome === 'Assigned') {
      if (decision.pools.includes(pool)) using.push({ subject: key, verdict: 'serves', message: decision.message });
      continue;
    }
    const rejection = decision.rejections.find((one) => one.pool === pool);
    if (rejection)
      refused.push({ subject: key, verdict: 'refused', reason: rejection.reason, message: rejection.message });
  }
  const words = [`${using.length} ${using.length === 1 ? 'Service has' : 'Services have'} addresses of it`];
  if (refused.length > 0) words.push(`it refuses ${refused.length}`);
  return step('use', 'yes', words.join(', '), { details: [...using, ...refused] });
}
