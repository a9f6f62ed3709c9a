/** A pool of MetalLB 0.12 and older, which says in one object what are three today: addresses, and how they are made known. */

import { type Converted, type Destination, isObjectName, objectNameOf, present } from './converted.ts';
import type { Fields } from './fields.ts';
import type { Words } from './words.ts';

/** The fields of a BGP advertisement besides the pool that it is for. */
type Advertisement = Readonly<Record<string, unknown>>;

const MAX_PREFIX = { v4: 32, v6: 128 } as const;

/** Reads a pool, and adds an IPAddressPool and its L2Advertisement or BGPAdvertisements. */
export function convertPool(
  pool: Fields,
  givenName: string | undefined,
  to: Destination,
  words: Words,
  out: Converted,
) {
  const protocol = protocolOf(pool);
  const addresses = pool.texts('addresses');
  if (!addresses?.length && !pool.has('addresses'))
    pool.error('addresses', 'is missing: a pool has at least one range');
  const spec = {
    addresses: addresses?.map((entry) => entry.trim()),
    autoAssign: pool.boolean(words.autoAssign) === false ? false : undefined,
    avoidBuggyIPs: pool.boolean(words.avoidBuggyIPs) || undefined,
  };
  const advertisements = pool.mappings(words.bgpAdvertisements).map((one) => advertisementOf(one, words));
  noteUnread(pool);
  if (givenName === undefined || protocol === undefined) return;

  const name = poolNameOf(givenName, pool, out);
  out.add('IPAddressPool', name, to, spec, pool.place);
  const bare = { namespace: to.namespace };
  if (protocol === 'layer2') {
    if (advertisements.length > 0) pool.note(words.bgpAdvertisements, 'is for protocol bgp alone, and is left out');
    const l2Name = out.freeName('L2Advertisement', name, bare);
    out.add('L2Advertisement', l2Name, bare, { ipAddressPools: [name] }, pool.place);
    return;
  }
  // A pool without advertisements is advertised with what MetalLB sets where nothing is said.
  for (const advertisement of advertisements.length > 0 ? advertisements : [{}]) {
    const bgpName = out.freeName('BGPAdvertisement', name, bare);
    out.add('BGPAdvertisement', bgpName, bare, { ipAddressPools: [name], ...advertisement }, pool.place);
  }
}

function protocolOf(pool: Fields): 'layer2' | 'bgp' | undefined {
  const protocol = pool.requiredText('protocol');
  if (protocol === 'layer2' || protocol === 'bgp' || protocol === undefined) return protocol;
  return pool.error('protocol', `must be layer2 or bgp, not ${protocol}`);
}

function advertisementOf(fields: Fields, words: Words): Advertisement {
  const advertisement = present({
    aggregationLength: fields.number(words.aggregationLength, MAX_PREFIX.v4),
    aggregationLengthV6: fields.number(words.aggregationLengthV6, MAX_PREFIX.v6),
    localPref: fields.number(words.localPref) || undefined,
    communities: fields.texts('communities'),
  });
  noteUnread(fields);
  return advertisement;
}

/** In the ConfigMap a pool may be called anything; as an object it needs a name that Kubernetes takes. */
function poolNameOf(name: string, pool: Fields, out: Converted): string {
  if (isObjectName(name)) return name;
  const valid = objectNameOf(name);
  out.remarks.note(
    pool.placeOf('name'),
    `pool ${name} becomes ${valid}, because Kubernetes takes no such name: Services that ask for it by the annotation metallb.io/address-pool or metallb.universe.tf/address-pool must be changed`,
  );
  return valid;
}

/** A field that MetalLB did not know either had no effect. */
export function noteUnread(fields: Fields): void {
  for (const key of fields.unread())
    fields.note(key, 'is no field that MetalLB has: it had no effect, and is left out');
}
