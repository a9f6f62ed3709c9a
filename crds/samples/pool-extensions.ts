/** What each field takes and refuses that pools have beyond MetalLB's. */
import { ABSENT, type FieldSamples, field, requiredText, text, texts, yesOrNo } from './field.ts';

/** Entries that are an address, a CIDR or a range. */
export const addressOrRange = (path: string): FieldSamples =>
  field(
    path,
    ['192.0.2.1', '2001:db8::1', '192.0.2.0/24', '192.0.2.10 - 192.0.2.20', '2001:db8::/64'],
    ['192.0.2', '192.0.2.0/33', '192.0.2.20-192.0.2.10', '192.0.2.1-2001:db8::1', 'lan', 7],
  );

const http = { url: 'https://ipam.example.com/v1', secretRef: { name: 'ipam' }, timeout: '2s' };

/** For the bases: every list has an entry, and `source` all its parts. */
export const withExtensions = { exclude: ['192.0.2.1'], source: { http } };

/** The rows of the fields of a pool's spec. */
export const poolExtensionRows: readonly FieldSamples[] = [
  field('spec.exclude', [[], ['192.0.2.1', '192.0.2.16/28'], ABSENT], ['192.0.2.1', Array(257).fill('192.0.2.1')]),
  addressOrRange('spec.exclude[]'),
  yesOrNo('spec.drain'),
  field('spec.coolDown', ['0s', '30s', '1m30s', '24h', ABSENT], ['-1s', '24h1s', '30', 'soon', 30]),
  field(
    'spec.spreadBy',
    ['none', 'random', 'leastRecentlyUsed', 'hash', ABSENT],
    ['Random', '', 'least-recently-used', 1],
  ),
  yesOrNo('spec.shareAcrossNamespaces'),
  yesOrNo('spec.duplicateAddressDetection'),
  yesOrNo('spec.externalIPs'),
  field('spec.source', [{ http: { url: 'http://ipam' } }, ABSENT], [{}, 'http']),
  field('spec.source.http', [{ url: 'http://ipam' }], ['http://ipam']),
  field(
    'spec.source.http.url',
    ['http://192.0.2.7:8080', 'https://ipam.example.com/', 'https://[2001:db8::1]/api/v1'],
    ['ipam.example.com', 'ftp://ipam', 'http://me:secret@ipam', 'http://ipam/?x=1', 'http://', '', 7, ABSENT],
  ),
  field('spec.source.http.secretRef', [{ name: 'ipam' }, ABSENT], ['ipam']),
  field('spec.source.http.secretRef.name', ['ipam'], ['', 'x'.repeat(254), 7, ABSENT]),
  field('spec.source.http.timeout', ['100ms', '5s', '60s', ABSENT], ['99ms', '61s', '-5s', '5', 5]),
];

/** The rows of the same fields of an entry of a PoolSet, which nobody but the operator writes. */
export function poolSetExtensionRows(path: string): readonly FieldSamples[] {
  return [
    ...texts(`${path}.exclude`),
    yesOrNo(`${path}.drain`),
    text(`${path}.coolDown`),
    field(`${path}.spreadBy`, ['none', 'hash', ABSENT], ['any', 1]),
    yesOrNo(`${path}.shareAcrossNamespaces`),
    yesOrNo(`${path}.duplicateAddressDetection`),
    yesOrNo(`${path}.externalIPs`),
    field(`${path}.source`, [{}, ABSENT], ['http']),
    field(`${path}.source.http`, [{ url: 'http://ipam' }], ['http://ipam']),
    requiredText(`${path}.source.http.url`),
    field(`${path}.source.http.secretRef`, [{ name: 'ipam' }, ABSENT], ['ipam']),
    requiredText(`${path}.source.http.secretRef.name`),
    text(`${path}.source.http.timeout`),
  ];
}

/** A name that must be there. */
export const requiredName = (path: string): FieldSamples =>
  field(path, ['shop', 'x'.repeat(253)], ['', 'x'.repeat(254), 7, ABSENT]);

/** The rows of the addresses that rest. */
export const restingRows: readonly FieldSamples[] = [
  field('resting', [[], ABSENT], ['192.0.2.1']),
  field('resting[]', [{ address: '192.0.2.1', until: '2026-01-01T12:00:00Z', service: 'shop/web' }], ['192.0.2.1']),
  requiredText('resting[].address'),
  field('resting[].until', ['2026-01-01T12:00:00Z'], ['soon', 7, ABSENT]),
  requiredText('resting[].service'),
];
