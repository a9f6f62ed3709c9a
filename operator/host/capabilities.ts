/** The capabilities of this process (capabilities(7)), and what the speaker needs each for. */

import { readFileSync } from 'node:fs';

/** Bit numbers of linux/capability.h, and what is impossible without. */
const CAPABILITIES = {
  NET_BIND_SERVICE: { bit: 10, purpose: 'to listen on ports below 1024 (BGP, 179)' },
  NET_ADMIN: { bit: 12, purpose: 'to attach the in-kernel responder to interfaces' },
  NET_RAW: { bit: 13, purpose: 'to answer ARP and Neighbor Solicitations through packet sockets' },
  SYS_ADMIN: { bit: 21, purpose: 'to load the in-kernel responder where the runtime does not know BPF' },
  SYS_NICE: { bit: 23, purpose: 'to let the clock thread run before others' },
  BPF: { bit: 39, purpose: 'to load the in-kernel responder' },
} as const;

export type CapabilityName = keyof typeof CAPABILITIES;

/** A capability that the process lacks. */
export interface MissingCapability {
  readonly name: CapabilityName;
  /** 'to ...' */
  readonly purpose: string;
}

/** Reads the effective set: the CapEff line of /proc/self/status. */
export const readProcessStatus = (): string => readFileSync('/proc/self/status', 'utf8');

/** Those of `needed` that are not in the effective set. */
export function missingCapabilities(
  needed: readonly CapabilityName[],
  status: string = readProcessStatus(),
): readonly MissingCapability[] {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return needed
    .filter((name) => (effective & (1n << BigInt(CAPABILITIES[name].bit))) === 0n)
    .map((name) => ({ name, purpose: CAPABILITIES[name].purpose }));
}

/** One sentence for a person: which capability is missing, why it is needed, and where it is given. */
export const describeMissing = ({ name, purpose }: MissingCapability): string =>
  `the capability ${name} is missing; it is needed ${purpose}: add ${name} to securityContext.capabilities.add of the container, which must run as uid 0`;
