/** Whether it matters that objects arrive one by one: a Service that waits takes the first address that it may have. */

import type { ClusterSnapshot } from '../gather.ts';
import { type Change, changedCluster } from './changed-snapshot.ts';
import { type Forecast, OperatorModel } from './forecast.ts';

/** Each arrival is decided upon anew: for more than this many decisions nobody would want to wait. */
const MAX_DECISIONS = 20_000;

/**
 * The Services that end with other addresses than in `atOnce` when the files are applied object by object, in their
 * order, and pruned at the end; undefined where that is too much to find out.
 */
export function movedByOrder(
  snapshot: ClusterSnapshot,
  change: Change,
  atOnce: Forecast,
): readonly string[] | undefined {
  const { changes } = changedCluster(snapshot, change);
  const isTouched = changes.some(({ action }) => action !== 'Keep');
  if (!isTouched || change.manifests.length < 2) return [];
  if (change.manifests.length * atOnce.decisions.size > MAX_DECISIONS) return undefined;
  const operator = new OperatorModel(snapshot);
  const never = (): boolean => false;
  let arrived = 0;
  for (const at of change.manifests.keys()) {
    const isLast = at === change.manifests.length - 1;
    const manifests = change.manifests.slice(0, at + 1);
    const step = changedCluster(snapshot, { ...change, manifests, isPruned: isLast ? change.isPruned : never });
    const fresh = step.changes.slice(arrived).filter(({ action }) => action !== 'Keep');
    arrived = step.changes.length;
    if (fresh.length === 0) continue;
    operator.change(
      step.snapshot,
      fresh.filter(({ kind }) => kind === 'Service').map(({ key }) => key),
    );
  }
  const oneByOne = operator.forecast();
  return [...atOnce.decisions.keys()].filter((key) => addressesOf(atOnce, key) !== addressesOf(oneByOne, key)).sort();
}

function addressesOf({ decisions }: Forecast, key: string): string {
  const decision = decisions.get(key);
  return decision?.outcome === 'Assigned' ? decision.addresses.map(({ value }) => value).join() : '';
}
