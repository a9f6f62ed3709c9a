/** What an apply leaves of an object as it is: fields of others stay, fields that whoever applies gave up go. */

import type { ManagedFieldsEntry, ObjectMeta } from '../../../crds/object-meta.ts';
import { splitKey } from '../../cluster/objects.ts';
import { isRecord, type Manifest } from '../manifests/manifest.ts';

type Fields = Readonly<Record<string, unknown>>;

/** kubectl's copy of what it applied last. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** @param live as it is now; undefined for an object that will be created */
export function appliedMeta(
  live: ObjectMeta | undefined,
  { content }: Manifest,
  key: string,
  createdAt: Date,
): ObjectMeta {
  const written = recordOf(content['metadata']);
  const born: ObjectMeta = { ...splitKey(key), creationTimestamp: `${createdAt.toISOString().slice(0, 19)}Z` };
  const { labels: _labels, annotations: _annotations, ...kept } = live ?? born;
  const labels = applied(live?.labels, written['labels'], formerFields(live, 'metadata', 'labels'));
  const annotations = applied(
    withoutCopy(live?.annotations),
    withoutCopy(written['annotations']),
    formerFields(live, 'metadata', 'annotations'),
  ) as Record<string, string>;
  return {
    ...kept,
    ...(Object.keys(labels).length > 0 && { labels: labels as Record<string, string> }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
  };
}

/** `written` over `live`; a field goes only if it is one of `former` and written no more. */
export function applied(live: unknown, written: unknown, former: ReadonlySet<string>): Record<string, unknown> {
  const wanted = recordOf(written);
  const others = Object.entries(recordOf(live)).filter(([key]) => !former.has(key) || key in wanted);
  return { ...Object.fromEntries(others), ...wanted };
}

/** The fields below `path` that whoever applies the object wrote before: by kubectl's copy, or by server-side apply. */
export function formerFields(live: ObjectMeta | undefined, ...path: readonly string[]): ReadonlySet<string> {
  const copy = path.reduce<Fields>((fields, step) => recordOf(fields[step]), lastApplied(live));
  const owned = (live?.managedFields ?? []).filter(isOfApplier).flatMap(({ fieldsV1 }) => {
    const below = path.reduce<Fields>((fields, step) => recordOf(fields[`f:${step}`]), recordOf(fieldsV1));
    return Object.keys(below).flatMap((key) => (key.startsWith('f:') ? [key.slice(2)] : []));
  });
  return new Set([...Object.keys(copy), ...owned]);
}

/** Herald's own writes are applies of the status. */
const isOfApplier = ({ operation, subresource }: ManagedFieldsEntry): boolean =>
  operation === 'Apply' && subresource === undefined;

function lastApplied(live: ObjectMeta | undefined): Fields {
  const copy = live?.annotations?.[LAST_APPLIED];
  if (copy === undefined) return {};
  try {
    return recordOf(JSON.parse(copy));
  } catch {
    return {}; // not kubectl's
  }
}

const recordOf = (value: unknown): Fields => (isRecord(value) ? value : {});

/** Annotations without kubectl's copy of the object. */
export function withoutCopy(values: unknown): Fields {
  const { [LAST_APPLIED]: _copy, ...kept } = recordOf(values);
  return kept;
}
