/** Whether anything would answer behind the address. */

import { serviceKeyOf } from '../../advertising/announced-service.ts';
import type { AnnouncedService } from '../../advertising/snapshot.ts';
import type { Service } from '../../cluster/objects.ts';
import type { ClusterSnapshot } from '../gather.ts';

/** What serves, in words. */
export function endpointsInWords({ endpoints, hasSelector }: AnnouncedService): string {
  if (!endpoints.anywhere)
    return hasSelector ? 'none serves' : 'the Service has no selector: whoever keeps its endpoints need not have any';
  const nodes = [...endpoints.nodes].sort();
  return nodes.length === 0 ? 'some serve, on no node of the cluster' : `some serve, on ${nodes.join(', ')}`;
}

/** Why none serves: there are none, or none is ready. */
export function missingEndpoints(key: string, { spec }: Service, { endpointSlices }: ClusterSnapshot): string {
  const slices = endpointSlices.filter((slice) => serviceKeyOf(slice) === key);
  const count = slices.reduce((sum, { endpoints }) => sum + (endpoints?.length ?? 0), 0);
  if (count > 0) return count === 1 ? 'its one endpoint is not ready' : `none of its ${count} endpoints is ready`;
  const selector = Object.entries(spec.selector ?? {}).map(([name, value]) => `${name}=${value}`);
  return selector.length === 0
    ? 'it has no selector and nobody keeps endpoints for it'
    : `no pod in its namespace matches its selector ${selector.join(',')}`;
}
