/**
 * Objects that a rule of a definition refuses, with the sentence that a person reads; and objects at its very edge.
 * What a single field takes and refuses by its schema stands in crds/samples.
 */

export interface Case {
  /** Completes "refuses ..." or "accepts ...". */
  readonly name: string;
  readonly kind: 'IPAddressPool' | 'BGPPeer' | 'BGPAdvertisement' | 'AddressReservation' | 'AddressQuota';
  readonly spec: object;
}
export interface Refusal extends Case {
  /** What the API server says, in part. */
  readonly says: string;
}

const peer = { myASN: 64_512, peerASN: 64_513, peerAddress: '192.0.2.1' };
const pool = (...addresses: readonly string[]) => ({ kind: 'IPAddressPool', spec: { addresses } }) as const;
const bgpPeer = (spec: object) => ({ kind: 'BGPPeer', spec: { ...peer, ...spec } }) as const;
const advertisement = (spec: object) => ({ kind: 'BGPAdvertisement', spec }) as const;
const extended = (spec: object) => ({ kind: 'IPAddressPool', spec: { addresses: ['192.0.2.0/24'], ...spec } }) as const;
const reservation = (spec: object) => ({ kind: 'AddressReservation', spec }) as const;
const quota = (spec: object) => ({ kind: 'AddressQuota', spec }) as const;
const forShop = { for: { namespace: 'shop' } };
const selector = [{ matchLabels: { a: 'b' } }];

const list = (length: number) => Array.from({ length }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
const entry = (length: number) => '192.0.2.0/24'.padEnd(length);

const CIDR = 'must be a CIDR like 192.0.2.0/24 or a range like 192.0.2.10-192.0.2.20';
const ENDS = 'must have an IP address at both ends of the range, as in 192.0.2.10-192.0.2.20';
const WHOLE_SECONDS = 'connectTime must be a whole number of seconds from 1s to 65535s';
const WITHOUT_HOLD = 'without holdTime the hold time is three times keepaliveTime, and must be 0s or at least 3s';

/** Every rule at least once. */
export const refused: readonly Refusal[] = [
  {
    name: 'more than 1,024 entries',
    ...pool(...list(1025)),
    says: 'spec.addresses: Too many: 1025: must have at most 1024 items',
  },
  {
    name: 'an entry of more than 128 characters',
    ...pool(entry(129)),
    says: 'spec.addresses[0]: Too long: may not be more than 128 bytes',
  },
  { name: 'a word', ...pool('my-network'), says: `address entry "my-network" ${ENDS}` },
  { name: 'an address alone', ...pool('192.0.2.1'), says: `address entry "192.0.2.1" ${CIDR}` },
  { name: 'an empty entry', ...pool(''), says: `address entry "" ${CIDR}` },
  { name: 'a prefix that is too long for IPv4', ...pool('192.0.2.0/33'), says: `address entry "192.0.2.0/33" ${CIDR}` },
  {
    name: 'a prefix that is too long for IPv6',
    ...pool('2001:db8::/129'),
    says: `address entry "2001:db8::/129" ${CIDR}`,
  },
  { name: 'a prefix of negative length', ...pool('192.0.2.0/-1'), says: `address entry "192.0.2.0/-1" ${ENDS}` },
  { name: 'a netmask', ...pool('192.0.2.0/255.255.255.0'), says: CIDR },
  { name: 'two slashes', ...pool('192.0.2.0/24/24'), says: CIDR },
  { name: 'an octet above 255', ...pool('192.0.2.256/32'), says: CIDR },
  { name: 'an octet with a leading zero', ...pool('192.0.2.01/32'), says: CIDR },
  { name: 'a zone', ...pool('fe80::1%eth0/64'), says: CIDR },
  { name: 'a range with an end that is no address', ...pool('192.0.2.10-192.0.2.300'), says: ENDS },
  { name: 'a range in short form', ...pool('192.0.2.10-20'), says: ENDS },
  { name: 'a range of three', ...pool('192.0.2.1-192.0.2.2-192.0.2.3'), says: ENDS },
  { name: 'a range of prefixes', ...pool('192.0.2.0/25-192.0.2.128/25'), says: ENDS },
  { name: 'two ranges in one entry', ...pool('192.0.2.1-192.0.2.2,192.0.2.8-192.0.2.9'), says: ENDS },
  {
    name: 'a range across families',
    ...pool('192.0.2.1-2001:db8::1'),
    says: 'address entry "192.0.2.1-2001:db8::1" must not mix IPv4 and IPv6 in one range',
  },
  {
    name: 'a range that descends in its last octet',
    ...pool('192.0.2.20-192.0.2.10'),
    says: 'must ascend: the first address of a range must not be above its last',
  },
  { name: 'a range that descends in its first octet', ...pool('11.0.0.0-10.255.255.255'), says: 'must ascend' },
  {
    name: 'only the entry at fault, by its place',
    ...pool('192.0.2.0/24', 'x', '198.51.100.0/24'),
    says: 'spec.addresses[1]',
  },

  {
    name: 'selected Services beside an aggregated IPv4 prefix',
    ...advertisement({ serviceSelectors: selector, aggregationLength: 24 }),
    says: 'serviceSelectors need aggregationLength 32 and aggregationLengthV6 128',
  },
  {
    name: 'selected Services beside an aggregated IPv6 prefix',
    ...advertisement({ serviceSelectors: selector, aggregationLengthV6: 64 }),
    says: 'serviceSelectors need',
  },

  {
    name: 'neither peerASN nor dynamicASN',
    kind: 'BGPPeer',
    spec: { myASN: 1, peerAddress: '192.0.2.1' },
    says: 'give either peerASN or dynamicASN, and not both',
  },
  {
    name: 'both peerASN and dynamicASN',
    ...bgpPeer({ dynamicASN: 'external' }),
    says: 'give either peerASN or dynamicASN, and not both',
  },
  {
    name: 'neither peerAddress nor interface',
    kind: 'BGPPeer',
    spec: { myASN: 1, peerASN: 2 },
    says: 'give either peerAddress or interface, and not both',
  },
  {
    name: 'both peerAddress and interface',
    ...bgpPeer({ interface: 'eth0' }),
    says: 'give either peerAddress or interface, and not both',
  },
  {
    name: 'a peerAddress that is none',
    ...bgpPeer({ peerAddress: 'router.example.org' }),
    says: 'peerAddress must be an IP address',
  },
  {
    name: 'a sourceAddress that is none',
    ...bgpPeer({ sourceAddress: '192.0.2.0/24' }),
    says: 'sourceAddress must be an IP address',
  },
  { name: 'a routerID that is none', ...bgpPeer({ routerID: '1' }), says: 'routerID must be an IP address' },
  {
    name: 'both password and passwordSecret',
    ...bgpPeer({ password: 'p', passwordSecret: { name: 's' } }),
    says: 'give either password or passwordSecret, not both',
  },
  {
    name: 'multihop to a peer of our own AS',
    ...bgpPeer({ peerASN: 64_512, ebgpMultiHop: true }),
    says: 'ebgpMultiHop is for peers of another AS: peerASN equals myASN',
  },
  {
    name: 'a hold time without unit',
    ...bgpPeer({ holdTime: '90' }),
    says: 'holdTime must be a duration like 90s or 1m30s',
  },
  {
    name: 'an empty keepalive time',
    ...bgpPeer({ keepaliveTime: '' }),
    says: 'keepaliveTime must be a duration like 90s or 1m30s',
  },
  {
    name: 'a connect time in words',
    ...bgpPeer({ connectTime: 'soon' }),
    says: 'connectTime must be a duration like 90s or 1m30s',
  },
  { name: 'a hold time of 2 s', ...bgpPeer({ holdTime: '2s' }), says: 'holdTime must be 0s or at least 3s' },
  { name: 'a negative hold time', ...bgpPeer({ holdTime: '-90s' }), says: 'holdTime must be 0s or at least 3s' },
  {
    name: 'a keepalive time above the hold time',
    ...bgpPeer({ holdTime: '30s', keepaliveTime: '31s' }),
    says: 'keepaliveTime must not be longer than holdTime',
  },
  {
    name: 'a keepalive time that makes too short a hold time',
    ...bgpPeer({ keepaliveTime: '900ms' }),
    says: WITHOUT_HOLD,
  },
  { name: 'a connect time of 0', ...bgpPeer({ connectTime: '0s' }), says: WHOLE_SECONDS },
  { name: 'a connect time above 65535 s', ...bgpPeer({ connectTime: '65536s' }), says: WHOLE_SECONDS },
  { name: 'a connect time with a fraction', ...bgpPeer({ connectTime: '1500ms' }), says: WHOLE_SECONDS },
  {
    name: 'an exclusion that is none',
    ...extended({ exclude: ['192.0.2'] }),
    says: 'address entry "192.0.2" must be an address, a CIDR like 192.0.2.0/24 or a range like 192.0.2.10-192.0.2.20',
  },
  { name: 'a negative cool-down', ...extended({ coolDown: '-1s' }), says: 'coolDown must be from 0s to 24h' },
  { name: 'a cool-down in words', ...extended({ coolDown: 'long' }), says: 'coolDown must be a duration like 90s' },
  { name: 'a source of no kind', ...extended({ source: {} }), says: 'source must say which kind it is: http' },
  {
    name: 'a source with a password in its address',
    ...extended({ source: { http: { url: 'https://me:secret@ipam' } } }),
    says: 'url must be like https://ipam.example.com/v1, without user, password, query and fragment',
  },
  {
    name: 'a source that may take for ever',
    ...extended({ source: { http: { url: 'https://ipam', timeout: '2m' } } }),
    says: 'timeout must be from 100ms to 60s',
  },
  {
    name: 'a reservation of nothing',
    ...reservation(forShop),
    says: 'spec must have addresses, share or both',
  },
  {
    name: 'a share without a number',
    ...reservation({ share: { pool: 'public' }, ...forShop }),
    says: 'share must say how many addresses: ipv4, ipv6 or both',
  },
  {
    name: 'a reservation for nobody',
    ...reservation({ addresses: ['192.0.2.1'], for: {} }),
    says: 'for must say whose Services: namespace, namespaceSelector or serviceSelector',
  },
  {
    name: 'a reservation for a name alone',
    ...reservation({ addresses: ['192.0.2.1'], for: { name: 'web', serviceSelector: {} } }),
    says: 'for.name needs for.namespace beside it',
  },
  {
    name: 'a limit without a number',
    ...quota({ limits: [{ pool: 'public' }] }),
    says: 'a limit must say how many addresses: ipv4, ipv6 or both',
  },
];

const longest = (text: string) => text.padEnd(128);
const ipv6Range = (i: number) => {
  const prefix = `2001:0db8:1111:2222:3333:4444:${i.toString(16).padStart(4, '0')}`;
  return longest(`${prefix}:0000  -  ${prefix}:ffff`);
};

/** What lies just inside the bounds, and what costs the API server most. */
export const accepted: readonly Case[] = [
  { name: '1,024 entries', ...pool(...list(1024)) },
  {
    name: '1,024 IPv4 ranges of 128 characters',
    ...pool(...list(1024).map((cidr) => longest(`${cidr.slice(0, -4)}1  -  ${cidr.slice(0, -4)}254`))),
  },
  { name: '1,024 IPv6 ranges of 128 characters', ...pool(...Array.from({ length: 1024 }, (_, i) => ipv6Range(i))) },
  { name: 'an IPv6 range that descends, which is for the operator to judge', ...pool('2001:db8::9-2001:db8::1') },
  { name: 'a hold time of 3 s with the same keepalive time', ...bgpPeer({ holdTime: '3s', keepaliveTime: '3s' }) },
  { name: 'a hold time whose whole seconds are 0', ...bgpPeer({ holdTime: '900ms' }) },
  { name: 'a connect time of 65535 s', ...bgpPeer({ connectTime: '18h12m15s' }) },
  { name: 'a password of 128 characters', ...bgpPeer({ password: 'p'.repeat(128) }) },
  { name: '256 exclusions of 128 characters', ...extended({ exclude: list(256).map(longest) }) },
  { name: '256 reserved entries of 128 characters', ...reservation({ addresses: list(256).map(longest), ...forShop }) },
  { name: 'a limit of none', ...quota({ limits: [{ ipv4: 0 }] }) },
];
