/** The layer 2 packet counters of the speaker, under MetalLB's names. They are counted in the wire thread and recorded here, in main. */

import { Counter, Gauge, type Registry } from 'prom-client';
import type { ReportResponder } from '../../../crds/node-announcement.ts';
import type { KernelCounters } from '../../host/in-kernel-responder.ts';
import type { AddressCounters } from '../messages.ts';

/** Registers the counters. */
export function createLayer2Metrics(registry: Registry) {
  const registers = [registry];
  const labelNames = ['ip'];
  const metrics = {
    requestsReceived: new Counter({
      registers,
      labelNames,
      name: 'metallb_layer2_requests_received',
      help: 'ARP requests and Neighbor Solicitations received for an address that this node announces.',
    }),
    responsesSent: new Counter({
      registers,
      labelNames,
      name: 'metallb_layer2_responses_sent',
      help: 'ARP replies and Neighbor Advertisements sent in answer to requests.',
    }),
    gratuitousSent: new Counter({
      registers,
      labelNames,
      name: 'metallb_layer2_gratuitous_sent',
      help: 'Gratuitous ARP packets and unsolicited Neighbor Advertisements sent.',
    }),
  };
  const kernel = createKernelMetrics(registry);
  let recorded: ReadonlyMap<string, AddressCounters> = new Map();
  return {
    ...kernel,
    /** Brings the counters to what the wire thread has counted; addresses that it no longer names lose their series. */
    record(counters: readonly AddressCounters[]): void {
      const next = new Map(counters.map((counter) => [counter.address, counter]));
      for (const [name, metric] of Object.entries(metrics)) {
        const counterOf = (of: ReadonlyMap<string, AddressCounters>, ip: string): number =>
          of.get(ip)?.[name as keyof typeof metrics] ?? 0;
        for (const ip of next.keys()) metric.inc({ ip }, Math.max(0, counterOf(next, ip) - counterOf(recorded, ip)));
        for (const ip of recorded.keys()) if (!next.has(ip)) metric.remove({ ip });
      }
      recorded = next;
    },
  };
}

/** What the program in the kernel counts, by what became of a request. */
const RESULTS = {
  arpAnswered: 'arp_answered',
  ndpAnswered: 'ndp_answered',
  guarded: 'dropped_not_owned',
  passed: 'left_to_user_space',
  unleased: 'lease_ended',
} as const satisfies Record<keyof KernelCounters, string>;

function createKernelMetrics(registry: Registry) {
  const registers = [registry];
  const chosen = new Gauge({
    registers,
    labelNames: ['kind', 'reason'],
    name: 'herald_l2_responder',
    help: 'Who answers ARP and Neighbor Solicitations on this node, and why (1 = now): Kernel or Packet.',
  });
  const frames = new Counter({
    registers,
    labelNames: ['result'],
    name: 'herald_l2_kernel_requests_total',
    help: 'Requests for addresses of this node that the program in the kernel has seen, by what became of them.',
  });
  let last: KernelCounters | undefined;
  return {
    responder({ kind, reason }: ReportResponder): void {
      chosen.reset();
      chosen.set({ kind, reason }, 1);
    },
    /** Brings the counters to what the program has counted, also before this process adopted it. */
    recordKernel(counters: KernelCounters): void {
      for (const [name, result] of Object.entries(RESULTS)) {
        const counter = name as keyof KernelCounters;
        frames.inc({ result }, Math.max(0, counters[counter] - (last?.[counter] ?? 0)));
      }
      last = counters;
    },
  };
}
