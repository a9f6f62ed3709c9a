import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { PoolSetEntry } from '../../crds/pool-set.ts';
import { spec } from '../../testing/spec.ts';
import { type Pool, poolOf } from '../config/pool.ts';
import { sharingConflict } from '../config/sharing.ts';
import { formatIp, type IpAddress, parseIp } from '../net/address.ts';
import {
  decideExternalIps,
  type ExternalIpClaim,
  type ExternalIpDecision,
  type ExternalIpSurroundings,
  grantsByService,
} from './external-ips.ts';

const ip = (text: string): IpAddress => parseIp(text) as IpAddress;
const claim = (name: string, more: Partial<Omit<ExternalIpClaim, 'addresses'>> = {}, ...addresses: string[]) => ({
  key: `${more.namespace ?? 'edge'}/${name}`,
  namespace: 'edge',
  sharingKey: '',
  ports: ['TCP/443'],
  backend: '',
  createdAt: '2026-01-01T00:00:00Z',
  addresses: (addresses.length > 0 ? addresses : ['192.0.2.5']).map(ip),
  ...more,
});
const pool = (more: Partial<PoolSetEntry> = {}): Pool =>
  poolOf(
    {
      namespace: 'herald-system',
      name: 'public',
      generation: 1,
      hash: 'h',
      addresses: ['192.0.2.0/24', '2001:db8::/120'],
      autoAssign: true,
      avoidBuggyIPs: false,
      externalIPs: true,
      serviceAllocation: { namespaces: ['edge', 'shop'] },
      ...more,
    },
    [{ metadata: { name: 'edge', labels: { team: 'net' } } }, { metadata: { name: 'lab' } }],
  );
const around = (more: Partial<ExternalIpSurroundings> = {}): ExternalIpSurroundings => ({
  pools: [pool()],
  before: [],
  clusterUseOf: () => undefined,
  holdersOf: () => [],
  keptFor: () => undefined,
  ...more,
});
const heldBy =
  (...keys: string[]) =>
  (address: IpAddress): readonly string[] =>
    formatIp(address) === '192.0.2.5' ? keys : [];

/** 'edge/web 192.0.2.5' for what is granted, 'edge/web NamespaceNotSelected' for what is refused. */
const inWords = ({ grants, verdicts }: ExternalIpDecision): string[] => [
  ...grants.map(({ service, address }) => `${service} ${address}`),
  ...[...verdicts].flatMap(([key, { status, reason }]) => (status === 'False' ? [`${key} ${reason}`] : [])),
];

interface Case {
  readonly name: string;
  readonly claims?: readonly ExternalIpClaim[];
  readonly given?: Partial<ExternalIpSurroundings>;
  readonly gives: readonly string[];
}
const dns = { sharingKey: 'dns' };

const cases: readonly Case[] = [
  { name: 'an address of a pool that says so and names the namespace', gives: ['edge/web 192.0.2.5'] },
  {
    name: 'both families, as they were asked for',
    claims: [claim('web', {}, '2001:db8::5', '192.0.2.5')],
    gives: ['edge/web 192.0.2.5', 'edge/web 2001:db8::5'],
  },
  {
    name: 'not of a pool that does not say so',
    given: { pools: [pool({ externalIPs: false })] },
    gives: ['edge/web PoolWithoutExternalIPs'],
  },
  {
    name: 'not of a pool that was deleted',
    given: { pools: [pool({ deleted: true })] },
    gives: ['edge/web PoolWithoutExternalIPs'],
  },
  {
    name: 'not of a pool whose addresses an external source gives',
    given: { pools: [pool({ source: { http: { url: 'https://ipam.example.com' } } })] },
    gives: ['edge/web PoolWithoutExternalIPs'],
  },
  {
    name: 'not of a pool for everybody',
    given: { pools: [poolOf({ ...entryOf(), serviceAllocation: undefined }, [])] },
    gives: ['edge/web NamespaceNotSelected'],
  },
  {
    name: 'not of a pool that ranks itself and selects Services, whoever they belong to',
    given: { pools: [pool({ serviceAllocation: { priority: 1, serviceSelectors: [{}] } })] },
    gives: ['edge/web NamespaceNotSelected'],
  },
  {
    name: 'of a pool that selects the namespace by its labels',
    given: { pools: [pool({ serviceAllocation: { namespaceSelectors: [{ matchLabels: { team: 'net' } }] } })] },
    gives: ['edge/web 192.0.2.5'],
  },
  {
    name: 'not for another namespace',
    claims: [claim('web', { namespace: 'lab' })],
    gives: ['lab/web NamespaceNotSelected'],
  },
  {
    name: 'not for a Service whose labels the pool does not select',
    given: {
      pools: [pool({ serviceAllocation: { namespaces: ['edge'], serviceSelectors: [{ matchLabels: { a: 'b' } }] } })],
    },
    gives: ['edge/web ServiceNotSelected'],
  },
  { name: 'nothing to say of an address in no pool', claims: [claim('web', {}, '198.51.100.1')], gives: [] },
  {
    name: 'not what is excluded from the pool: that is in no pool',
    given: { pools: [pool({ exclude: ['192.0.2.5'] })] },
    gives: [],
  },
  {
    name: 'not an address of the cluster',
    given: { clusterUseOf: () => 'is the address of node node-a' },
    gives: ['edge/web ClusterAddress'],
  },
  {
    name: 'not what another Service holds',
    given: { holdersOf: heldBy('shop/web') },
    gives: ['edge/web AddressInUse'],
  },
  {
    name: 'not what others share, with its own key',
    claims: [claim('web', dns)],
    given: { holdersOf: heldBy('edge/a', 'edge/b') },
    gives: ['edge/web AddressInUse'],
  },
  { name: 'nothing to say of what the Service holds itself', given: { holdersOf: heldBy('edge/web') }, gives: [] },
  { name: 'not what is reserved for others', given: { keptFor: () => 'team-a' }, gives: ['edge/web AddressReserved'] },
  {
    name: 'to the oldest of two',
    claims: [claim('a', { createdAt: '2026-02-01T00:00:00Z' }), claim('b')],
    gives: ['edge/b 192.0.2.5', 'edge/a AddressInUse'],
  },
  {
    name: 'to who has it, rather than to an older one that asks for it later',
    claims: [claim('a', { createdAt: '2026-02-01T00:00:00Z' }), claim('b')],
    given: { before: [{ address: '192.0.2.5', service: 'edge/a' }] },
    gives: ['edge/a 192.0.2.5', 'edge/b AddressInUse'],
  },
  {
    name: 'to two that share, with different ports',
    claims: [claim('a', dns), claim('b', { ...dns, ports: ['UDP/443'] }), claim('c', { ...dns, ports: ['UDP/443'] })],
    gives: ['edge/a 192.0.2.5', 'edge/b 192.0.2.5', 'edge/c AddressInUse'],
  },
  {
    name: 'not across namespaces by a key alone',
    claims: [claim('a', dns), claim('b', { ...dns, namespace: 'shop', ports: ['UDP/443'] })],
    gives: ['edge/a 192.0.2.5', 'shop/b AddressInUse'],
  },
  {
    name: 'nothing new of a pool that is drained, and what it gave stays',
    claims: [claim('a'), claim('b', {}, '192.0.2.6')],
    given: { pools: [pool({ drain: true })], before: [{ address: '192.0.2.5', service: 'edge/a' }] },
    gives: ['edge/a 192.0.2.5', 'edge/b PoolDraining'],
  },
  {
    name: 'what may be announced, beside what may not',
    claims: [claim('web', {}, '192.0.2.5', '192.0.2.6')],
    given: { holdersOf: heldBy('shop/web') },
    gives: ['edge/web 192.0.2.6', 'edge/web AddressInUse'],
  },
];

function entryOf(): PoolSetEntry {
  const basics = { namespace: 'herald-system', name: 'public', generation: 1, hash: 'h' };
  return { ...basics, addresses: ['192.0.2.0/24'], autoAssign: true, avoidBuggyIPs: false, externalIPs: true };
}

spec('external IPs', (test) => {
  for (const { name, claims = [claim('web')], given, gives } of cases)
    test(`announces ${name}`, () => assert.equal(inWords(decideExternalIps(claims, around(given))), gives));

  test('says why in a sentence, and what may be announced nevertheless', () => {
    const two = [claim('web', {}, '192.0.2.5', '192.0.2.6')];
    const { verdicts } = decideExternalIps(two, around({ holdersOf: heldBy('shop/web') }));
    assert.is(verdicts.get('edge/web')?.message, '192.0.2.5 is held by shop/web. 192.0.2.6 may be announced.');
    const all = decideExternalIps([claim('web')], around()).verdicts.get('edge/web');
    assert.equal(all, { status: 'True', reason: 'Accepted', message: '192.0.2.5 may be announced.' });
    const foreign = decideExternalIps([claim('web', { namespace: 'lab' })], around()).verdicts.get('lab/web');
    assert.match(
      foreign?.message ?? '',
      /^192\.0\.2\.5: serviceAllocation of pool public does not select namespace lab/,
    );
  });
  test('are told by Service', () => {
    const grants = [
      { address: '192.0.2.5', service: 'edge/a' },
      { address: '192.0.2.6', service: 'edge/a' },
    ];
    assert.equal([...grantsByService(grants)], [['edge/a', ['192.0.2.5', '192.0.2.6']]]);
  });
});

const someClaim = fc
  .record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    namespace: fc.constantFrom('edge', 'shop', 'lab'),
    sharingKey: fc.constantFrom('', 'k'),
    ports: fc.constantFrom(['TCP/53'], ['UDP/53'], ['TCP/53', 'UDP/53']),
    createdAt: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'),
    addresses: fc.uniqueArray(fc.constantFrom('192.0.2.1', '192.0.2.2', '198.51.100.1'), { minLength: 1 }),
  })
  .map(({ name, addresses, ...more }): ExternalIpClaim => claim(name, more, ...addresses));
const someClaims = fc.uniqueArray(someClaim, { selector: ({ key }) => key, maxLength: 6 });
const someHolders = fc.constantFrom<ExternalIpSurroundings['holdersOf']>(
  () => [],
  (address) => (formatIp(address) === '192.0.2.1' ? ['shop/holder'] : []),
);

spec('external IP properties', (test) => {
  test('nobody gets what another Service holds, or shares by no right, or is selected for by nobody', () => {
    fc.assert(
      fc.property(someClaims, someHolders, (claims, holdersOf) => {
        const { grants } = decideExternalIps(claims, around({ holdersOf }));
        const byKey = new Map(claims.map((one) => [one.key, one]));
        for (const { address, service } of grants) {
          const one = byKey.get(service) as ExternalIpClaim;
          assert.equal(holdersOf(ip(address)), []);
          assert.is.not(one.namespace, 'lab');
          for (const other of grants.filter((grant) => grant.address === address && grant.service !== service))
            assert.is(sharingConflict(one, byKey.get(other.service) as ExternalIpClaim, {}), undefined);
        }
      }),
      { numRuns: 1000 },
    );
  });
  test('does not depend on the order of claims, and deciding again changes nothing', () => {
    fc.assert(
      fc.property(someClaims, someHolders, (claims, holdersOf) => {
        const first = decideExternalIps(claims, around({ holdersOf }));
        const back = decideExternalIps(claims.toReversed(), around({ holdersOf }));
        assert.equal(first.grants, back.grants);
        const again = decideExternalIps(claims, around({ holdersOf, before: first.grants }));
        assert.equal(again.grants, first.grants);
        assert.equal([...again.verdicts].sort(), [...first.verdicts].sort());
      }),
      { numRuns: 1000 },
    );
  });
  test('takes nothing away that is still permitted, whoever comes', () => {
    fc.assert(
      fc.property(someClaims, someClaims, (claims, newcomers) => {
        const before = decideExternalIps(claims, around()).grants;
        const keys = new Set(claims.map(({ key }) => key));
        const all = [...claims, ...newcomers.filter(({ key }) => !keys.has(key))];
        const after = decideExternalIps(all, around({ before })).grants;
        for (const { address, service } of before)
          assert.ok(after.some((one) => one.address === address && one.service === service));
      }),
      { numRuns: 1000 },
    );
  });
});
