/** The multicast addresses of neighbour discovery, and their Ethernet form (RFC 4291 2.7, RFC 2464 7). */

import { type IpAddress, ipOctets } from '../../net/address.ts';
import { type MacAddress, macFromOctets } from '../../net/mac.ts';

/** ff02::1 */
export const ALL_NODES: IpAddress = { family: 6, value: (0xff02n << 112n) | 1n };

const SOLICITED_NODE_PREFIX = (0xff02n << 112n) | 0x1_ff00_0000n;
const LAST_24_BITS = 0xff_ffffn;

/** The group ff02::1:ffXX:XXXX in which the owner of `address` hears solicitations (RFC 4291 2.7.1). */
export const solicitedNodeGroup = ({ value }: IpAddress): IpAddress => ({
  family: 6,
  value: SOLICITED_NODE_PREFIX | (value & LAST_24_BITS),
});

/** ff00::/8 */
export const isMulticast = ({ value }: IpAddress): boolean => value >> 120n === 0xffn;

/** 33:33 and the last 32 bits of the group (RFC 2464 7). */
export const multicastMac = (group: IpAddress): MacAddress =>
  macFromOctets(Uint8Array.of(0x33, 0x33, ...ipOctets(group).subarray(12)));
