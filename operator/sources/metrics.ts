/** What is asked of external sources; docs/metrics.md is generated from this file. */

import { Histogram, type Registry } from 'prom-client';
import type { SourceObserver } from './http-source.ts';

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Registers the requests to sources. @returns for each pool ('namespace/name') who is told of its requests */
export function createSourceMetrics(registry: Registry): (pool: string) => SourceObserver {
  const requests = new Histogram({
    registers: [registry],
    name: 'herald_address_source_request_duration_seconds',
    labelNames: ['pool', 'operation', 'result'],
    buckets: BUCKETS,
    help: 'Requests to the external source of a pool by operation (claim, release, list) and result: ok, refused, or why it failed.',
  });
  return (pool) => (operation, result, tookMs) => requests.observe({ pool, operation, result }, tookMs / 1000);
}
