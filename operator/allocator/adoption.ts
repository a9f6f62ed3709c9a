/** Whether the addresses that a Service's status shows may be taken over, when we become responsible for it. */

import { serviceConditions } from '../../crds/annotations.ts';
import { holds, type Pool } from '../config/pool.ts';
import { formatIp, parseIp } from '../net/address.ts';
import type { RequestProblem, ServiceObject, ServiceRequest } from './service-request.ts';

/** Somebody who wrote the addresses that a status shows, from managedFields. */
export interface IngressWriter {
  readonly manager: string;
  /** RFC 3339, whole seconds. */
  readonly at: string;
}

/** The parts of a Service that are read here. */
export interface AdoptableService extends ServiceObject {
  readonly status?: {
    readonly loadBalancer?: {
      readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[];
    };
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
  /** Who wrote the addresses in the status, where the operator did not. */
  readonly foreignWriters?: readonly IngressWriter[];
}

export interface AdoptionRules {
  /** The pools in force, remnants included. */
  readonly pools: readonly Pool[];
  /** When this process began, RFC 3339 in whole seconds: who has written since is alive. */
  readonly startedAt: string;
}

/** Whether the status shows what an operator of ours wrote there. */
export const isOurWriting = ({ status, foreignWriters }: AdoptableService): boolean =>
  foreignWriters === undefined &&
  (status?.conditions ?? []).some(
    ({ type, status: truth }) => type === serviceConditions.addressAssigned && truth === 'True',
  );

/** Why what the status shows is somebody else's, or undefined where it is ours, may become ours, or there is nothing. */
export function adoptionProblem(service: AdoptableService, rules: AdoptionRules): RequestProblem | undefined {
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  if (ingress.length === 0 || isOurWriting(service)) return undefined;
  for (const { ip, hostname } of ingress) {
    const address = parseIp(ip ?? '');
    if (!address) return notOurs(`The status shows ${hostname ?? ip ?? 'no address'}, which no pool can hold.`);
    if (!rules.pools.some((pool) => holds(pool, address)))
      return notOurs(`The status shows ${formatIp(address)}, which lies in no pool in force.`);
  }
  const alive = service.foreignWriters?.find(({ at }) => at > rules.startedAt);
  return alive && notOurs(`"${alive.manager}" wrote the status at ${alive.at}, when Herald was there already.`);
}

const notOurs = (why: string): RequestProblem => ({
  reason: 'NotOurs',
  message: `${why} Herald leaves it alone, and takes over once the status shows no address; where only another writer stands in the way, also when the operator is restarted after that one is gone.`,
});

/** A request that gets nothing, and keeps what the status shows, and what was held before, from others. */
export const foreignRequest = (
  request: ServiceRequest,
  problem: RequestProblem,
  heldBefore: ServiceRequest['held'] = [],
): ServiceRequest => ({ ...request, held: [...heldBefore, ...request.held], isForeign: true, problem });
