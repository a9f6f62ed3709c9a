/** Who would own an address that a Service is to get: the election of its owner, before its time. */

import type { Reason } from '../../crds/reasons.ts';
import { ownerOf } from '../election/rank.ts';
import type { Refusal } from './announcement.ts';
import { type Claim, claimOf } from './announcements.ts';
import type { Coverage } from './coverage.ts';
import type { AnnouncedService } from './snapshot.ts';

/** The node that would announce the address, or why none would now. */
export type Prospect =
  | { readonly node: string }
  | { readonly node: undefined; readonly reason: Reason; readonly message: string };

/** A Service mostly gets its address before its endpoints serve: then it counts as served, for soon it is. */
const UNSERVED: ReadonlySet<Reason> = new Set(['NoEndpoints', 'NoLocalEndpoints']);

/** @param service as it would be with the address */
export function prospectOf(
  service: AnnouncedService,
  address: string,
  coverage: Coverage,
  isAlive: (node: string) => boolean,
): Prospect {
  let claim = claimAlone(service, address, coverage);
  if ('reason' in claim && UNSERVED.has(claim.reason))
    claim = claimAlone(servedBy(coverage, service), address, coverage);
  if ('reason' in claim) return { node: undefined, reason: claim.reason, message: claim.message };
  const node = ownerOf(claim.candidates, isAlive);
  if (node !== undefined) return { node };
  return { node, reason: 'NoSpeaker', message: `no speaker is alive on ${claim.candidates.join(', ')}` };
}

/** Nobody else has the address yet. */
const claimAlone = (service: AnnouncedService, address: string, coverage: Coverage): Claim | Refusal =>
  claimOf(service, address, coverage, [service]);

const servedBy = ({ config }: Coverage, service: AnnouncedService): AnnouncedService => ({
  ...service,
  endpoints: { anywhere: true, nodes: new Set(config.nodes.map(({ name }) => name)) },
});
