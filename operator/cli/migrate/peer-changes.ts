/** Fields of a stored BGPPeer that say something else in v1beta2 than they did when they were written. */

import { isZeroDuration } from '../convert/duration.ts';
import { isRecord } from '../manifests/manifest.ts';
import type { StoredObject } from './state.ts';
import type { PatchOperation } from './step.ts';

/**
 * What must go. MetalLB up to 0.13 wrote a port of 0 and times of 0s for what was not given, by hand of Go; in v1beta2
 * as 0.14 and newer read it, a port of 0 is refused and a keepalive time of 0s means none at all.
 */
export function changesOf({ spec = {} }: StoredObject): readonly PatchOperation[] {
  const { peerPort, holdTime, keepaliveTime, nodeSelectors } = spec;
  const gone = [
    ...(peerPort === 0 ? ['peerPort'] : []),
    ...(isZero(keepaliveTime) ? ['keepaliveTime', ...(isZero(holdTime) ? ['holdTime'] : [])] : []),
    ...valuesOfExists(nodeSelectors),
  ];
  return gone.flatMap((field) => [
    { op: 'test', path: `/spec/${field}`, value: valueAt(spec, field) },
    { op: 'remove', path: `/spec/${field}` },
  ]);
}

/** A hold time of 0s alone may be meant: no hold timer (RFC 4271 4.2). Up to 0.13 it meant 90 seconds. */
export const hasDoubtfulHoldTime = ({ spec = {} }: StoredObject): boolean =>
  isZero(spec['holdTime']) && !isZero(spec['keepaliveTime']);

const isZero = (value: unknown): boolean => typeof value === 'string' && isZeroDuration(value);

/** v1beta1 demanded values even where the operator takes none. */
function valuesOfExists(selectors: unknown): readonly string[] {
  return listOf(selectors).flatMap((selector, at) =>
    listOf(isRecord(selector) ? selector['matchExpressions'] : undefined).flatMap((expression, of) =>
      isRecord(expression) && takesNone(expression['operator']) && listOf(expression['values']).length > 0
        ? [`nodeSelectors/${at}/matchExpressions/${of}/values`]
        : [],
    ),
  );
}

const takesNone = (operator: unknown): boolean => operator === 'Exists' || operator === 'DoesNotExist';
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function valueAt(spec: Readonly<Record<string, unknown>>, field: string): unknown {
  let value: unknown = spec;
  for (const step of field.split('/')) value = (value as Readonly<Record<string, unknown>>)[step];
  return value;
}
