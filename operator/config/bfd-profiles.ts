/** BFDProfiles: their limits. The definition checks the same; an object may be older than the definition. */

import type { BfdProfile, BfdProfileSpec } from '../../crds/bfd-profile.ts';
import { withoutBackend } from './refs.ts';
import { type Refusal, refused, type Verdict } from './verdict.ts';

/** [smallest, largest, unit]; RFC 5880 6.8.1 allows more, MetalLB does not. */
const LIMITS = {
  receiveInterval: [10, 60_000, ' ms'],
  transmitInterval: [10, 60_000, ' ms'],
  echoInterval: [10, 60_000, ' ms'],
  detectMultiplier: [2, 255, ''],
  minimumTtl: [1, 254, ''],
} as const satisfies { readonly [Field in keyof BfdProfileSpec]?: readonly [number, number, string] };

/** Why the profile cannot be used, or undefined. */
export function bfdProfileProblem({ spec = {} }: Partial<Pick<BfdProfile, 'spec'>>): Refusal | undefined {
  const problems = Object.entries(LIMITS).flatMap(([field, [min, max, unit]]) => {
    const value = spec[field as keyof typeof LIMITS];
    if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) return [];
    return [`spec.${field} is ${value}${unit}: it must be ${min} to ${max}${unit}.`];
  });
  return problems.length === 0 ? undefined : { reason: 'InvalidSpec', message: problems.join(' ') };
}

/** The verdict of a BFDProfile: sound or not, it has no backend in this version. */
export const bfdProfileVerdict = (problem: Refusal | undefined): Verdict =>
  problem ? refused(problem) : withoutBackend();
