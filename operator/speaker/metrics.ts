/** The speaker's own metrics; MetalLB's names where they mean the same. docs/metrics.md is generated from it. */

import { Counter, Gauge, type Registry } from 'prom-client';
import type { Refusal } from '../advertising/announcement.ts';
import type { KernelCounters } from '../host/in-kernel-responder.ts';
import type { AddressCounters, FromClock, OwnedAddress } from './messages.ts';
import { createLayer2Metrics } from './wire/metrics.ts';

type PeersMessage = Extract<FromClock, { kind: 'Peers' }>;
type HeartbeatsMessage = Extract<FromClock, { kind: 'HeartbeatCounters' }>;

/** Registers the metrics of one speaker on node `node`. */
export function createSpeakerMetrics(registry: Registry, node: string) {
  const registers = [registry];
  const announced = new Gauge({
    registers,
    name: 'metallb_speaker_announced',
    labelNames: ['service', 'protocol', 'node', 'ip'],
    help: 'Services that this node announces now, by address (1 = announced).',
  });
  const refusals = new Gauge({
    registers,
    name: 'herald_speaker_refusals',
    labelNames: ['reason'],
    help: 'Addresses of Services that this node may not announce, by reason.',
  });
  const takeovers = new Counter({
    registers,
    name: 'herald_speaker_takeovers_total',
    help: 'Addresses that this node began to announce.',
  });
  const isStale = new Gauge({
    registers,
    name: 'herald_speaker_stale',
    help: '1 while the speaker acts on what it kept on the node because the API server has not answered since it started.',
  });
  const reports = new Counter({
    registers,
    name: 'herald_speaker_reports_total',
    labelNames: ['result'],
    help: 'Writes of the NodeAnnouncement of this node, by result.',
  });
  const isFenced = new Gauge({
    registers,
    name: 'herald_speaker_fenced',
    help: '1 while this node answers for nothing because peers are lost and the API server does not answer (--fencing=lease).',
  });
  const layer2 = createLayer2Metrics(registry);
  const clock = createClockMetrics(registry);
  let owned: ReadonlySet<string> = new Set();
  return {
    ...clock,
    counted(counters: readonly AddressCounters[], inKernel?: KernelCounters): void {
      layer2.record(counters);
      if (inKernel) layer2.recordKernel(inKernel);
    },
    responder: layer2.responder,
    reported: (result: 'Written' | 'Failed'): void => reports.inc({ result }),
    fenced: (fenced: boolean): void => isFenced.set(fenced ? 1 : 0),
    stale: (stale: boolean): void => isStale.set(stale ? 1 : 0),
    refused(refused: readonly Refusal[]): void {
      refusals.reset();
      for (const { reason } of refused) refusals.inc({ reason });
    },
    owned(services: readonly OwnedAddress[]): void {
      const answered = services.filter(({ interfaces }) => interfaces.length > 0);
      announced.reset();
      for (const { service, address } of answered) announced.set({ service, protocol: 'layer2', node, ip: address }, 1);
      const addresses = new Set(answered.map(({ address }) => address));
      takeovers.inc([...addresses].filter((address) => !owned.has(address)).length);
      owned = addresses;
    },
  };
}
export type SpeakerMetrics = ReturnType<typeof createSpeakerMetrics>;

/** What the clock thread counts. */
function createClockMetrics(registry: Registry) {
  const registers = [registry];
  const health = new Gauge({
    registers,
    name: 'herald_speaker_peers',
    labelNames: ['health'],
    help: 'Other nodes, by the health that their heartbeats show.',
  });
  const isIsolated = new Gauge({
    registers,
    name: 'herald_speaker_isolated',
    help: '1 while this node believes that its own link failed, because it lost all its peers at once.',
  });
  const isSlow = new Gauge({
    registers,
    name: 'herald_speaker_slow',
    help: '1 while the timers of the clock thread run late: this node doubts itself before it takes anything over.',
  });
  const version = new Gauge({
    registers,
    name: 'herald_speaker_algorithm_version',
    help: 'The version of the shared decisions that all living speakers can compute.',
  });
  const sent = new Counter({ registers, name: 'herald_heartbeats_sent_total', help: 'Heartbeats sent, one per peer.' });
  const errors = new Counter({
    registers,
    name: 'herald_heartbeat_send_errors_total',
    help: 'Heartbeats that the kernel did not send.',
  });
  const received = new Counter({
    registers,
    name: 'herald_heartbeats_received_total',
    help: 'Datagrams received on the heartbeat port.',
  });
  const dropped = new Counter({
    registers,
    name: 'herald_heartbeats_dropped_total',
    labelNames: ['reason'],
    help: 'Datagrams on the heartbeat port that were not believed, by reason.',
  });
  const lateness = new Gauge({
    registers,
    name: 'herald_heartbeat_lateness_seconds',
    help: "The longest delay of the clock thread's own timer in the last second.",
  });
  let last: Pick<HeartbeatsMessage, 'sent' | 'sendErrors' | 'received' | 'dropped'> = {
    sent: 0,
    sendErrors: 0,
    received: 0,
    dropped: {},
  };
  return {
    peers(message: PeersMessage): void {
      const counts: Record<string, number> = { Unknown: 0, Alive: 0, Suspect: 0, Dead: 0 };
      for (const peer of message.peers) counts[peer.health] = (counts[peer.health] ?? 0) + 1;
      for (const [name, count] of Object.entries(counts)) health.set({ health: name }, count);
      isIsolated.set(message.isolated ? 1 : 0);
      isSlow.set(message.slow ? 1 : 0);
      version.set(message.algorithmVersion);
    },
    heartbeats(message: HeartbeatsMessage): void {
      sent.inc(message.sent - last.sent);
      errors.inc(message.sendErrors - last.sendErrors);
      received.inc(message.received - last.received);
      for (const [reason, count] of Object.entries(message.dropped))
        dropped.inc({ reason }, count - (last.dropped[reason] ?? 0));
      lateness.set(message.latenessMs / 1000);
      last = message;
    },
  };
}
