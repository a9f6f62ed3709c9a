/**
 * Measures the allocator in this process and prints JSON, milliseconds: `node testing/allocation-speed.ts [RUNS [SERVICES [CHANGES]]]`.
 *
 *   scratch  10,000 Services without addresses, decided when the operator starts
 *   change   one Service that comes or goes among 10,000
 *   floor    the same 10,000 requests, sorted by age and each written into a map: less work no allocator can do
 */

import { IncrementalAllocator } from '../operator/allocator/incremental-allocator.ts';
import { byAgeThenKey, type ServiceRequest } from '../operator/allocator/service-request.ts';
import type { Quota } from '../operator/config/quota.ts';
import type { Reservation } from '../operator/config/reservation.ts';
import { pool, request } from './allocation.ts';
import { quota, reservation } from './allocation-history.ts';

const SERVICES = Number(process.argv[3] ?? 10_000);
const NAMESPACES = 50;
const CHANGES = Number(process.argv[4] ?? 1_000);

const pools = [
  pool('a', { addresses: ['10.1.0.0/24', '2001:db8:a::/64'], serviceAllocation: { priority: 1, namespaces: ['n1'] } }),
  pool('b', { addresses: ['10.2.0.0/16', '2001:db8:b::/64'], avoidBuggyIPs: true }),
  pool('c', { addresses: ['10.3.0.0/24'], spreadBy: 'hash' }),
  pool('d', { addresses: ['10.4.0.0/28'], autoAssign: false, coolDown: '30s' }),
];

/** A tenth shares in groups of ten, a tenth has both families, a tenth asks for the full pool d. */
function requestAt(at: number): ServiceRequest {
  const namespace = `n${at % NAMESPACES}`;
  const kind = Math.floor(at / NAMESPACES) % 10;
  return {
    ...request(`s${at}`, { families: kind === 1 ? [4, 6] : [4], isOneFamilyEnough: kind === 1 }),
    key: `${namespace}/s${at}`,
    namespace,
    createdAt: `2026-01-${10 + (at % 20)}T00:00:00Z`,
    labels: { app: `s${at}`, tier: `t${at % 7}` },
    ports: [`TCP/${8000 + Math.floor(at / (NAMESPACES * 10))}`],
    backend: '',
    ...(kind === 2 && { sharingKey: `k${namespace}` }),
    ...(kind === 3 && { requestedPool: 'd' }),
  };
}

const reservations: readonly Reservation[] = Array.from({ length: 20 }, (_, at) =>
  reservation(`r${at}`, [`10.2.${at}.16/28`], ({ namespace }) => namespace === `n${at}`),
).concat(reservation('share', [], ({ namespace }) => namespace === 'n7', { pool: 'b', ipv4: 100, ipv6: 0 }));
/** Half of the namespaces are held below what they ask for. */
const quotas: readonly Quota[] = [
  quota('all', { limits: [{ ipv4: 150 }], includes: ({ namespace }) => Number(namespace.slice(1)) % 2 === 0 }),
  quota('tier', { per: 'Selection', limits: [{ pool: 'b', ipv4: 5_000 }], includes: () => true }),
];

const timed = (act: () => void): number => {
  const startedAt = performance.now();
  act();
  return performance.now() - startedAt;
};

function floorOf(requests: readonly ServiceRequest[]): number {
  return timed(() => {
    const plan = new Map<string, object>();
    let value = 0n;
    for (const { key } of requests.toSorted(byAgeThenKey)) {
      value += 1n;
      plan.set(key, { outcome: 'Assigned', addresses: [{ family: 4, value }] });
    }
  });
}

function measure(runs: number): { scratch: number[]; change: number[]; floor: number[]; waiting: number } {
  const requests = Array.from({ length: SERVICES }, (_, at) => requestAt(at));
  const [scratch, change, floor]: number[][] = [[], [], []];
  let waiting = 0;
  for (let run = 0; run < runs; run++) {
    floor?.push(floorOf(requests.toReversed()));
    const allocator = new IncrementalAllocator();
    const fresh = requests.map((one) => ({ ...one }));
    scratch?.push(timed(() => allocator.load(pools, fresh, { reservations, quotas })));
    waiting = requests.filter(({ key }) => allocator.decisionOf(key)?.outcome === 'Unassigned').length;
    for (let at = 0; at < CHANGES; at++) {
      const one = requests[(at * 7_919) % SERVICES] ?? requestAt(0);
      change?.push(timed(() => allocator.remove(one.key)));
      change?.push(timed(() => allocator.upsert(one)));
    }
  }
  return { scratch: scratch ?? [], change: change ?? [], floor: floor ?? [], waiting };
}

process.stdout.write(`${JSON.stringify(measure(Number(process.argv[2] ?? 5)))}\n`);
