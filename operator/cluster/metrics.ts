/** The metrics of everything that talks to the API server; docs/metrics.md is generated from them. */

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ConnectionMetrics } from './api-connection.ts';
import type { ControllerMetrics } from './controller.ts';
import type { EventMetrics } from './events.ts';
import type { InformerMetrics } from './informer.ts';
import type { LeaderElectionMetrics } from './leader-election.ts';
import type { StatusWriterMetrics } from './status-writer.ts';
import type { WorkQueue, WorkQueueMetrics } from './work-queue.ts';

/** client-go's buckets of the work queue: 10 ns to 10 s; ours begin where a clock of Node is of use. */
const QUEUE_BUCKETS = [0.0001, 0.001, 0.01, 0.1, 1, 10];
const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export type ClusterMetrics = ConnectionMetrics &
  ControllerMetrics &
  EventMetrics &
  InformerMetrics &
  LeaderElectionMetrics &
  StatusWriterMetrics & {
    /** The metrics of one queue; `watchQueue` adds what only the queue itself knows. */
    queue(name: string): WorkQueueMetrics;
    watchQueue(name: string, queue: WorkQueue): void;
  };

export function createClusterMetrics(registry: Registry): ClusterMetrics {
  return {
    ...connectionMetrics(registry),
    ...informerMetrics(registry),
    ...writerMetrics(registry),
    ...controllerMetrics(registry),
    ...queueMetrics(registry),
  };
}

function connectionMetrics(registry: Registry): ConnectionMetrics & LeaderElectionMetrics {
  const registers = [registry];
  const requests = new Histogram({
    registers,
    name: 'herald_api_request_duration_seconds',
    labelNames: ['method', 'code'],
    buckets: REQUEST_BUCKETS,
    help: 'Requests to the API server by method and status code (0: no answer), without watches.',
  });
  const calls = new Counter({
    registers,
    name: 'herald_api_calls_total',
    labelNames: ['verb', 'resource'],
    help: 'Calls to the API server as its rules name them: verb, and plural name with group and subresource.',
  });
  const leader = new Gauge({
    registers,
    name: 'leader_election_master_status',
    labelNames: ['name'],
    help: 'Whether this process holds the Lease (1) or stands by (0).',
  });
  return {
    requested: (method, status, tookMs) => requests.observe({ method, code: String(status) }, tookMs / 1000),
    called: ({ verb, resource }) => calls.inc({ verb, resource }),
    leading: (name, isLeading) => leader.set({ name }, isLeading ? 1 : 0),
  };
}

/** @param foreign the names of definitions that are not ours */
export function createDefinitionMetrics(registry: Registry, foreign: () => readonly string[]): void {
  new Gauge({
    registers: [registry],
    name: 'herald_foreign_definition',
    labelNames: ['definition'],
    help: 'Definitions without fields that Herald writes (CRDsNotOurs), 1 for each: no status is written for their kind.',
    collect() {
      this.reset();
      for (const definition of foreign()) this.set({ definition }, 1);
    },
  });
}

function informerMetrics(registry: Registry): InformerMetrics {
  const registers = [registry];
  const labelNames = ['resource'] as const;
  const objects = new Gauge({
    registers,
    name: 'herald_informer_objects',
    labelNames,
    help: 'Objects in the store.',
  });
  const changes = new Counter({
    registers,
    name: 'herald_informer_changes_total',
    labelNames,
    help: 'Objects that came, changed or went.',
  });
  const lists = new Counter({
    registers,
    name: 'herald_informer_lists_total',
    labelNames,
    help: 'Complete lists read from the API server.',
  });
  const ends = new Counter({
    registers,
    name: 'herald_informer_watch_ends_total',
    labelNames: ['resource', 'reason'],
    help: 'Watches that ended, by reason; Ended is the regular end after some minutes.',
  });
  const synced = new Gauge({
    registers,
    name: 'herald_informer_synced',
    labelNames,
    help: 'Whether the store is complete (1), or not yet or no longer (0).',
  });
  return {
    listed: (resource) => lists.inc({ resource }),
    watchEnded: (resource, reason) => ends.inc({ resource, reason }),
    changed: (resource, size) => {
      changes.inc({ resource });
      objects.set({ resource }, size);
    },
    synced: (resource, isSynced) => synced.set({ resource }, isSynced ? 1 : 0),
  };
}

function writerMetrics(registry: Registry): StatusWriterMetrics & EventMetrics {
  const registers = [registry];
  const writes = new Counter({
    registers,
    name: 'herald_status_writes_total',
    labelNames: ['resource', 'result'],
    help: 'Status writes by result; Unchanged needed no request.',
  });
  const events = new Counter({
    registers,
    name: 'herald_events_total',
    labelNames: ['outcome'],
    help: 'Events written, counted into an earlier one, or dropped.',
  });
  return {
    statusWritten: (resource, result) => writes.inc({ resource, result }),
    eventRecorded: (outcome) => events.inc({ outcome }),
  };
}

function controllerMetrics(registry: Registry): ControllerMetrics {
  const registers = [registry];
  const updates = new Counter({
    registers,
    name: 'metallb_k8s_client_updates_total',
    help: 'Number of k8s object updates that have been processed.',
  });
  const errors = new Counter({
    registers,
    name: 'metallb_k8s_client_update_errors_total',
    help: 'Number of k8s object updates that failed for some reason.',
  });
  const durations = new Histogram({
    registers,
    name: 'herald_reconcile_duration_seconds',
    labelNames: ['controller', 'result'],
    buckets: REQUEST_BUCKETS,
    help: 'Reconciles by controller and result.',
  });
  return {
    reconciled(controller, result, tookMs) {
      updates.inc();
      if (result === 'error') errors.inc();
      durations.observe({ controller, result }, tookMs / 1000);
    },
  };
}

function queueMetrics(registry: Registry): Pick<ClusterMetrics, 'queue' | 'watchQueue'> {
  const registers = [registry];
  const labelNames = ['name'] as const;
  const queues = new Map<string, WorkQueue>();
  const depth = new Gauge({ registers, name: 'workqueue_depth', labelNames, help: 'Current depth of workqueue.' });
  const adds = new Counter({
    registers,
    name: 'workqueue_adds_total',
    labelNames,
    help: 'Total number of adds handled by workqueue.',
  });
  const retries = new Counter({
    registers,
    name: 'workqueue_retries_total',
    labelNames,
    help: 'Total number of retries handled by workqueue.',
  });
  const waited = new Histogram({
    registers,
    name: 'workqueue_queue_duration_seconds',
    labelNames,
    buckets: QUEUE_BUCKETS,
    help: 'How long in seconds an item stays in workqueue before being requested.',
  });
  const worked = new Histogram({
    registers,
    name: 'workqueue_work_duration_seconds',
    labelNames,
    buckets: QUEUE_BUCKETS,
    help: 'How long in seconds processing an item from workqueue takes.',
  });
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const max = (values: readonly number[]) => Math.max(0, ...values);
  for (const [name, help, of] of [
    ['workqueue_unfinished_work_seconds', 'Seconds of work that is in progress and not yet counted.', sum],
    ['workqueue_longest_running_processor_seconds', 'How long the longest running reconcile has been running.', max],
  ] as const) {
    new Gauge({
      registers,
      name,
      labelNames,
      help,
      collect() {
        for (const [name, queue] of queues) this.set({ name }, of(queue.workedOn()) / 1000);
      },
    });
  }
  return {
    watchQueue: (name, queue) => void queues.set(name, queue),
    queue: (name) => ({
      added: (size) => {
        adds.inc({ name });
        depth.set({ name }, size);
      },
      taken: (size, waitedMs) => {
        depth.set({ name }, size);
        waited.observe({ name }, waitedMs / 1000);
      },
      done: (workedMs) => worked.observe({ name }, workedMs / 1000),
      retried: () => retries.inc({ name }),
    }),
  };
}
