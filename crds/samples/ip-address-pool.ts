/** What each field of IPAddressPool takes and refuses. */
import { ipAddressPoolKind } from '../ip-address-pool.ts';
import { aSelector, aStatus, commonStatusRows, selectors } from './common.ts';
import { ABSENT, type FieldSamples, field, type KindSamples, texts, yesOrNo } from './field.ts';
import { poolExtensionRows, withExtensions } from './pool-extensions.ts';

/** The rows of `serviceAllocation`, which PoolSet has too. */
export function serviceAllocationRows(path: string): FieldSamples[] {
  return [
    field(path, [{}, { priority: 10 }, ABSENT], [10, ['shop']]),
    field(`${path}.priority`, [0, -1, 100, ABSENT], ['high', 1.5]),
    ...texts(`${path}.namespaces`),
    ...selectors(`${path}.namespaceSelectors`),
    ...selectors(`${path}.serviceSelectors`),
  ];
}

export const aServiceAllocation = { namespaceSelectors: [aSelector], serviceSelectors: [aSelector] };

const count = (name: string) => field(`status.${name}`, [0, 9_007_199_254_740_991, ABSENT], ['many', 1.5]);

export const ipAddressPoolSamples: KindSamples = {
  kind: ipAddressPoolKind,
  base: {
    spec: { addresses: ['192.0.2.0/24'], serviceAllocation: aServiceAllocation, ...withExtensions },
    status: { ...aStatus, inForce: { addresses: ['192.0.2.0/24'], hash: 'h', generation: 1 } },
  },
  fields: [
    field('spec', [{ addresses: ['192.0.2.0/24'] }], ['192.0.2.0/24', ABSENT]),
    field('spec.addresses', [['192.0.2.0/24', '2001:db8::/64']], [[], '192.0.2.0/24', ABSENT]),
    field(
      'spec.addresses[]',
      ['192.0.2.1/32', '192.0.2.10-192.0.2.20', '192.0.2.10 - 192.0.2.20', '2001:db8::1-2001:db8::9', '::/0'],
      ['192.0.2.1', '192.0.2.0/33', '192.0.2.20-192.0.2.10', '192.0.2.1-2001:db8::1', 'lan', 7],
    ),
    yesOrNo('spec.autoAssign'),
    yesOrNo('spec.avoidBuggyIPs'),
    ...serviceAllocationRows('spec.serviceAllocation'),
    ...poolExtensionRows,
    ...commonStatusRows(),
    count('assignedIPv4'),
    count('assignedIPv6'),
    count('availableIPv4'),
    count('availableIPv6'),
    field('status.inForce', [{ addresses: [], hash: '', generation: 0 }, ABSENT], ['all']),
    field('status.inForce.addresses', [['192.0.2.0/24'], []], ['192.0.2.0/24', ABSENT]),
    field('status.inForce.addresses[]', ['192.0.2.0/24'], [7]),
    ...texts('status.inForce.exclude'),
    field('status.inForce.hash', ['3f9c1a7e20b4'], [7, ABSENT]),
    field('status.inForce.generation', [1], ['1', 1.5, ABSENT]),
  ],
};
