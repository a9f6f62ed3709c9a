/**
 * Probing an IPv4 address before its first use (RFC 5227 2.1): whether somebody on the segment has it already.
 *
 *   Start --> Waiting --(0..PROBE_WAIT)--> Probing --(PROBE_NUM probes, PROBE_MIN..PROBE_MAX apart)--> AnnounceWait
 *                |                            |                                                           |
 *                +---------- a packet from somebody who has it, or wants it too: Conflict <---------------+--> Free
 *
 * Pure: chance comes with the events, time by a timer that the caller sets.
 */

import type { IpAddress } from '../../net/address.ts';
import { type MacAddress, NO_MAC } from '../../net/mac.ts';
import type { ArpPacket } from './arp.ts';

/**
 * Milliseconds, but `PROBE_NUM`. Within the limits of RFC 5227 1.1 (1 s, 3, 1 s, 2 s, 2 s) and narrower, so that a verdict
 * takes at most 4.4 s instead of 7 s: the long random waits are for hosts that are switched on together.
 */
export const ARP_PROBE = {
  PROBE_WAIT: 200,
  PROBE_NUM: 3,
  PROBE_MIN: 1000,
  PROBE_MAX: 1100,
  ANNOUNCE_WAIT: 2000,
} as const;

export interface ArpProbe {
  readonly phase: 'Waiting' | 'Probing' | 'AnnounceWait' | 'Free' | 'Conflict';
  readonly address: IpAddress;
  /** The interface that probes. */
  readonly mac: MacAddress;
  /** Of all interfaces of this host: what comes from them is no conflict (RFC 5227 2.1.1). */
  readonly ownMacs: ReadonlySet<MacAddress>;
  readonly sent: number;
}

/** `random` is in [0, 1), new for each event. */
export type ArpProbeEvent =
  | { readonly kind: 'Start'; readonly random: number }
  | { readonly kind: 'TimerExpires'; readonly random: number }
  | { readonly kind: 'ArpReceived'; readonly packet: ArpPacket };

/** A timer replaces the one that was set before. After `Done` nothing follows. */
export type ArpProbeEffect =
  | { readonly kind: 'SendProbe'; readonly packet: ArpPacket }
  | { readonly kind: 'SetTimer'; readonly milliseconds: number }
  /** `holder` has the address, or probes for it at this moment; undefined: nobody does. */
  | { readonly kind: 'Done'; readonly holder: MacAddress | undefined };

type Step = readonly [ArpProbe, readonly ArpProbeEffect[]];

const ANY_ADDRESS: IpAddress = { family: 4, value: 0n };

/** A probe that waits for `Start`. */
export const arpProbe = (address: IpAddress, mac: MacAddress, ownMacs: ReadonlySet<MacAddress>): ArpProbe => ({
  phase: 'Waiting',
  address,
  mac,
  ownMacs,
  sent: 0,
});

/** Takes one event; total: one that does not fit the phase changes nothing. */
export function step(probe: ArpProbe, event: ArpProbeEvent): Step {
  if (probe.phase === 'Free' || probe.phase === 'Conflict') return [probe, []];
  switch (event.kind) {
    case 'Start':
      return [probe, [{ kind: 'SetTimer', milliseconds: event.random * ARP_PROBE.PROBE_WAIT }]];
    case 'TimerExpires':
      return onTimer(probe, event.random);
    case 'ArpReceived':
      if (!isConflict(probe, event.packet)) return [probe, []];
      return [{ ...probe, phase: 'Conflict' }, [{ kind: 'Done', holder: event.packet.sha }]];
  }
}

function onTimer(probe: ArpProbe, random: number): Step {
  if (probe.phase === 'AnnounceWait') return [{ ...probe, phase: 'Free' }, [{ kind: 'Done', holder: undefined }]];
  const sent = probe.sent + 1;
  const isLast = sent === ARP_PROBE.PROBE_NUM;
  const { PROBE_MIN, PROBE_MAX, ANNOUNCE_WAIT } = ARP_PROBE;
  const milliseconds = isLast ? ANNOUNCE_WAIT : PROBE_MIN + random * (PROBE_MAX - PROBE_MIN);
  return [
    { ...probe, phase: isLast ? 'AnnounceWait' : 'Probing', sent },
    [
      { kind: 'SendProbe', packet: packetOf(probe) },
      { kind: 'SetTimer', milliseconds },
    ],
  ];
}

/** RFC 5227 2.1.1: the sender address is zero, so that nobody's cache learns from it. */
const packetOf = ({ address, mac }: ArpProbe): ArpPacket => ({
  op: 'Request',
  sha: mac,
  spa: ANY_ADDRESS,
  tha: NO_MAC,
  tpa: address,
});

/** RFC 5227 2.1.1: any packet, request or reply, by whom the address has; or a probe by another who wants it. */
function isConflict({ address, ownMacs }: ArpProbe, { op, sha, spa, tpa }: ArpPacket): boolean {
  if (ownMacs.has(sha)) return false;
  const isProbe = op === 'Request' && spa.value === ANY_ADDRESS.value;
  return isProbe ? tpa.value === address.value : spa.value === address.value;
}
