/** The steps of a migration, each as data, and as the kubectl line that does the same. */

import { stringify } from 'yaml';
import type { ConvertedObject } from '../convert/converted-object.ts';

/** One operation of RFC 6902. */
export interface PatchOperation {
  readonly op: 'test' | 'replace' | 'remove';
  /** RFC 6901. */
  readonly path: string;
  readonly value?: unknown;
}

/** An object by its kind's plural, for paths and for kubectl. */
export interface ObjectName {
  readonly plural: string;
  readonly version: string;
  readonly namespace: string;
  readonly name: string;
}

export type Step =
  | { readonly do: 'DeleteWebhookConfiguration'; readonly name: string; readonly uid: string }
  | { readonly do: 'StopConversion'; readonly definition: string }
  | { readonly do: 'CreateObject'; readonly object: ConvertedObject }
  | { readonly do: 'DeleteObject'; readonly object: ObjectName; readonly uid: string | undefined }
  | { readonly do: 'ChangeObject'; readonly object: ObjectName; readonly patch: readonly PatchOperation[] }
  | { readonly do: 'RewriteObjects'; readonly plural: string; readonly version: string }
  | {
      readonly do: 'TrimStoredVersions';
      readonly definition: string;
      readonly from: readonly string[];
      readonly to: readonly string[];
    };

/** Only where the webhook still is: a second time it is refused. */
export const STOP_CONVERSION: readonly PatchOperation[] = [
  { op: 'test', path: '/spec/conversion/strategy', value: 'Webhook' },
  { op: 'replace', path: '/spec/conversion', value: { strategy: 'None' } },
];

/** Only while nobody else has changed them. */
export const trimPatch = (from: readonly string[], to: readonly string[]): readonly PatchOperation[] => [
  { op: 'test', path: '/status/storedVersions', value: from },
  { op: 'replace', path: '/status/storedVersions', value: to },
];

/** Why a step is taken, as a sentence without a full stop. */
export function reasonOf(step: Step): string {
  switch (step.do) {
    case 'DeleteWebhookConfiguration':
      return `remove the webhook configuration ${step.name}: nobody answers it, and it refuses every change`;
    case 'StopConversion':
      return `read ${step.definition} without the conversion webhook, which is gone`;
    case 'CreateObject':
      return `create ${step.object.kind} ${step.object.metadata.namespace}/${step.object.metadata.name}, which an AddressPool stands for`;
    case 'DeleteObject':
      return `delete AddressPool ${step.object.namespace}/${step.object.name}: the objects above have taken its place`;
    case 'ChangeObject':
      return `write ${step.object.plural} ${step.object.namespace}/${step.object.name} without fields that mean something else in ${step.object.version}`;
    case 'RewriteObjects':
      return `write every object of ${step.plural} again as it is, so that it is stored as ${step.version}`;
    case 'TrimStoredVersions':
      return `tell the API server that ${step.definition} is stored as ${step.to.join(', ')} alone`;
  }
}

/** The line, or lines, of a shell that do the same. */
export function kubectlOf(step: Step): string {
  switch (step.do) {
    case 'DeleteWebhookConfiguration':
      return `kubectl delete validatingwebhookconfiguration ${step.name}`;
    case 'StopConversion':
      return `kubectl patch crd ${step.definition} --type=json -p ${json(STOP_CONVERSION)}`;
    case 'CreateObject':
      return `kubectl create -f - <<'EOF'\n${stringify(step.object, { lineWidth: 0 })}EOF`;
    case 'DeleteObject':
      return `kubectl -n ${step.object.namespace} delete ${resourceOf(step.object)} ${step.object.name}`;
    case 'ChangeObject':
      return `kubectl -n ${step.object.namespace} patch ${resourceOf(step.object)} ${step.object.name} --type=json -p ${json(step.patch)}`;
    case 'RewriteObjects':
      return `kubectl get ${resourceOf(step)} --all-namespaces -o json | kubectl replace -f -`;
    case 'TrimStoredVersions':
      return `kubectl patch crd ${step.definition} --subresource=status --type=json -p ${json(trimPatch(step.from, step.to))}`;
  }
}

/** `bgppeers.v1beta2.metallb.io`: the version is said, because kubectl would choose one. */
const resourceOf = ({ plural, version }: { readonly plural: string; readonly version: string }): string =>
  `${plural}.${version}.metallb.io`;

const json = (value: unknown): string => `'${JSON.stringify(value)}'`;
