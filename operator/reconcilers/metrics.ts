/** The allocator's metrics, under MetalLB's names where they mean the same; docs/metrics.md is generated from this file. */

import { Counter, Gauge, type Registry } from 'prom-client';
import type { PoolUse } from '../allocator/incremental-allocator.ts';
import type { Capacity } from '../config/pool-capacity.ts';
import type { SourceReport } from './address-sources.ts';

/** What the leader knows about its pools; a standby has nothing to report. */
export interface AllocatorReport {
  readonly isLoaded: boolean;
  /** Whether some object of the configuration is refused. */
  readonly isStale: boolean;
  /** Services whose addresses others answer for. */
  readonly foreign: { readonly notOurs: number; readonly contested: number };
  readonly pools: readonly { readonly name: string; readonly capacity: Capacity; readonly use: PoolUse }[];
  readonly sources: readonly SourceReport[];
}

type PoolReport = AllocatorReport['pools'][number];

const POOL_GAUGES: readonly (readonly [name: string, help: string, of: (pool: PoolReport) => number])[] = [
  [
    'addresses_total',
    'Number of usable IP addresses, per pool.',
    ({ capacity }) => Number(capacity.ipv4 + capacity.ipv6),
  ],
  ['ipv4_addresses_total', 'Number of usable IPv4 addresses, per pool.', ({ capacity }) => Number(capacity.ipv4)],
  ['ipv6_addresses_total', 'Number of usable IPv6 addresses, per pool.', ({ capacity }) => Number(capacity.ipv6)],
  ['addresses_in_use_total', 'Number of IP addresses in use, per pool.', ({ use }) => use.ipv4 + use.ipv6],
  ['ipv4_addresses_in_use_total', 'Number of IPv4 addresses in use, per pool.', ({ use }) => use.ipv4],
  ['ipv6_addresses_in_use_total', 'Number of IPv6 addresses in use, per pool.', ({ use }) => use.ipv6],
];

/**
 * Registers the gauges; they ask `report` when they are read, so that nothing is counted twice.
 *
 * @param report undefined while this process does not lead
 */
export function createAllocatorMetrics(registry: Registry, report: () => AllocatorReport | undefined): void {
  const registers = [registry];
  for (const [name, help, of] of POOL_GAUGES)
    new Gauge({
      registers,
      name: `metallb_allocator_${name}`,
      labelNames: ['pool'],
      help,
      collect() {
        this.reset();
        for (const pool of report()?.pools ?? []) this.set({ pool: pool.name }, of(pool));
      },
    });
  new Gauge({
    registers,
    name: 'herald_foreign_services',
    labelNames: ['reason'],
    help: 'Services that Herald leaves alone because others answer for their status: NotOurs, or ContestedStatus, which calls for somebody to look.',
    collect() {
      const { notOurs = 0, contested = 0 } = report()?.foreign ?? {};
      this.set({ reason: 'NotOurs' }, notOurs);
      this.set({ reason: 'ContestedStatus' }, contested);
    },
  });
  new Gauge({
    registers,
    name: 'metallb_k8s_client_config_loaded_bool',
    help: '1 if the configuration was decided upon at least once in this term of leadership.',
    collect() {
      this.set(report()?.isLoaded ? 1 : 0);
    },
  });
  new Gauge({
    registers,
    name: 'metallb_k8s_client_config_stale_bool',
    help: '1 if some object of the configuration is refused, so that what was in force before it still is.',
    collect() {
      this.set(report()?.isStale ? 1 : 0);
    },
  });
}

/**
 * Registers the gauges of external sources; they ask `report` when they are read.
 *
 * @param report undefined while this process does not lead
 */
export function createSourceStateMetrics(
  registry: Registry,
  report: () => Pick<AllocatorReport, 'sources'> | undefined,
): void {
  new Gauge({
    registers: [registry],
    name: 'herald_address_source_up',
    labelNames: ['pool'],
    help: '1 if the external source of the pool answered when it was asked last, else 0.',
    collect() {
      this.reset();
      for (const { pool, isUp } of report()?.sources ?? []) this.set({ pool }, isUp ? 1 : 0);
    },
  });
  new Gauge({
    registers: [registry],
    name: 'herald_address_source_claims',
    labelNames: ['pool', 'state'],
    help: 'Claims on the external source of the pool: Granted, Pending while it has not answered, Releasing until it has taken them back.',
    collect() {
      this.reset();
      for (const { pool, claims } of report()?.sources ?? [])
        for (const [state, count] of Object.entries(claims)) this.set({ pool, state }, count);
    },
  });
}

/**
 * Registers the gauge of what is announced; it asks `states` when it is read.
 *
 * @param states how many Services there are in each state; undefined while this process does not lead
 */
export function createAnnouncedMetrics(
  registry: Registry,
  states: () => Readonly<Record<string, number>> | undefined,
): void {
  new Gauge({
    registers: [registry],
    name: 'herald_services',
    labelNames: ['state'],
    help: 'Services that hold addresses, by what the reports of the speakers say: Announced, NotAnnounced, Unknown, or Pending while they do not agree yet.',
    collect() {
      this.reset();
      for (const [state, count] of Object.entries(states() ?? {})) this.set({ state }, count);
    },
  });
}

/** Registers the counter of addresses that the network was asked for. @returns what counts one */
export function createDetectionMetrics(registry: Registry): (outcome: 'Free' | 'Conflict' | 'NotProbed') => void {
  const outcomes = new Counter({
    registers: [registry],
    name: 'herald_duplicate_detection_total',
    labelNames: ['outcome'],
    help: 'Addresses that the network was asked for before their first use: Free, Conflict, or NotProbed where nobody could be asked.',
  });
  return (outcome) => outcomes.inc({ outcome });
}
