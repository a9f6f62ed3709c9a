/** Turns what older MetalLBs read into the manifests of today: pure, from texts to manifests and remarks. */

import { type FieldPath, isRecord, type Manifest, type ManifestText, readManifests } from '../manifests/manifest.ts';
import { convertConfigFile, isConfigFile } from './config-file.ts';
import { Converted, type ConvertedKind, type Destination } from './converted.ts';
import type { ConvertedObject } from './converted-object.ts';
import { type Content, Fields } from './fields.ts';
import { convertInline, innerContent } from './inline.ts';
import { PASSWORD_IN_CLEAR, peerSpecOf } from './peers.ts';
import { convertPool } from './pools.ts';
import { type Remark, Remarks } from './remarks.ts';
import { wordsOfKinds } from './words.ts';

export interface Conversion {
  readonly objects: readonly ConvertedObject[];
  readonly notes: readonly Remark[];
  /** With any of them the objects are not complete. */
  readonly errors: readonly Remark[];
  /** How many objects are none of MetalLB's configuration. */
  readonly others: number;
}

export interface ConvertOptions {
  /** Where everything belongs, whatever the sources say. */
  readonly namespace?: string | undefined;
}

/** Where MetalLB is, and where Herald looks too. */
const DEFAULT_NAMESPACE = 'metallb-system';
/** What kubectl and the API server add to the annotations and labels of people. */
const NOT_WRITTEN_BY_PEOPLE = /^(kubectl\.kubernetes\.io\/|meta\.helm\.sh\/|app\.kubernetes\.io\/managed-by$)/;
/** Kinds that need nothing, with the version that stays. */
const CURRENT: Readonly<Record<string, ConvertedKind>> = {
  'metallb.io/v1beta1 IPAddressPool': 'IPAddressPool',
  'metallb.io/v1beta1 L2Advertisement': 'L2Advertisement',
  'metallb.io/v1beta1 BGPAdvertisement': 'BGPAdvertisement',
  'metallb.io/v1beta2 BGPPeer': 'BGPPeer',
  'metallb.io/v1beta1 BFDProfile': 'BFDProfile',
  'metallb.io/v1beta1 Community': 'Community',
};

/** A text under that key may belong to anybody. */
const LOOKS_LIKE_CONFIG = /^["']?(address-pools|peers|bgp-communities|bfd-profiles)["']?\s*:/m;

export function convert(texts: readonly ManifestText[], { namespace }: ConvertOptions = {}): Conversion {
  const remarks = new Remarks();
  const out = new Converted(remarks);
  const { manifests, problems } = readManifests(texts);
  for (const { file, line, severity, message } of problems)
    if (severity === 'Error') remarks.error(`${file}:${line}`, message);
    else remarks.note(`${file}:${line}`, message);

  // What keeps its name comes first: what is new finds another one then.
  const inOrder = [...manifests.filter(isCurrent), ...manifests.filter((manifest) => !isCurrent(manifest))];
  const others = inOrder.filter((manifest) => !convertManifest(manifest, namespace, out)).length;
  return { objects: out.objects, notes: remarks.notes, errors: remarks.errors, others };
}

/** Adds what a manifest becomes. @returns whether it is MetalLB's configuration at all */
function convertManifest(manifest: Manifest, namespace: string | undefined, out: Converted): boolean {
  const content: Content = { value: manifest.content, path: [], placeOf: (path) => placeOf(manifest, path) };
  const to = destinationOf(manifest, namespace);
  const kind = currentKindOf(manifest);
  if (kind) return keep(kind, manifest, to, out);
  const whole = new Fields(content, out.remarks);
  if (manifest.apiVersion === 'metallb.io/v1beta1' && manifest.kind === 'BGPPeer') {
    const spec = whole.mapping('spec') ?? new Fields({ ...content, value: {}, path: ['spec'] }, out.remarks);
    out.add('BGPPeer', nameOf(manifest, whole, out), to, peerSpecOf(spec, wordsOfKinds), whole.place);
    return true;
  }
  if (/^metallb\.io\/v1(alpha|beta)1$/.test(manifest.apiVersion) && manifest.kind === 'AddressPool') {
    const spec = whole.mapping('spec') ?? new Fields({ ...content, value: {}, path: ['spec'] }, out.remarks);
    convertPool(spec, nameOf(manifest, whole, out), to, wordsOfKinds, out);
    return true;
  }
  if (manifest.kind === '' && isConfigFile(manifest.content)) {
    convertConfigFile(whole, to, out);
    return true;
  }
  if (manifest.kind === 'ConfigMap' && convertConfigMap(manifest, to, out)) return true;
  // What holds values may live anywhere; they name no namespace.
  return convertInline(content, { namespace: namespace ?? DEFAULT_NAMESPACE }, out);
}

const currentKindOf = ({ apiVersion, kind }: Manifest): ConvertedKind | undefined => CURRENT[`${apiVersion} ${kind}`];
const isCurrent = (manifest: Manifest): boolean => currentKindOf(manifest) !== undefined;

function nameOf(manifest: Manifest, whole: Fields, out: Converted): string {
  if (manifest.name === '') out.remarks.error(whole.place, `${manifest.kind} has no metadata.name`);
  return manifest.name;
}

/** What is of today stays as it is, without what a cluster has added to it. */
function keep(kind: ConvertedKind, manifest: Manifest, to: Destination, out: Converted): true {
  const { spec } = manifest.content;
  if (isRecord(spec) && kind === 'BGPPeer' && spec['password'])
    out.remarks.note(placeOf(manifest, ['spec', 'password']), `spec.password ${PASSWORD_IN_CLEAR}`);
  out.add(kind, manifest.name, to, isRecord(spec) ? spec : {}, placeOf(manifest, []));
  return true;
}

/** MetalLB read the key `config` of its ConfigMap. */
function convertConfigMap(manifest: Manifest, to: Destination, out: Converted): boolean {
  const { data } = manifest.content;
  const text = isRecord(data) ? data['config'] : undefined;
  if (typeof text !== 'string' || !LOOKS_LIKE_CONFIG.test(text)) return false;
  const inner = innerContent(text, ['data', 'config'], (path) => placeOf(manifest, path), out.remarks);
  if (!inner) return true;
  if (!isRecord(inner.value) || !isConfigFile(inner.value)) return false;
  convertConfigFile(new Fields(inner, out.remarks), { namespace: to.namespace }, out);
  return true;
}

function destinationOf(manifest: Manifest, namespace: string | undefined): Destination {
  const { metadata } = manifest.content;
  const { labels, annotations } = isRecord(metadata) ? metadata : {};
  return {
    namespace: namespace ?? manifest.namespace ?? DEFAULT_NAMESPACE,
    ...kept('labels', labels),
    ...kept('annotations', annotations),
  };
}

function kept(key: 'labels' | 'annotations', values: unknown): Partial<Destination> {
  if (!isRecord(values)) return {};
  const written = Object.entries(values).filter(([name]) => !NOT_WRITTEN_BY_PEOPLE.test(name));
  return written.length > 0 ? { [key]: Object.fromEntries(written) as Record<string, string> } : {};
}

function placeOf(manifest: Manifest, path: FieldPath): string {
  const { file, line } = manifest.placeOf(path);
  return `${file}:${line}`;
}
