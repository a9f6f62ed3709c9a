/** AddressPools of MetalLB 0.13 and older: the objects that take their place, and what is in the way. */

import { isDeepStrictEqual } from 'node:util';
import { convert } from '../convert/convert.ts';
import type { ConvertedObject } from '../convert/converted-object.ts';
import { remarkLine } from '../convert/remarks.ts';
import type { MigrationState, StoredObject } from './state.ts';
import type { Step } from './step.ts';

export interface Replacement {
  readonly steps: readonly Step[];
  readonly refusals: readonly string[];
  readonly notes: readonly string[];
}

/** Objects that are there already, from an earlier run or by hand, are not made again. */
export function replaceAddressPools(state: MigrationState): Replacement {
  const parts = (state.addressPools ?? []).map((pool) => replace(pool, state));
  return {
    steps: parts.flatMap(({ steps }) => steps),
    refusals: parts.flatMap(({ refusals }) => refusals),
    notes: parts.flatMap(({ notes }) => notes),
  };
}

function replace(pool: StoredObject, state: MigrationState): Replacement {
  const { name, namespace = '', uid } = pool.metadata;
  const text = JSON.stringify({ ...pool, apiVersion: 'metallb.io/v1beta1', kind: 'AddressPool' });
  const { objects, errors, notes } = convert([{ name: `AddressPool ${namespace}/${name}`, text }]);
  const refusals = errors.map(remarkLine);
  const steps: Step[] = [];
  for (const object of objects) {
    const present = presentOf(object, state).filter(({ metadata }) => metadata.namespace === namespace);
    if (present.some((other) => says(other, object) && isSameName(other, object))) continue;
    const taken = present.some(({ metadata }) => metadata.name === object.metadata.name);
    if (!taken) steps.push({ do: 'CreateObject', object });
    else if (object.kind === 'IPAddressPool') refusals.push(bothAreThere(name, namespace));
    else if (!present.some((other) => says(other, object)))
      steps.push({ do: 'CreateObject', object: renamed(object, present) });
  }
  const old = { plural: 'addresspools', version: 'v1beta1', namespace, name };
  return {
    steps: [...steps, { do: 'DeleteObject', object: old, uid }],
    refusals,
    notes: notes.map(remarkLine),
  };
}

const bothAreThere = (name: string, namespace: string): string =>
  `AddressPool and IPAddressPool ${namespace}/${name} are both there and differ: delete the one that is not meant`;

function presentOf({ kind }: ConvertedObject, state: MigrationState): readonly StoredObject[] {
  if (kind === 'IPAddressPool') return state.ipAddressPools ?? [];
  return (kind === 'L2Advertisement' ? state.l2Advertisements : state.bgpAdvertisements) ?? [];
}

const isSameName = (other: StoredObject, object: ConvertedObject): boolean =>
  object.kind !== 'IPAddressPool' || other.metadata.name === object.metadata.name;

/** Whether `other` says all that `object` does; defaults that the API server added do not count. */
const says = (other: StoredObject, object: ConvertedObject): boolean =>
  Object.entries(object.spec).every(([field, value]) => isDeepStrictEqual(other.spec?.[field], value));

function renamed(object: ConvertedObject, present: readonly StoredObject[]): ConvertedObject {
  const names = new Set(present.map(({ metadata }) => metadata.name));
  let at = 2;
  while (names.has(`${object.metadata.name}-${at}`)) at += 1;
  return { ...object, metadata: { ...object.metadata, name: `${object.metadata.name}-${at}` } };
}
