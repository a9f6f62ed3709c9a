/** Asking for an address on one interface, by the protocol of its family: frames in, frames and timers out. */

import type { PacketProtocol } from '../../host/host-network.ts';
import type { FilterProgram } from '../../host/socket-filter.ts';
import type { IpAddress } from '../../net/address.ts';
import { BROADCAST_MAC, type MacAddress } from '../../net/mac.ts';
import { decodeArp, encodeArp } from '../../protocols/arp/arp.ts';
import { type ArpProbeEffect, type ArpProbeEvent, arpProbe, step as stepArp } from '../../protocols/arp/probe.ts';
import { decodeEthernet, ETHERTYPE, encodeEthernet } from '../../protocols/ethernet/ethernet.ts';
import {
  type DetectionEffect,
  type DetectionEvent,
  detection,
  NONCE_OCTETS,
  step as stepNdp,
} from '../../protocols/ndp/duplicate-detection.ts';
import { decodeIcmpv6, encodeIcmpv6 } from '../../protocols/ndp/icmpv6.ts';
import { multicastMac, solicitedNodeGroup } from '../../protocols/ndp/multicast.ts';
import { arpAboutFilter, neighborMessagesFilter } from './probe-filter.ts';

/** What to do next; a timer replaces the one before. */
export type ProbeEffect =
  | { readonly kind: 'SendFrame'; readonly frame: Uint8Array }
  | { readonly kind: 'SetTimer'; readonly milliseconds: number }
  /** `holder` has the address; undefined: nobody has. */
  | { readonly kind: 'Done'; readonly holder: MacAddress | undefined };

/** A probe of one address on one interface. */
export interface ProbeMachine {
  readonly protocol: PacketProtocol;
  readonly filter: FilterProgram;
  /** The groups in which answers and rivals are heard. */
  readonly groups: readonly IpAddress[];
  start(): readonly ProbeEffect[];
  timerExpired(): readonly ProbeEffect[];
  frameReceived(frame: Uint8Array): readonly ProbeEffect[];
}

/** From which interface to ask. */
export interface ProbingInterface {
  readonly index: number;
  readonly mac: MacAddress;
}

/** Octets that nobody can foretell. */
export type RandomOctets = (count: number) => Uint8Array;

/** The machine for the family of `address`. @param ownMacs of all interfaces of this host */
export const probeMachine = (
  address: IpAddress,
  from: ProbingInterface,
  ownMacs: ReadonlySet<MacAddress>,
  random: RandomOctets,
): ProbeMachine => (address.family === 4 ? arpMachine : ndpMachine)(address, from, ownMacs, random);

function arpMachine(
  address: IpAddress,
  { index, mac }: ProbingInterface,
  ownMacs: ReadonlySet<MacAddress>,
  random: RandomOctets,
): ProbeMachine {
  let state = arpProbe(address, mac, ownMacs);
  const take = (event: ArpProbeEvent): readonly ProbeEffect[] => {
    const [next, effects] = stepArp(state, event);
    state = next;
    return effects.map((effect) =>
      effect.kind === 'SendProbe' ? { kind: 'SendFrame', frame: frameOf(effect) } : effect,
    );
  };
  const frameOf = ({ packet }: Extract<ArpProbeEffect, { kind: 'SendProbe' }>): Uint8Array =>
    encodeEthernet({ destination: BROADCAST_MAC, source: mac, etherType: ETHERTYPE.Arp, payload: encodeArp(packet) });
  return {
    protocol: 'Arp',
    filter: arpAboutFilter(index, address),
    groups: [],
    start: () => take({ kind: 'Start', random: fractionOf(random) }),
    timerExpired: () => take({ kind: 'TimerExpires', random: fractionOf(random) }),
    frameReceived(octets) {
      const frame = decodeEthernet(octets);
      const packet = frame && decodeArp(frame.payload);
      return packet ? take({ kind: 'ArpReceived', packet }) : [];
    },
  };
}

function ndpMachine(
  address: IpAddress,
  { index, mac }: ProbingInterface,
  ownMacs: ReadonlySet<MacAddress>,
  random: RandomOctets,
): ProbeMachine {
  let state = detection(address, ownMacs);
  const take = (event: DetectionEvent): readonly ProbeEffect[] => {
    const [next, effects] = stepNdp(state, event);
    state = next;
    return effects.map((effect) => (effect.kind === 'Send' ? { kind: 'SendFrame', frame: frameOf(effect) } : effect));
  };
  const frameOf = ({ packet }: Extract<DetectionEffect, { kind: 'Send' }>): Uint8Array =>
    encodeEthernet({
      destination: multicastMac(packet.destination),
      source: mac,
      etherType: ETHERTYPE.Ipv6,
      payload: encodeIcmpv6(packet),
    });
  return {
    protocol: 'Ipv6',
    filter: neighborMessagesFilter(index, address),
    groups: [solicitedNodeGroup(address)],
    start: () => take({ kind: 'Start', random: fractionOf(random) }),
    timerExpired: () => take({ kind: 'TimerExpires', nonce: random(NONCE_OCTETS) }),
    frameReceived(octets) {
      const frame = decodeEthernet(octets);
      const packet = frame && decodeIcmpv6(frame.payload);
      return packet ? take({ kind: 'PacketReceived', packet, sender: frame.source }) : [];
    },
  };
}

/** In [0, 1). */
function fractionOf(random: RandomOctets): number {
  const [high = 0, low = 0] = random(2);
  return (high * 256 + low) / 65536;
}
