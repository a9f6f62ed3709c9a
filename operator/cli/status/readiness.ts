/** What the operator says of an object in short. */

import type { Condition } from '../../../crds/condition.ts';
import type { KubernetesObject } from '../../cluster/objects.ts';

export type Judged = KubernetesObject & {
  readonly status?:
    | { readonly conditions?: readonly Pick<Condition, 'type' | 'status' | 'reason'>[] | undefined }
    | undefined;
};

export function readiness({ status }: Judged): { readonly isReady: boolean; readonly reason: string } {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return { isReady: ready?.status === 'True', reason: ready?.reason ?? 'Pending' };
}
