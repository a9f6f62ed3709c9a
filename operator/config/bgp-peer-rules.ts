/** What must hold of a BGPPeer's spec by itself; the definition checks most of it, but an object may be older than that. */

import type { BgpPeerSpec } from '../../crds/bgp-peer.ts';
import { type IpAddress, parseIp } from '../net/address.ts';
import { parseDurationMs } from './go-duration.ts';
import { firstSelectorProblem } from './label-selector.ts';
import { MAX_PASSWORD_OCTETS } from './password-secret.ts';
import { repetitionProblem } from './repetition.ts';
import type { Refusal } from './verdict.ts';

const MAX_ASN = 0xffff_ffff;
/** The field of the OPEN has 16 bits (RFC 4271 4.2). */
const MAX_HOLD_SECONDS = 0xffff;
const MAX_CONNECT_SECONDS = 0xffff;
/** IFNAMSIZ less its end. */
const MAX_INTERFACE_OCTETS = 15;

/** In Go an empty string, a zero and a missing field are one; so they are here. */
type Rule = (spec: BgpPeerSpec) => string | undefined;

const RULES: readonly Rule[] = [
  asNumbers,
  farEnd,
  ({ peerAddress }) => addressProblem('peerAddress', peerAddress),
  ({ sourceAddress }) => addressProblem('sourceAddress', sourceAddress),
  sourceFamily,
  ({ interface: name }) => interfaceProblem('interface', name),
  ({ vrf }) => interfaceProblem('vrf', vrf),
  ({ peerPort }) => rangeProblem('peerPort', peerPort, 1, 16_384),
  routerId,
  holdAndKeepalive,
  connectTime,
  password,
  multiHop,
  ({ nodeSelectors }) => repetitionProblem({ nodeSelectors }),
];

/** Why the peer cannot be used, naming everything that is wrong; undefined when nothing is. */
export function bgpPeerProblem(spec: BgpPeerSpec): Refusal | undefined {
  const selector = firstSelectorProblem(spec.nodeSelectors);
  if (selector !== undefined) return { reason: 'InvalidSelector', message: `In spec: ${selector}.` };
  const problems = RULES.flatMap((rule) => rule(spec) ?? []);
  return problems.length === 0 ? undefined : { reason: 'InvalidSpec', message: problems.join(' ') };
}

function asNumbers({ myASN, peerASN, dynamicASN, localASN }: BgpPeerSpec): string | undefined {
  if (peerASN && dynamicASN) return 'spec.peerASN and spec.dynamicASN exclude each other: give one of them.';
  if (!peerASN && !dynamicASN) return 'spec.peerASN and spec.dynamicASN are both missing: give one of them.';
  if (!myASN) return 'spec.myASN is 0: give the AS number of the nodes.';
  return (
    rangeProblem('myASN', myASN, 1, MAX_ASN) ??
    rangeProblem('peerASN', peerASN || undefined, 1, MAX_ASN) ??
    rangeProblem('localASN', localASN || undefined, 1, MAX_ASN)
  );
}

function farEnd({ peerAddress, interface: name }: BgpPeerSpec): string | undefined {
  if (peerAddress && name) return 'spec.peerAddress and spec.interface exclude each other: give one of them.';
  return peerAddress || name ? undefined : 'spec.peerAddress and spec.interface are both missing: give one of them.';
}

function sourceFamily({ peerAddress, sourceAddress }: BgpPeerSpec): string | undefined {
  const [ours, theirs] = [sourceAddress, peerAddress].map((text) => (text ? parseIp(text) : undefined));
  if (!ours || !theirs || ours.family === theirs.family) return undefined;
  return `spec.sourceAddress ${sourceAddress} is IPv${ours.family}, and spec.peerAddress ${peerAddress} is IPv${theirs.family}.`;
}

function routerId({ routerID }: BgpPeerSpec): string | undefined {
  if (!routerID) return undefined;
  const address: IpAddress | undefined = parseIp(routerID);
  // RFC 6286 2.1: any four octets but zero.
  if (address?.family === 4 && address.value !== 0n) return undefined;
  return `spec.routerID "${routerID}" must be an IPv4 address other than 0.0.0.0.`;
}

function holdAndKeepalive({ holdTime, keepaliveTime }: BgpPeerSpec): string | undefined {
  const hold = durationOf('holdTime', holdTime);
  const keepalive = durationOf('keepaliveTime', keepaliveTime);
  if (typeof hold === 'string') return hold;
  if (typeof keepalive === 'string') return keepalive;
  if (hold !== undefined && keepalive !== undefined && keepalive > hold)
    return `spec.keepaliveTime ${keepaliveTime} is longer than spec.holdTime ${holdTime}.`;
  // Without a hold time it is three keepalive times (RFC 4271 10).
  const seconds = Math.trunc((hold ?? (keepalive ?? 0) * 3) / 1_000);
  if (seconds === 0 || (seconds >= 3 && seconds <= MAX_HOLD_SECONDS)) return undefined;
  const limits = `it must be 0s, or 3s to ${MAX_HOLD_SECONDS}s (RFC 4271 4.2).`;
  return hold === undefined
    ? `The hold time is three times spec.keepaliveTime ${keepaliveTime}: ${limits}`
    : `spec.holdTime is ${holdTime}: ${limits}`;
}

function connectTime({ connectTime: text }: BgpPeerSpec): string | undefined {
  const duration = durationOf('connectTime', text);
  if (typeof duration === 'string' || duration === undefined) return duration;
  const seconds = duration / 1_000;
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_CONNECT_SECONDS) return undefined;
  return `spec.connectTime is ${text}: it must be a whole number of seconds from 1s to ${MAX_CONNECT_SECONDS}s.`;
}

/** Never says what the password is. */
function password({ password: text = '', passwordSecret }: BgpPeerSpec): string | undefined {
  if (text !== '' && passwordSecret?.name)
    return 'spec.password and spec.passwordSecret exclude each other: give one of them.';
  if (Buffer.byteLength(text) <= MAX_PASSWORD_OCTETS) return undefined;
  return `spec.password has more than ${MAX_PASSWORD_OCTETS} octets, which TCP MD5 does not take.`;
}

function multiHop({ ebgpMultiHop, peerASN, myASN, dynamicASN }: BgpPeerSpec): string | undefined {
  if (!ebgpMultiHop || (peerASN !== myASN && dynamicASN !== 'internal')) return undefined;
  return 'spec.ebgpMultiHop is for peers of another AS, and this one is of the same.';
}

function addressProblem(field: string, text: string | undefined): string | undefined {
  return !text || parseIp(text) ? undefined : `spec.${field} "${text}" is not an IP address.`;
}

function interfaceProblem(field: string, name: string | undefined): string | undefined {
  if (!name || (Buffer.byteLength(name) <= MAX_INTERFACE_OCTETS && !/[\s/:]/.test(name))) return undefined;
  return `spec.${field} "${name}" is no name of an interface: at most ${MAX_INTERFACE_OCTETS} characters, no blank, slash or colon.`;
}

function rangeProblem(field: string, value: number | undefined, min: number, max: number): string | undefined {
  if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) return undefined;
  return `spec.${field} is ${value}: it must be ${min} to ${max}.`;
}

/** Milliseconds, undefined where none is given, or what is wrong with the text. */
function durationOf(field: string, text: string | undefined): number | string | undefined {
  if (text === undefined) return undefined;
  const duration = parseDurationMs(text);
  if (duration === undefined) return `spec.${field} "${text}" is not a duration like 90s or 1m30s.`;
  return duration < 0 ? `spec.${field} ${text} is negative.` : duration;
}
