import { Registry } from 'prom-client';
import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { type AllocatorReport, createAllocatorMetrics, createSourceStateMetrics } from './metrics.ts';

spec('the metrics of the allocator', (test) => {
  test('say of each pool what it holds and what is used, and forget pools that are gone', async () => {
    const registry = new Registry();
    let report: AllocatorReport | undefined = {
      isLoaded: true,
      isStale: false,
      foreign: { notOurs: 2, contested: 1 },
      sources: [{ pool: 'herald-system/a', isUp: false, claims: { Granted: 3, Pending: 2, Releasing: 1 } }],
      pools: [{ name: 'a', capacity: { ipv4: 256n, ipv6: 4n }, use: { ipv4: 3, ipv6: 1 } }],
    };
    createAllocatorMetrics(registry, () => report);
    createSourceStateMetrics(registry, () => report);
    const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    assert.equal(lines, [
      'metallb_allocator_addresses_total{pool="a"} 260',
      'metallb_allocator_ipv4_addresses_total{pool="a"} 256',
      'metallb_allocator_ipv6_addresses_total{pool="a"} 4',
      'metallb_allocator_addresses_in_use_total{pool="a"} 4',
      'metallb_allocator_ipv4_addresses_in_use_total{pool="a"} 3',
      'metallb_allocator_ipv6_addresses_in_use_total{pool="a"} 1',
      'herald_foreign_services{reason="NotOurs"} 2',
      'herald_foreign_services{reason="ContestedStatus"} 1',
      'metallb_k8s_client_config_loaded_bool 1',
      'metallb_k8s_client_config_stale_bool 0',
      'herald_address_source_up{pool="herald-system/a"} 0',
      'herald_address_source_claims{pool="herald-system/a",state="Granted"} 3',
      'herald_address_source_claims{pool="herald-system/a",state="Pending"} 2',
      'herald_address_source_claims{pool="herald-system/a",state="Releasing"} 1',
    ]);
    report = undefined;
    assert.not.match(await registry.metrics(), 'pool="a"');
  });
});
