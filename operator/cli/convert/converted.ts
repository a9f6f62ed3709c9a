/** The manifests that a conversion makes, collected: each named once, in an order in which a person reads them. */

import type { ConvertedObject } from './converted-object.ts';
import { noteRefusals } from './refusals.ts';
import type { Remarks } from './remarks.ts';

/** Where the manifests of one source belong. */
export interface Destination {
  readonly namespace: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The kinds that come out, in their order. */
const VERSIONS = {
  IPAddressPool: 'v1beta1',
  L2Advertisement: 'v1beta1',
  BGPAdvertisement: 'v1beta1',
  BGPPeer: 'v1beta2',
  BFDProfile: 'v1beta1',
  Community: 'v1beta1',
} as const;
export type ConvertedKind = keyof typeof VERSIONS;
const ORDER = Object.keys(VERSIONS);

const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const MAX_NAME = 253;

export class Converted {
  readonly remarks: Remarks;
  readonly #objects: ConvertedObject[] = [];
  readonly #places = new Map<string, string>();

  constructor(remarks: Remarks) {
    this.remarks = remarks;
  }

  get objects(): readonly ConvertedObject[] {
    return this.#objects.toSorted((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
  }

  /** Adds a manifest; the same kind, namespace and name twice is an error. */
  add(
    kind: ConvertedKind,
    name: string,
    { namespace, labels, annotations }: Destination,
    spec: Record<string, unknown>,
    place: string,
  ): void {
    const key = keyOf(kind, namespace, name);
    const earlier = this.#places.get(key);
    if (earlier !== undefined)
      this.remarks.error(place, `${kind} ${name} comes a second time: it is at ${earlier} too`);
    this.#places.set(key, place);
    const metadata = { name, namespace, ...(labels && { labels }), ...(annotations && { annotations }) };
    const object = { apiVersion: `metallb.io/${VERSIONS[kind]}`, kind, metadata, spec: present(spec) };
    noteRefusals(object, place, this.remarks);
    this.#objects.push(object);
  }

  /** `name` itself, or the first of `name-2`, `name-3` and so on that is not taken. */
  freeName(kind: ConvertedKind, name: string, { namespace }: Destination): string {
    let candidate = name;
    for (let at = 2; this.#places.has(keyOf(kind, namespace, candidate)); at += 1) candidate = `${name}-${at}`;
    return candidate;
  }
}

const keyOf = (kind: string, namespace: string, name: string): string => `${kind} ${namespace}/${name}`;

/** Whether Kubernetes takes the name for an object. */
export const isObjectName = (name: string): boolean => name.length <= MAX_NAME && DNS_SUBDOMAIN.test(name);

/** The nearest name that Kubernetes takes. */
export function objectNameOf(name: string): string {
  const lower = name.toLowerCase().replaceAll(/[^a-z0-9.-]+/g, '-');
  const parts = lower.split('.').map((part) => part.replaceAll(/^-+|-+$/g, ''));
  return (
    parts
      .filter(Boolean)
      .join('.')
      .slice(0, MAX_NAME)
      .replace(/[-.]+$/, '') || 'unnamed'
  );
}

/** Drops fields that are missing, empty lists and empty mappings: in MetalLB each of them means the same as no field. */
export function present(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && !isEmpty(value)));
}

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;
