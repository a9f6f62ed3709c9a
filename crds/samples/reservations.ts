/** What each field of AddressReservation, AddressQuota and AddressProbe takes and refuses. */
import { addressProbeKind } from '../address-probe.ts';
import { addressQuotaKind, MAX_USED } from '../address-quota.ts';
import { addressReservationKind } from '../address-reservation.ts';
import { aSelector, aStatus, commonStatusRows, selector } from './common.ts';
import { ABSENT, type FieldSamples, field, type KindSamples, requiredText, text } from './field.ts';
import { addressOrRange, requiredName } from './pool-extensions.ts';

const optionalName = (path: string, beside = {}): FieldSamples =>
  field(path, ['shop', ABSENT], ['', 'x'.repeat(254), 7], beside);
const optionalCount = (path: string): FieldSamples => field(path, [0, 5, ABSENT], ['many', 1.5]);
const someSelector = (path: string): FieldSamples[] => [
  field(path, [{}, { matchLabels: { a: 'b' } }, ABSENT], ['a=b']),
  ...selector(path),
];

const share = { pool: 'public', ipv4: 2, ipv6: 1 };

export const addressReservationSamples: KindSamples = {
  kind: addressReservationKind,
  base: {
    spec: {
      addresses: ['192.0.2.1'],
      share,
      for: { namespace: 'shop', name: 'web', namespaceSelector: aSelector, serviceSelector: aSelector },
    },
    status: { ...aStatus, held: 1, heldByOthers: 0 },
  },
  fields: [
    field('spec', [{ share, for: { namespace: 'shop' } }], [{ for: { namespace: 'shop' } }, 'shop', ABSENT]),
    field('spec.addresses', [['192.0.2.1'], ABSENT], [[], '192.0.2.1', Array(257).fill('192.0.2.1')]),
    addressOrRange('spec.addresses[]'),
    field('spec.share', [{ pool: 'public', ipv6: 1 }, ABSENT], [{ pool: 'public' }, 2]),
    requiredName('spec.share.pool'),
    field('spec.share.ipv4', [1, 100, ABSENT], [0, -1, '2', 1.5]),
    field('spec.share.ipv6', [1, 100, ABSENT], [0, -1, '2', 1.5]),
    field('spec.for', [{ namespace: 'shop' }, { serviceSelector: {} }], [{}, { name: 'web' }, 'shop', ABSENT]),
    optionalName('spec.for.namespace', { 'spec.for.name': ABSENT }),
    optionalName('spec.for.name'),
    ...someSelector('spec.for.namespaceSelector'),
    ...someSelector('spec.for.serviceSelector'),
    ...commonStatusRows(),
    optionalCount('status.held'),
    optionalCount('status.heldByOthers'),
  ],
};

const limit = { pool: 'public', ipv4: 5, ipv6: 5 };
const used = { namespace: 'shop', pool: 'public', ipv4: 1, ipv6: 1 };

export const addressQuotaSamples: KindSamples = {
  kind: addressQuotaKind,
  base: {
    spec: { for: { namespaces: ['shop'], namespaceSelector: aSelector, serviceSelector: aSelector }, limits: [limit] },
    status: { ...aStatus, used: [used], full: 0 },
  },
  fields: [
    field('spec', [{ limits: [limit] }], [5, ABSENT]),
    field('spec.for', [{}, ABSENT], ['shop']),
    field('spec.for.namespaces', [[], ['shop'], ABSENT], ['shop']),
    field('spec.for.namespaces[]', ['shop'], ['', 'x'.repeat(254), 7]),
    ...someSelector('spec.for.namespaceSelector'),
    ...someSelector('spec.for.serviceSelector'),
    field('spec.per', ['Namespace', 'Selection', ABSENT], ['namespace', 'Service', '', 1]),
    field('spec.limits', [[limit, { ipv4: 9 }]], [[], limit, Array(65).fill(limit), ABSENT]),
    field('spec.limits[]', [{ ipv4: 0 }], [{ pool: 'public' }, {}, 5]),
    optionalName('spec.limits[].pool'),
    field('spec.limits[].ipv4', [0, 100, ABSENT], [-1, '2', 1.5]),
    field('spec.limits[].ipv6', [0, 100, ABSENT], [-1, '2', 1.5]),
    ...commonStatusRows(),
    field('status.used', [[], Array(MAX_USED).fill(used), ABSENT], [Array(MAX_USED + 1).fill(used), used]),
    field('status.used[]', [used, {}], ['shop']),
    text('status.used[].namespace'),
    text('status.used[].pool'),
    optionalCount('status.used[].ipv4'),
    optionalCount('status.used[].ipv6'),
    optionalCount('status.full'),
  ],
};

export const addressProbeSamples: KindSamples = {
  kind: addressProbeKind,
  base: { address: '192.0.2.1', node: 'node-a', service: 'shop/web' },
  fields: [requiredText('address'), requiredText('node'), requiredText('service')],
};
