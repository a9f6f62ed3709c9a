import * as assert from 'uvu/assert';
import type { AddressReservationSpec } from '../../crds/address-reservation.ts';
import { ip } from '../../testing/allocation.ts';
import { LATER, poolObject, reservationObject } from '../../testing/config-objects.ts';
import { conditionWords, resolve, verdictWords } from '../../testing/resolved-config.ts';
import { spec } from '../../testing/spec.ts';
import { formatRange } from '../net/range.ts';
import type { ConfigObjects } from './resolve-config.ts';
import type { NamedApplicant } from './service-selection.ts';

const pools = [poolObject('public', ['10.0.0.0/28', 'fd00::/126'])];
const forShop = { for: { namespace: 'shop' } };
const reserve = (more: Partial<AddressReservationSpec>, name = 'r', metadata = {}) =>
  reservationObject(name, { ...forShop, ...more }, metadata);
const words = (objects: Partial<ConfigObjects>) => verdictWords(resolve({ pools, ...objects }));
const said = (type: string, objects: Partial<ConfigObjects>, name = 'r') =>
  conditionWords(resolve({ pools, ...objects }), name, type) ?? '';

spec('a reservation', (test) => {
  test('keeps addresses and a share', () => {
    const [reservation] = resolve({
      pools,
      reservations: [
        reserve({ addresses: ['10.0.0.7', '10.0.0.1 - 10.0.0.2', 'fd00::1/128'], share: { pool: 'public', ipv4: 3 } }),
      ],
    }).reservations;
    assert.equal(reservation?.key, 'herald-system/r');
    assert.equal(reservation?.ranges.map(formatRange), ['10.0.0.1-10.0.0.2', '10.0.0.7/32', 'fd00::1/128']);
    assert.equal(reservation?.share, { pool: 'public', ipv4: 3, ipv6: 0 });
    assert.ok(reservation?.addresses.has(ip('10.0.0.2')));
  });

  test('that is sound reserves', () => {
    assert.equal(words({ reservations: [reserve({ addresses: ['10.0.0.7'] })] })['r'], 'True Reserving');
  });

  const refused: readonly (readonly [name: string, spec: object, says: RegExp])[] = [
    ['an address that is none', { addresses: ['10.0.0'] }, /InvalidSpec: "10.0.0" in spec.addresses is neither/],
    ['nothing', {}, /InvalidSpec: spec has neither addresses nor share/],
    ['a name without namespace', { addresses: ['10.0.0.7'], for: { name: 'web' } }, /InvalidSpec: spec.for.name needs/],
    [
      'a selector that is none',
      {
        addresses: ['10.0.0.7'],
        for: { serviceSelector: { matchExpressions: [{ key: 'a', operator: 'Near', values: [] }] } },
      },
      /InvalidSelector: In spec.for: "Near" for label a is not one of/,
    ],
  ];
  for (const [name, more, says] of refused)
    test(`of ${name} is refused`, () => {
      const config = resolve({ pools, reservations: [reserve(more as Partial<AddressReservationSpec>)] });
      assert.match(conditionWords(config, 'r', 'Stalled') ?? '', says);
      assert.equal(config.reservations, []);
    });

  test('of what an older one keeps is refused, and the older one goes on', () => {
    const config = resolve({
      pools,
      reservations: [
        reserve({ addresses: ['10.0.0.0/30'] }, 'young', LATER),
        reserve({ addresses: ['10.0.0.3', '10.0.0.9'] }, 'old'),
      ],
    });
    assert.equal(verdictWords(config), {
      public: 'True Serving',
      old: 'True Reserving',
      young: 'False OverlapsReservation Stalled',
    });
    assert.match(conditionWords(config, 'young', 'Stalled') ?? '', /10.0.0.0\/30 overlaps .* herald-system\/old/);
    assert.equal(
      config.reservations.map(({ key }) => key),
      ['herald-system/old'],
    );
  });

  test('may overlap itself, and one that is refused is in nobody’s way', () => {
    const reservations = [
      reserve({ addresses: ['10.0.0.0/30', '10.0.0.2'] }, 'r'),
      reserve({ addresses: ['10.0.0.1'] }, 'late', LATER),
      reserve({ addresses: ['10.0.0.9', 'nonsense'] }, 'bad'),
      reserve({ addresses: ['10.0.0.9'] }, 'last', LATER),
    ];
    assert.equal(words({ reservations }), {
      public: 'True Serving',
      r: 'True Reserving',
      late: 'False OverlapsReservation Stalled',
      bad: 'False InvalidSpec Stalled',
      last: 'True Reserving',
    });
  });

  test('of addresses that no pool has waits for one, and is in force', () => {
    const objects = { reservations: [reserve({ addresses: ['10.0.0.14-10.0.0.17'] })] };
    assert.is(words(objects)['r'], 'False AddressNotInPool Reconciling');
    assert.match(said('ResolvedRefs', objects), /No pool has 10.0.0.16\/31\./);
    assert.is(resolve({ pools, ...objects }).reservations.length, 1);
    const excluding = [poolObject('public', ['10.0.0.0/24'], { exclude: ['10.0.0.15'] })];
    assert.match(said('ResolvedRefs', { ...objects, pools: excluding }), /No pool has 10.0.0.15\/32\./);
  });

  test('of a share of a pool that does not exist waits for it', () => {
    const objects = { reservations: [reserve({ share: { pool: 'lab', ipv4: 1 } })] };
    assert.is(words(objects)['r'], 'False PoolNotFound Reconciling');
  });

  test('is warned where shares are larger than the pool', () => {
    const share = (name: string, ipv4: number, ipv6: number) =>
      reserve({ share: { pool: 'public', ipv4, ipv6 } }, name, name === 'r' ? LATER : {});
    const fits = { reservations: [share('a', 8, 2), share('r', 8, 2)] };
    assert.is(said('Conflicting', fits), '');
    const tooLarge = { reservations: [share('a', 8, 3), share('r', 9, 2)] };
    assert.match(said('Conflicting', tooLarge), /Pool public has 16 IPv4 addresses and 4 IPv6 addresses, fewer/);
    assert.is(words(tooLarge)['r'], 'True Reserving');
  });

  test('counts only where Herald reads configuration', () => {
    const elsewhere = reserve({ addresses: ['10.0.0.7'] }, 'r', { namespace: 'shop' });
    assert.is(words({ reservations: [elsewhere] })['r'], 'False NamespaceNotWatched Stalled');
  });
});

spec('whom a reservation is for', (test) => {
  const namespaces = [
    { metadata: { name: 'shop', labels: { team: 'a' } } },
    { metadata: { name: 'lab', labels: { team: 'b' } } },
  ];
  const shopWeb: NamedApplicant = { namespace: 'shop', name: 'web', labels: { tier: 'edge' } };
  const shopApi: NamedApplicant = { namespace: 'shop', name: 'api' };
  const labWeb: NamedApplicant = { namespace: 'lab', name: 'web', labels: { tier: 'edge' } };
  const all = { shopWeb, shopApi, labWeb };
  const edge = { matchLabels: { tier: 'edge' } };
  const teamA = { matchLabels: { team: 'a' } };
  const cases: readonly (readonly [name: string, who: AddressReservationSpec['for'], whom: string[]])[] = [
    ['a namespace', { namespace: 'shop' }, ['shopWeb', 'shopApi']],
    ['one Service', { namespace: 'shop', name: 'web' }, ['shopWeb']],
    ['Services by labels', { serviceSelector: edge }, ['shopWeb', 'labWeb']],
    ['namespaces by labels', { namespaceSelector: teamA }, ['shopWeb', 'shopApi']],
    ['both together', { namespaceSelector: teamA, serviceSelector: edge }, ['shopWeb']],
    ['a namespace whose labels are others', { namespace: 'lab', namespaceSelector: teamA }, []],
    ['labels that no namespace has', { namespaceSelector: { matchLabels: { team: 'c' } } }, []],
  ];
  for (const [name, who, whom] of cases)
    test(`is ${name}`, () => {
      const reservations = [reservationObject('r', { addresses: ['10.0.0.7'], for: who })];
      const [reservation] = resolve({ pools, namespaces, reservations }).reservations;
      assert.equal(
        Object.entries(all).flatMap(([key, applicant]) => (reservation?.isFor(applicant) ? [key] : [])),
        whom,
      );
    });

  test('is part of its content, as the labels of the namespaces are now', () => {
    const reservations = [reservationObject('r', { addresses: ['10.0.0.7'], for: { namespaceSelector: teamA } })];
    const contentWith = (more: ConfigObjects['namespaces']) =>
      resolve({ pools, reservations, namespaces: more }).reservations[0]?.content;
    assert.is(contentWith(namespaces), contentWith([...namespaces].reverse()));
    assert.is.not(contentWith(namespaces), contentWith(namespaces.slice(1)));
  });
});
