/** The configuration file of MetalLB 0.12 and older: what stood in its ConfigMap, and in `configInline` of the Helm values. */

import { type Converted, type Destination, isObjectName, objectNameOf, present } from './converted.ts';
import type { Fields } from './fields.ts';
import { peerSpecOf } from './peers.ts';
import { convertPool, noteUnread } from './pools.ts';
import { wordsOfConfigMap } from './words.ts';

/** The keys that tell such a file from everything else. */
const KEYS = ['address-pools', 'peers', 'bgp-communities', 'bfd-profiles', 'peer-autodiscovery'] as const;

export const isConfigFile = (value: Readonly<Record<string, unknown>>): boolean =>
  KEYS.some((key) => Object.hasOwn(value, key));

/** Adds the manifests of a whole configuration file. */
export function convertConfigFile(file: Fields, to: Destination, out: Converted): void {
  for (const pool of file.mappings('address-pools'))
    convertPool(pool, pool.requiredText('name'), to, wordsOfConfigMap, out);
  for (const [at, peer] of file.mappings('peers').entries()) {
    // Peers had no names; these are the ones that MetalLB's own tool gave them.
    const name = out.freeName('BGPPeer', `peer${at + 1}`, to);
    out.add('BGPPeer', name, to, peerSpecOf(peer, wordsOfConfigMap), peer.place);
  }
  for (const profile of file.mappings('bfd-profiles')) convertProfile(profile, to, out);
  convertCommunities(file, to, out);
  if (file.has('peer-autodiscovery'))
    file.note('peer-autodiscovery', 'has no equal: write a BGPPeer for each router; it is left out');
  noteUnread(file);
}

/** Milliseconds, a count of packets, hops. */
function convertProfile(profile: Fields, to: Destination, out: Converted): void {
  const name = profile.requiredText('name');
  const spec = {
    receiveInterval: profile.number('receive-interval') || undefined,
    transmitInterval: profile.number('transmit-interval') || undefined,
    detectMultiplier: profile.number('detect-multiplier') || undefined,
    echoInterval: profile.number('echo-interval') || undefined,
    echoMode: profile.boolean('echo-mode') || undefined,
    passiveMode: profile.boolean('passive-mode') || undefined,
    minimumTtl: profile.number('minimum-ttl') || undefined,
  };
  noteUnread(profile);
  if (name === undefined) return;
  if (!isObjectName(name)) {
    profile.error(
      'name',
      `is ${name}, which Kubernetes takes for no object: call it ${objectNameOf(name)}, here and in the peers`,
    );
    return;
  }
  out.add('BFDProfile', name, to, spec, profile.place);
}

function convertCommunities(file: Fields, to: Destination, out: Converted): void {
  const aliases = Object.entries(file.textByName('bgp-communities') ?? {});
  if (aliases.length === 0) return;
  const communities = aliases.map(([name, value]) => present({ name, value }));
  const name = out.freeName('Community', 'communities', to);
  out.add('Community', name, to, { communities }, file.placeOf('bgp-communities'));
}
