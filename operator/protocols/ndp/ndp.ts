/**
 * Neighbor Solicitation and Advertisement (RFC 4861 4.3, 4.4): the body after the ICMPv6 header.
 *
 *  NS  0 reserved                                    4 target   20 options
 *  NA  0 router, solicited, override, reserved       4 target   20 options
 *  option  0 type (1 source, 2 target link-layer address, 14 nonce)   1 length in 8 octets   2 value
 */

import { type IpAddress, ipFromOctets, ipOctets } from '../../net/address.ts';
import { type MacAddress, macFromOctets, macOctets } from '../../net/mac.ts';

export interface NeighborSolicitation {
  readonly target: IpAddress;
  readonly sourceLinkLayerAddress: MacAddress | undefined;
  /** 6 octets and then by 8 (RFC 3971 5.3.2): tells one's own solicitation, come back, from that of another (RFC 7527). */
  readonly nonce?: Uint8Array;
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
const NONCE = 14;
/** Octets of an option before its value. */
const OPTION_HEADER = 2;
const MAC_OCTETS = 6;
const FIXED = 20;
const ROUTER = 0x80;
const SOLICITED = 0x40;
const OVERRIDE = 0x20;

/** Returns undefined when it is too short or an option has length 0 (RFC 4861 4.6: the packet is discarded). */
export function decodeNeighborSolicitation(body: Uint8Array): NeighborSolicitation | undefined {
  const options = decodeOptions(body);
  if (!options) return undefined;
  const nonce = options.get(NONCE);
  return {
    target: targetOf(body),
    sourceLinkLayerAddress: macIn(options, SOURCE_LINK_LAYER_ADDRESS),
    ...(nonce && { nonce }),
  };
}

/** Encodes the body; options are left out where they are undefined. */
export const encodeNeighborSolicitation = ({
  target,
  sourceLinkLayerAddress: mac,
  nonce,
}: NeighborSolicitation): Uint8Array =>
  Uint8Array.of(
    ...fixedPart(0, target),
    ...(mac === undefined ? [] : option(SOURCE_LINK_LAYER_ADDRESS, macOctets(mac))),
    ...(nonce === undefined ? [] : option(NONCE, nonce)),
  );

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
    targetLinkLayerAddress: macIn(options, TARGET_LINK_LAYER_ADDRESS),
  };
}

/** Encodes the body; the option is left out when its address is undefined. */
export function encodeNeighborAdvertisement(advertisement: NeighborAdvertisement): Uint8Array {
  const { router, solicited, override, target, targetLinkLayerAddress: mac } = advertisement;
  const flags = (router ? ROUTER : 0) | (solicited ? SOLICITED : 0) | (override ? OVERRIDE : 0);
  const tail = mac === undefined ? [] : option(TARGET_LINK_LAYER_ADDRESS, macOctets(mac));
  return Uint8Array.of(...fixedPart(flags, target), ...tail);
}

const targetOf = (body: Uint8Array): IpAddress => ipFromOctets(body.subarray(4, FIXED));

/** The values of options by type; of two of one type the last. */
function decodeOptions(body: Uint8Array): ReadonlyMap<number, Uint8Array> | undefined {
  if (body.length < FIXED) return undefined;
  const options = new Map<number, Uint8Array>();
  for (let at = FIXED; at < body.length; ) {
    const length = (body[at + 1] ?? 0) * 8;
    if (length === 0 || at + length > body.length) return undefined;
    options.set(body[at] ?? 0, body.slice(at + OPTION_HEADER, at + length));
    at += length;
  }
  return options;
}

/** An Ethernet address (RFC 2464 6: length 1, six octets); another length is another medium. */
function macIn(options: ReadonlyMap<number, Uint8Array>, type: number): MacAddress | undefined {
  const octets = options.get(type);
  return octets?.length === MAC_OCTETS ? macFromOctets(octets) : undefined;
}

const fixedPart = (flags: number, target: IpAddress): Uint8Array => Uint8Array.of(flags, 0, 0, 0, ...ipOctets(target));

const option = (type: number, value: Uint8Array): Uint8Array =>
  Uint8Array.of(type, (OPTION_HEADER + value.length) / 8, ...value);
