/** Which fields of an object a change touches, as people would name them. */

import { isDeepStrictEqual } from 'node:util';
import type { KubernetesObject } from '../../cluster/objects.ts';
import { isRecord } from '../manifests/manifest.ts';
import { withoutCopy } from './applied.ts';

/** The fields below spec, and the labels and annotations, that differ: `spec.addresses`, `metadata.labels.tier`. */
export function changedFields(before: KubernetesObject, after: KubernetesObject): readonly string[] {
  const specOf = (object: KubernetesObject): unknown => ('spec' in object ? object.spec : {});
  return [
    ...differences('spec', specOf(before), specOf(after)),
    ...differences('metadata.labels', before.metadata.labels, after.metadata.labels),
    ...differences(
      'metadata.annotations',
      withoutCopy(before.metadata.annotations),
      withoutCopy(after.metadata.annotations),
    ),
  ];
}

function differences(path: string, before: unknown, after: unknown): readonly string[] {
  const [left, right] = [isRecord(before) ? before : {}, isRecord(after) ? after : {}];
  const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort();
  return keys.filter((key) => !isDeepStrictEqual(left[key], right[key])).map((key) => `${path}.${key}`);
}
