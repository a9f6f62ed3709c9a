/** The layer 2 packet counters of the speaker, under MetalLB's names. They are counted in the wire thread and recorded here, in main. */

import { Counter, type Registry } from 'prom-client';
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
  let recorded: ReadonlyMap<string, AddressCounters> = new Map();
  return {
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
