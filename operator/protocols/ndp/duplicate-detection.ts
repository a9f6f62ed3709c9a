/**
 * Duplicate address detection before an IPv6 address is used first (RFC 4862 5.4), with nonces (RFC 7527).
 *
 *   Start --> Waiting --(0..MAX_DELAY)--> Soliciting --(TRANSMITS, RETRANS_TIMER apart, and one more RETRANS_TIMER)--> Free
 *                |                            |
 *                +--- an advertisement of the address, or another's solicitation from :: --> Conflict
 *
 * Pure: chance comes with the events, time by a timer that the caller sets. The caller listens to the solicited-node group.
 */

import type { IpAddress } from '../../net/address.ts';
import type { MacAddress } from '../../net/mac.ts';
import type { Icmpv6Packet } from './icmpv6.ts';
import { solicitedNodeGroup } from './multicast.ts';
import {
  decodeNeighborAdvertisement,
  decodeNeighborSolicitation,
  encodeNeighborSolicitation,
  NEIGHBOR_ADVERTISEMENT,
  NEIGHBOR_SOLICITATION,
} from './ndp.ts';
import { HOP_LIMIT, isValidAdvertisement, isValidSolicitation } from './validation.ts';

/**
 * Milliseconds, but TRANSMITS. DupAddrDetectTransmits is 3 instead of 1 (RFC 4862 5.1 lets it be set), because a lost
 * packet would let two have the address; RetransTimer as RFC 4861 10; the first delay within its second (RFC 4862 5.4.2).
 */
export const DETECTION = { MAX_DELAY: 200, TRANSMITS: 3, RETRANS_TIMER: 1000 } as const;
/** RFC 3971 5.3.2: at least six. */
export const NONCE_OCTETS = 6;

export interface Detection {
  readonly phase: 'Waiting' | 'Soliciting' | 'Free' | 'Conflict';
  readonly address: IpAddress;
  /** Of all interfaces of this host: what comes from them is no conflict. */
  readonly ownMacs: ReadonlySet<MacAddress>;
  /** Of every solicitation sent, as hex (RFC 7527 4.1). */
  readonly nonces: readonly string[];
}

export type DetectionEvent =
  /** `random` is in [0, 1). */
  | { readonly kind: 'Start'; readonly random: number }
  /** `nonce` is random, new for each event. */
  | { readonly kind: 'TimerExpires'; readonly nonce: Uint8Array }
  /** `sender` is the source address of the frame. */
  | { readonly kind: 'PacketReceived'; readonly packet: Icmpv6Packet; readonly sender: MacAddress };

/** A timer replaces the one that was set before. After `Done` nothing follows. */
export type DetectionEffect =
  /** To the Ethernet address of its multicast destination. */
  | { readonly kind: 'Send'; readonly packet: Icmpv6Packet }
  | { readonly kind: 'SetTimer'; readonly milliseconds: number }
  /** `holder` has the address, or wants it at this moment too; undefined: nobody does. */
  | { readonly kind: 'Done'; readonly holder: MacAddress | undefined };

type Step = readonly [Detection, readonly DetectionEffect[]];

const UNSPECIFIED: IpAddress = { family: 6, value: 0n };

/** A detection that waits for `Start`. */
export const detection = (address: IpAddress, ownMacs: ReadonlySet<MacAddress>): Detection => ({
  phase: 'Waiting',
  address,
  ownMacs,
  nonces: [],
});

/** Takes one event; total: one that does not fit the phase changes nothing. */
export function step(state: Detection, event: DetectionEvent): Step {
  if (state.phase === 'Free' || state.phase === 'Conflict') return [state, []];
  switch (event.kind) {
    case 'Start':
      return [state, [{ kind: 'SetTimer', milliseconds: event.random * DETECTION.MAX_DELAY }]];
    case 'TimerExpires':
      return onTimer(state, event.nonce);
    case 'PacketReceived': {
      const holder = holderIn(state, event.packet, event.sender);
      return holder === undefined ? [state, []] : [{ ...state, phase: 'Conflict' }, [{ kind: 'Done', holder }]];
    }
  }
}

function onTimer(state: Detection, nonce: Uint8Array): Step {
  // RFC 4862 5.4: unique when nothing was heard within RetransTimer after the last solicitation
  if (state.nonces.length === DETECTION.TRANSMITS)
    return [{ ...state, phase: 'Free' }, [{ kind: 'Done', holder: undefined }]];
  return [
    { ...state, phase: 'Soliciting', nonces: [...state.nonces, hexOf(nonce)] },
    [
      { kind: 'Send', packet: solicitationOf(state.address, nonce) },
      { kind: 'SetTimer', milliseconds: DETECTION.RETRANS_TIMER },
    ],
  ];
}

/** RFC 4862 5.4.2: from ::, so that nobody's cache learns from it, and without a source link-layer address. */
const solicitationOf = (target: IpAddress, nonce: Uint8Array): Icmpv6Packet => ({
  source: UNSPECIFIED,
  destination: solicitedNodeGroup(target),
  hopLimit: HOP_LIMIT,
  type: NEIGHBOR_SOLICITATION,
  code: 0,
  body: encodeNeighborSolicitation({ target, sourceLinkLayerAddress: undefined, nonce }),
});

/** The station that has the address or wants it too, as `packet` tells; undefined when it tells of none. */
function holderIn(state: Detection, packet: Icmpv6Packet, sender: MacAddress): MacAddress | undefined {
  if (packet.hopLimit !== HOP_LIMIT || state.ownMacs.has(sender)) return undefined;
  if (packet.type === NEIGHBOR_ADVERTISEMENT) return advertiserIn(state, packet, sender);
  return packet.type === NEIGHBOR_SOLICITATION && isRival(state, packet) ? sender : undefined;
}

/** RFC 4862 5.4.4. */
function advertiserIn({ address }: Detection, packet: Icmpv6Packet, sender: MacAddress): MacAddress | undefined {
  const read = decodeNeighborAdvertisement(packet.body);
  if (!read || !isValidAdvertisement(packet, read) || read.target.value !== address.value) return undefined;
  return read.targetLinkLayerAddress ?? sender;
}

/** RFC 4862 5.4.3: a source that is an address only looks for the target; from :: another wants it, unless it is our own, come back. */
function isRival({ address, nonces }: Detection, packet: Icmpv6Packet): boolean {
  const read = decodeNeighborSolicitation(packet.body);
  if (!read || !isValidSolicitation(packet, read) || read.target.value !== address.value) return false;
  if (packet.source.value !== UNSPECIFIED.value) return false;
  return read.nonce === undefined || !nonces.includes(hexOf(read.nonce)); // RFC 7527 4.2
}

const hexOf = (octets: Uint8Array): string =>
  Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('');
