/** What keeps a whole node from announcing: said once in its report, not for each Service. */

import type { NodeReason } from '../../crds/node-announcement.ts';
import type { ReasonOf } from '../../crds/reasons.ts';
import { Coverage } from './coverage.ts';
import type { AdvertisingConfig } from './snapshot.ts';

/** Empty when nothing does. */
export function nodeReasonsOf(name: string, config: AdvertisingConfig): readonly NodeReason[] {
  const coverage = new Coverage(config);
  const node = coverage.node(name);
  const reason = (word: ReasonOf<'refusals'>, message: string): NodeReason => ({ reason: word, message });
  if (!node) return [reason('NodeNotSelected', `node ${name} is not known yet, or has no InternalIP`)];
  return [
    ...(coverage.isExcluded(node) ? [reason('NodeExcluded', `node ${name} is excluded by its label`)] : []),
    ...(node.isNetworkUnavailable ? [reason('NodeNetworkUnavailable', `node ${name} has no network yet`)] : []),
  ];
}
