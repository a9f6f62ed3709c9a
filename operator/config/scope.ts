/** Which objects count: those of the namespaces that Herald reads, and of two with one name only the first. */

import type { ObjectMeta } from '../../crds/object-meta.ts';
import { reasons } from '../../crds/reasons.ts';
import { type ObjectRef, objectRef, type Refusal, refused, type Verdict } from './verdict.ts';

/** The namespaces that configuration is read from. */
export interface Scope {
  readonly ownNamespace: string;
  /** In the order in which they win over each other; the own one wins over all. */
  readonly configNamespaces: readonly string[];
}

/** The objects of one kind that count; the others get their verdict at once, as `refuse` words it. */
export function inScope<T extends { readonly metadata: ObjectMeta }>(
  kind: string,
  objects: readonly T[],
  scope: Scope,
  verdicts: Map<ObjectRef, Verdict>,
  refuse: (refusal: Refusal) => Verdict = refused,
): readonly T[] {
  const winners = new Map<string, T>();
  const order = [...new Set([scope.ownNamespace, ...scope.configNamespaces])];
  const rankOf = ({ metadata }: T): number => order.indexOf(metadata.namespace ?? '');
  for (const object of objects.toSorted((a, b) => rankOf(a) - rankOf(b))) {
    const { metadata } = object;
    const winner = winners.get(metadata.name);
    if (rankOf(object) < 0) verdicts.set(objectRef(kind, metadata), refuse(notWatched(metadata, order)));
    else if (winner) verdicts.set(objectRef(kind, metadata), refuse(shadowed(metadata, winner.metadata)));
    else winners.set(metadata.name, object);
  }
  return [...winners.values()];
}

const notWatched = ({ namespace = '' }: ObjectMeta, order: readonly string[]): Refusal => ({
  reason: 'NamespaceNotWatched',
  message: `${reasons.Accepted.NamespaceNotWatched} That is ${order.join(', ')}, and not ${namespace}.`,
});

const shadowed = ({ name }: ObjectMeta, winner: ObjectMeta): Refusal => ({
  reason: 'Shadowed',
  message: `${winner.namespace}/${name} has the same name and is in force instead.`,
});

/** Older first, then by namespace and name: who comes first wins. */
export function byAge(a: { readonly metadata: ObjectMeta }, b: { readonly metadata: ObjectMeta }): number {
  const textOf = ({ metadata: m }: typeof a): readonly string[] => [
    m.creationTimestamp ?? '',
    m.namespace ?? '',
    m.name,
  ];
  const [left, right] = [textOf(a), textOf(b)];
  const differs = left.findIndex((text, at) => text !== right[at]);
  return differs < 0 ? 0 : (left[differs] ?? '') < (right[differs] ?? '') ? -1 : 1;
}
