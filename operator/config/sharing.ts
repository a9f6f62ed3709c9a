/** Which Services may have one address together: MetalLB's rule, kept within a namespace unless the pool says otherwise. */

import { canonical } from './canonical.ts';

/** What of a Service decides with whom it may share its addresses. */
export interface SharingTerms {
  /** 'namespace/name' */
  readonly key: string;
  readonly namespace: string;
  /** metallb.io/allow-shared-ip; empty: the Service shares with nobody. */
  readonly sharingKey: string;
  /** Protocol and port as `portsOf` writes them, each once. */
  readonly ports: readonly string[];
  /** As `backendOf` writes it. */
  readonly backend: string;
}

/** Why two Services may not share. */
export type SharingObstacle = 'NoSharingKey' | 'OtherSharingKey' | 'OtherNamespace' | 'OtherBackend' | 'PortInUse';
export interface SharingConflict {
  readonly obstacle: SharingObstacle;
  /** A clause in the words of MetalLB, which people search for; without a full stop. */
  readonly message: string;
}

/** The parts of a Service's spec that are read here. */
export interface SharingSpec {
  readonly externalTrafficPolicy?: string;
  readonly selector?: Readonly<Record<string, string>>;
  readonly ports?: readonly { readonly protocol?: string; readonly port: number }[];
}

/** The ports of a Service as texts like `TCP/443`. */
export const portsOf = ({ ports = [] }: SharingSpec): readonly string[] => [
  ...new Set(ports.map(({ protocol = 'TCP', port }) => `${protocol}/${port}`)),
];

/** With externalTrafficPolicy Local a node attracts traffic for its own endpoints, so all sharers must have the same. */
export const backendOf = ({ externalTrafficPolicy, selector = {} }: SharingSpec): string =>
  externalTrafficPolicy === 'Local' ? canonical(selector) : '';

/** Why `newcomer` may not have an address of the pool that `holder` has; undefined where it may. */
export function sharingConflict(
  newcomer: SharingTerms,
  holder: SharingTerms,
  { sharesAcrossNamespaces = false }: { readonly sharesAcrossNamespaces?: boolean },
): SharingConflict | undefined {
  const conflict = (obstacle: SharingObstacle, message: string): SharingConflict => ({ obstacle, message });
  if (holder.sharingKey === '')
    return conflict('NoSharingKey', `existing service ${holder.key} does not allow sharing`);
  if (newcomer.sharingKey === '') return conflict('NoSharingKey', 'new service does not allow sharing');
  if (newcomer.sharingKey !== holder.sharingKey)
    return conflict(
      'OtherSharingKey',
      `sharing key "${newcomer.sharingKey}" does not match existing sharing key "${holder.sharingKey}" of ${holder.key}`,
    );
  if (newcomer.namespace !== holder.namespace && !sharesAcrossNamespaces)
    return conflict(
      'OtherNamespace',
      `${holder.key} is in another namespace, and the pool does not say shareAcrossNamespaces`,
    );
  if (newcomer.backend !== holder.backend)
    return conflict(
      'OtherBackend',
      `backend key "${newcomer.backend}" does not match existing backend key "${holder.backend}" of ${holder.key}: with externalTrafficPolicy Local the selectors must be equal`,
    );
  // Equal selectors choose different pods in different namespaces.
  if (holder.backend !== '' && newcomer.namespace !== holder.namespace)
    return conflict(
      'OtherBackend',
      `${holder.key} is in another namespace: with externalTrafficPolicy Local the pods must be the same`,
    );
  const port = newcomer.ports.find((one) => holder.ports.includes(one));
  return port === undefined ? undefined : conflict('PortInUse', `port ${port} is already in use by ${holder.key}`);
}
