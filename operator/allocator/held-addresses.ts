/** Which addresses Services hold: by their status before anything was decided, by decision since. */

import { annotations } from '../../crds/annotations.ts';
import type { HeldAddress } from '../config/stored-state.ts';
import type { IpAddress } from '../net/address.ts';
import type { IncrementalAllocator } from './incremental-allocator.ts';
import { requestOf, type ServiceObject, type ServiceRequest } from './service-request.ts';

/** What the status of a Service says that it holds. */
export function heldByStatus(service: ServiceObject): readonly HeldAddress[] {
  const request = requestOf(service);
  const annotation = service.metadata.annotations?.[annotations.ipAllocatedFromPool];
  const { held } = request;
  return held.map((address, at) => heldAddress(request, address, poolAt(annotation, at, held.length)));
}

/** Several pools have given the addresses in their order and equally many, or it is not known which gave which. */
function poolAt(annotation: string | undefined, at: number, count: number): string | undefined {
  const pools = annotation?.split(',') ?? [];
  return count % pools.length === 0 ? pools[Math.floor((at * pools.length) / count)] : undefined;
}

/** What the allocator has decided that Services of ours hold. */
export const heldByDecision = (allocator: Pick<IncrementalAllocator, 'holders'>): readonly HeldAddress[] =>
  allocator
    .holders()
    .filter(({ request }) => !request.isForeign)
    .flatMap(({ request, holding }) =>
      holding.parts.flatMap(({ pool, addresses }) =>
        addresses.map((address) => heldAddress(request, address, pool.name)),
      ),
    );

const heldAddress = (request: ServiceRequest, address: IpAddress, pool: string | undefined): HeldAddress => ({
  address,
  service: request.key,
  namespace: request.namespace,
  createdAt: request.createdAt,
  labels: request.labels,
  pool,
  // Who asks for several pools wants each address of the very pool that it is of.
  requestedPool: request.requestedPools ? pool : request.requestedPool,
});
