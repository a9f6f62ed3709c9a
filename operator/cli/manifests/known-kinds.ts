/** Which of our kinds people write, and what to say of an object that Herald does not take. */

import type { KindDefinition } from '../../../crds/definition.ts';
import { kinds } from '../../../crds/kinds.ts';
import { nearest } from '../../settings/nearest.ts';
import { isRecord, type Manifest } from './manifest.ts';

/** What configuration is made of, each with its list in a snapshot; all other kinds of ours are written by Herald alone. */
export const CONFIG_LISTS = {
  IPAddressPool: 'pools',
  L2Advertisement: 'l2Advertisements',
  BGPAdvertisement: 'bgpAdvertisements',
  BGPPeer: 'bgpPeers',
  BFDProfile: 'bfdProfiles',
  Community: 'communities',
  AddressReservation: 'reservations',
  AddressQuota: 'quotas',
} as const;
export type ConfigKind = keyof typeof CONFIG_LISTS;

export const isConfigKind = (kind: string): kind is ConfigKind => Object.hasOwn(CONFIG_LISTS, kind);

const configurationKinds = kinds.filter(({ kind }) => isConfigKind(kind));
const GROUPS = [...new Set(kinds.map(({ group }) => group))];

/** Why an object is not taken, and the field that says so; a warning does not concern Herald. */
export interface KindProblem {
  readonly severity: 'Error' | 'Warning';
  readonly field: 'apiVersion' | 'kind';
  readonly message: string;
}

/** The kind of a manifest, if it is one of configuration; undefined for what is none of Herald's business. */
export function kindOf(manifest: Manifest): KindDefinition | KindProblem | undefined {
  const { apiVersion, kind } = manifest;
  const [group = '', version = ''] = apiVersion.split('/');
  if (kind === 'ConfigMap' && apiVersion === 'v1') return configMapProblem(manifest);
  if (!isOurs(group)) return misspeltGroup(group, kind);
  const definition = configurationKinds.find((one) => one.group === group && one.kind === kind);
  if (!definition) return unknownKind(group, kind);
  if (definition.version === version) return definition;
  return { severity: 'Error', field: 'apiVersion', message: wrongVersion(definition, version) };
}

const isOurs = (group: string): group is KindDefinition['group'] => (GROUPS as readonly string[]).includes(group);

const error = (field: KindProblem['field'], message: string): KindProblem => ({ severity: 'Error', field, message });

function wrongVersion({ group, version, kind, retiredVersions = [] }: KindDefinition, found: string): string {
  const served = `${kind} is served as ${group}/${version}`;
  return retiredVersions.includes(found)
    ? `${group}/${found} is served no more, ${served}: turn the manifest by herald convert`
    : `${group}/${found} does not exist, ${served}`;
}

function unknownKind(group: string, kind: string): KindProblem {
  if (kind === 'AddressPool')
    return error('kind', 'AddressPool is an old kind that is not served: turn the manifest by herald convert');
  if (kinds.some((one) => one.group === group && one.kind === kind))
    return error('kind', `objects of kind ${kind} are written by Herald alone: take it out of the files`);
  const names = configurationKinds.filter((one) => one.group === group).map((one) => one.kind);
  const meant = nearest(kind, names);
  return error('kind', `${group} has no kind ${kind || '(empty)'}${meant ? `: did you mean ${meant}?` : ''}`);
}

/** Another group is nobody's business here, unless its object has a kind of ours and a name that is nearly ours. */
function misspeltGroup(group: string, kind: string): KindProblem | undefined {
  if (!isConfigKind(kind)) return undefined;
  const meant = nearest(group, GROUPS);
  return meant ? error('apiVersion', `there is no group ${group}: did you mean ${meant}?`) : undefined;
}

/** MetalLB before 0.13 was configured by a ConfigMap of this name with this key. */
function configMapProblem({ name, content }: Manifest): KindProblem | undefined {
  const { data } = content;
  const isOfMetallb = name === 'config' && isRecord(data) && typeof data['config'] === 'string';
  if (!isOfMetallb || !/^\s*(address-pools|peers):/m.test(String(data['config']))) return undefined;
  return error('kind', 'it configures MetalLB before 0.13 and is not read: turn it by herald convert');
}
