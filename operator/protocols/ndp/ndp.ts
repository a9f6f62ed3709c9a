/**
 * Neighbor Solicitation and Advertisement (RFC 4861 4.3, 4.4): the body after the ICMPv6 header.
 *
 *  NS  0 reserved                                    4 target   20 options
 *  NA  0 router, solicited, override, reserved       4 target   20 options
 *  option  0 type (1 source, 2 target link-layer address)   1 length in 8 octets   2 value
 */

import { type IpAddress, ipFromOctets, ipOctets } from '../../net/address.ts';
import { type MacAddress, macFromOctets, macOctets } from '../../net/mac.ts';

export interface NeighborSolicitation {
  readonly target: IpAddress;
  readonly sourceLinkLayerAddress: MacAddress | undefined;
}

export interface NeighborAdvertisement {
  readonly router: boolean;
  /** It answers a solicitation from an address. */
  readonly solicited: boolean;
  /** The receiver shall replace the link-layer address it knows. */
  readonly override: boolean;
  readonly target: IpAddress;
  readonly targetLinkLayerAddress: MacAddress | undefined;
}

export const NEIGHBOR_SOLICITATION = 135;
export const NEIGHBOR_ADVERTISEMENT = 136;

const SOURCE_LINK_LAYER_ADDRESS = 1;
const TARGET_LINK_LAYER_ADDRESS = 2;
const FIXED = 20;
const ROUTER = 0x80;
const SOLICITED = 0x40;
const OVERRIDE = 0x20;

/** Returns undefined when it is too short or an option has length 0 (RFC 4861 4.6: the packet is discarded). */
export function decodeNeighborSolicitation(body: Uint8Array): NeighborSolicitation | undefined {
  const options = decodeOptions(body);
  if (!options) return undefined;
  return { target: targetOf(body), sourceLinkLayerAddress: options.get(SOURCE_LINK_LAYER_ADDRESS) };
}

/** Encodes the body; the option is left out when its address is undefined. */
export const encodeNeighborSolicitation = (solicitation: NeighborSolicitation): Uint8Array =>
  encodeBody(0, solicitation.target, SOURCE_LINK_LAYER_ADDRESS, solicitation.sourceLinkLayerAddress);

/** Returns undefined when it is too short or an option has length 0 (RFC 4861 4.6: the packet is discarded). */
export function decodeNeighborAdvertisement(body: Uint8Array): NeighborAdvertisement | undefined {
  const options = decodeOptions(body);
  if (!options) return undefined;
  const flags = body[0] ?? 0;
  return {
    router: (flags & ROUTER) !== 0,
    solicited: (flags & SOLICITED) !== 0,
    override: (flags & OVERRIDE) !== 0,
    target: targetOf(body),
    targetLinkLayerAddress: options.get(TARGET_LINK_LAYER_ADDRESS),
  };
}

/** Encodes the body; the option is left out when its address is undefined. */
export function encodeNeighborAdvertisement(advertisement: NeighborAdvertisement): Uint8Array {
  const { router, solicited, override, target, targetLinkLayerAddress } = advertisement;
  const flags = (router ? ROUTER : 0) | (solicited ? SOLICITED : 0) | (override ? OVERRIDE : 0);
  return encodeBody(flags, target, TARGET_LINK_LAYER_ADDRESS, targetLinkLayerAddress);
}

const targetOf = (body: Uint8Array): IpAddress => ipFromOctets(body.subarray(4, FIXED));

/** Ethernet addresses by option type (RFC 2464 6: length 1, six octets); other options are skipped. */
function decodeOptions(body: Uint8Array): ReadonlyMap<number, MacAddress> | undefined {
  if (body.length < FIXED) return undefined;
  const options = new Map<number, MacAddress>();
  for (let at = FIXED; at < body.length; ) {
    const length = (body[at + 1] ?? 0) * 8;
    if (length === 0 || at + length > body.length) return undefined;
    if (length === 8) options.set(body[at] ?? 0, macFromOctets(body.subarray(at + 2, at + 8)));
    at += length;
  }
  return options;
}

function encodeBody(flags: number, target: IpAddress, option: number, mac: MacAddress | undefined): Uint8Array {
  const tail = mac === undefined ? [] : [option, 1, ...macOctets(mac)];
  return Uint8Array.of(flags, 0, 0, 0, ...ipOctets(target), ...tail);
}
