import * as assert from 'uvu/assert';
import type { IpAddressPoolSpec } from '../../crds/ip-address-pool.ts';
import { ip } from '../../testing/allocation.ts';
import { bgpObject, peerObject, poolObject } from '../../testing/config-objects.ts';
import { conditionWords, resolve } from '../../testing/resolved-config.ts';
import { spec } from '../../testing/spec.ts';
import { formatRange } from '../net/range.ts';
import { poolOf } from './pool.ts';
import { hashOf, wantedEntry } from './pool-content.ts';

type More = Partial<Omit<IpAddressPoolSpec, 'addresses'>>;
const pool = (addresses: readonly string[], more: More = {}) =>
  poolOf(wantedEntry(poolObject('a', addresses, more)), []);
const rangesOf = (addresses: readonly string[], exclude: string[]) =>
  pool(addresses, { exclude }).ranges.map(formatRange);

spec('an exclusion', (test) => {
  const cases: { name: string; addresses: string[]; exclude: string[]; leaves: string[] }[] = [
    {
      name: 'in the middle leaves two parts',
      addresses: ['10.0.0.0/29'],
      exclude: ['10.0.0.3'],
      leaves: ['10.0.0.0-10.0.0.2', '10.0.0.4/30'],
    },
    { name: 'at an edge leaves one', addresses: ['10.0.0.0/29'], exclude: ['10.0.0.0/30'], leaves: ['10.0.0.4/30'] },
    {
      name: 'may reach beyond the pool',
      addresses: ['10.0.0.4-10.0.0.9'],
      exclude: ['10.0.0.0-10.0.0.5'],
      leaves: ['10.0.0.6-10.0.0.9'],
    },
    {
      name: 'may overlap another, and takes whole ranges out',
      addresses: ['10.0.1.0/30', '10.0.0.0/29'],
      exclude: ['10.0.0.1-10.0.0.3', '10.0.0.2-10.0.0.6', '10.0.1.0/24'],
      leaves: ['10.0.0.0/32', '10.0.0.7/32'],
    },
    {
      name: 'is of one family',
      addresses: ['10.0.0.0/31', 'fd00::/126'],
      exclude: ['fd00::', 'fd00::3'],
      leaves: ['10.0.0.0/31', 'fd00::1-fd00::2'],
    },
  ];
  for (const { name, addresses, exclude, leaves } of cases)
    test(name, () => assert.equal(rangesOf(addresses, exclude), leaves));

  test('costs nothing in a pool as large as IPv6 has them', () => {
    const { ranges, addresses } = pool(['fd00::/16'], { exclude: ['fd00::1', 'fd00:1::/32'] });
    assert.is(ranges.length, 3);
    assert.equal(
      ['fd00::', 'fd00::1', 'fd00:1::5', 'fd00:2::'].map((text) => addresses.has(ip(text))),
      [true, false, false, true],
    );
  });

  test('of everything is refused, and so is what cannot be read', () => {
    const refusal = (exclude: string[]) =>
      conditionWords(resolve({ pools: [poolObject('a', ['10.0.0.0/30'], { exclude })] }), 'a', 'Stalled');
    assert.match(refusal(['10.0.0.0/24']) ?? '', /InvalidSpec: spec.exclude takes every address/);
    assert.match(refusal(['10.0.0.0/64']) ?? '', /InvalidSpec: "10.0.0.0\/64" in spec.exclude is neither/);
    assert.is(refusal(['10.0.0.1']), undefined);
  });

  test('of addresses that the pool does not have is told, and the pool serves', () => {
    const config = resolve({ pools: [poolObject('a', ['10.0.0.0/30'], { exclude: ['10.0.0.1', '10.9.0.0/16'] })] });
    assert.match(conditionWords(config, 'a', 'Conflicting') ?? '', /ExcludesNothing: spec.exclude has 10.9.0.0\/16,/);
    assert.match(conditionWords(config, 'a', 'Ready') ?? '', /^True Serving/);
  });

  test('gives the addresses to another pool', () => {
    const other = poolObject('b', ['10.0.0.2/32']);
    const both = (more: More) => resolve({ pools: [poolObject('a', ['10.0.0.0/30'], more), other] });
    assert.match(conditionWords(both({ exclude: ['10.0.0.2'] }), 'b', 'Ready') ?? '', /^True/);
    assert.match(conditionWords(both({}), 'b', 'Ready') ?? '', /OverlapsPool/);
  });

  test('leaves the prefixes of the pool as they are', () => {
    const config = resolve({
      pools: [poolObject('a', ['10.0.0.0/24'], { exclude: ['10.0.0.0', '10.0.0.255'] })],
      bgpPeers: [peerObject('p')],
      bgpAdvertisements: [bgpObject('adv', { aggregationLength: 24 })],
    });
    assert.match(conditionWords(config, 'adv', 'Accepted') ?? '', /^True/);
  });
});

spec('the fields beyond those of MetalLB', (test) => {
  test('are carried to the pool in force', () => {
    const {
      isDraining,
      coolDownMs,
      spreadBy,
      sharesAcrossNamespaces,
      detectsDuplicates,
      announcesExternalIPs,
      source,
    } = pool(['10.0.0.0/30'], {
      drain: true,
      coolDown: '1m30s',
      spreadBy: 'leastRecentlyUsed',
      shareAcrossNamespaces: true,
      duplicateAddressDetection: true,
      externalIPs: true,
      source: { http: { url: 'http://ipam' } },
    });
    assert.equal([isDraining, coolDownMs, spreadBy], [true, 90_000, 'leastRecentlyUsed']);
    assert.equal([sharesAcrossNamespaces, detectsDuplicates, announcesExternalIPs], [true, true, true]);
    assert.equal(source, { http: { url: 'http://ipam' } });
  });
  test('say nothing where they are missing or off, so that the hash stays what it was', () => {
    const plain = wantedEntry(poolObject('a', ['10.0.0.0/30']));
    const off = wantedEntry(poolObject('a', ['10.0.0.0/30'], { drain: false, exclude: [], spreadBy: 'none' }));
    assert.equal(off, plain);
    // Stored by a version that did not know the fields.
    assert.is(hashOf({ addresses: ['10.0.0.0/30'], autoAssign: true, avoidBuggyIPs: false }), plain.hash);
    for (const more of [{ drain: true }, { coolDown: '1s' }, { exclude: ['10.0.0.1'] }, { externalIPs: true }])
      assert.is.not(wantedEntry(poolObject('a', ['10.0.0.0/30'], more)).hash, plain.hash);
  });
  test('are those of a pool that drains', () => {
    const config = resolve({ pools: [poolObject('a', ['10.0.0.0/30'], { drain: true })] });
    assert.match(conditionWords(config, 'a', 'Ready') ?? '', /^True Draining/);
  });
  test('are refused where nobody has checked them', () => {
    const config = resolve({ pools: [poolObject('a', ['10.0.0.0/30'], { coolDown: 'soon' })] });
    assert.match(conditionWords(config, 'a', 'Stalled') ?? '', /InvalidSpec: spec.coolDown "soon" is no duration/);
  });
});
