/** What each field of PoolSet takes and refuses. */
import { poolSetKind } from '../pool-set.ts';
import { ABSENT, field, type KindSamples, requiredText, text, texts } from './field.ts';
import { aServiceAllocation, serviceAllocationRows } from './ip-address-pool.ts';
import { poolSetExtensionRows, restingRows, withExtensions } from './pool-extensions.ts';

const pool = {
  namespace: 'herald-system',
  name: 'public',
  generation: 1,
  hash: '3f9c1a7e20b4',
  addresses: ['192.0.2.0/24'],
  autoAssign: true,
  avoidBuggyIPs: false,
};

export const poolSetSamples: KindSamples = {
  kind: poolSetKind,
  base: {
    pools: [{ ...pool, serviceAllocation: aServiceAllocation, ...withExtensions }],
    resting: [{ address: '192.0.2.1', until: '2026-01-01T12:00:00Z', service: 'shop/web' }],
    externalIPs: [{ address: '192.0.2.2', service: 'shop/web' }],
  },
  fields: [
    field('pools', [[], [pool], [pool, { ...pool, name: 'lab' }]], [pool, 'public', ABSENT]),
    field('pools[]', [pool], ['public']),
    requiredText('pools[].namespace'),
    requiredText('pools[].name'),
    text('pools[].uid'),
    field('pools[].generation', [1], ['1', 1.5, ABSENT]),
    requiredText('pools[].hash'),
    field('pools[].addresses', [[], ['192.0.2.0/24']], ['192.0.2.0/24', ABSENT]),
    field('pools[].addresses[]', ['192.0.2.0/24'], [7]),
    ...texts('pools[].keptNamespaces'),
    field('pools[].labels', [{}, { zone: 'east' }, ABSENT], [['zone=east']]),
    field('pools[].labels{}', ['east'], [7]),
    field('pools[].autoAssign', [true, false], ['true', ABSENT]),
    field('pools[].avoidBuggyIPs', [true, false], ['false', ABSENT]),
    ...serviceAllocationRows('pools[].serviceAllocation'),
    ...poolSetExtensionRows('pools[]'),
    ...restingRows,
    field('externalIPs', [[], ABSENT], ['192.0.2.2']),
    field('externalIPs[]', [{ address: '192.0.2.2', service: 'shop/web' }], ['192.0.2.2']),
    requiredText('externalIPs[].address'),
    requiredText('externalIPs[].service'),
    field('pools[].deleted', [true, ABSENT], ['true']),
  ],
};
