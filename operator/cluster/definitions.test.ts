import * as assert from 'uvu/assert';
import { customResourceDefinition } from '../../crds/definition.ts';
import { ipAddressPoolKind } from '../../crds/ip-address-pool.ts';
import { l2AdvertisementKind } from '../../crds/l2-advertisement.ts';
import { poolSetKind } from '../../crds/pool-set.ts';
import { spec } from '../../testing/spec.ts';
import { Definitions, inWords, missingFields } from './definitions.ts';
import type { CustomResourceDefinition } from './objects.ts';
import { FakeApiServer } from './testing/fake-api-server.ts';
import { eventually } from './testing/waiting.ts';

const ours = customResourceDefinition(ipAddressPoolKind) as unknown as CustomResourceDefinition;

/** The definition of pools with this status, as MetalLB 0.16 has its four counters and nothing else. */
const withStatus = (status: object): CustomResourceDefinition => ({
  ...ours,
  spec: { versions: [{ name: 'v1beta1', schema: { openAPIV3Schema: { properties: { status } } } }] },
});
const counters = { assignedIPv4: {}, assignedIPv6: {}, availableIPv4: {}, availableIPv6: {} };
const metallbs = withStatus({ type: 'object', properties: counters });

spec('a definition', (test) => {
  test('is ours when it has every field that we write', () => assert.equal(missingFields(ipAddressPoolKind, ours), []));
  test("is not ours when it is MetalLB's", () =>
    assert.equal(missingFields(ipAddressPoolKind, metallbs), ['observedGeneration', 'conditions', 'inForce']));
  test('is not ours when it does not serve our version, or has no status', () => {
    assert.is(missingFields(ipAddressPoolKind, { ...ours, spec: { versions: [] } }).length, 7);
    assert.is(missingFields(ipAddressPoolKind, withStatus({})).length, 7);
  });
  test('will do when it keeps what it does not know', () =>
    assert.equal(missingFields(ipAddressPoolKind, withStatus({ 'x-kubernetes-preserve-unknown-fields': true })), []));
});

spec('the definitions of a cluster', (test) => {
  test('are looked at again until they are ours', async () => {
    const fake = await FakeApiServer.start();
    fake.put('customresourcedefinitions', metallbs);
    const connection = fake.connect();
    const definitions = new Definitions(connection, [ipAddressPoolKind, l2AdvertisementKind, poolSetKind]);
    try {
      const answers = await Promise.all(['ipaddresspools', 'services'].map((plural) => definitions.refuses(plural)));
      assert.equal(answers, [true, false]);
      assert.is(await definitions.look(), false);
      assert.equal([definitions.isForeign('ipaddresspools'), definitions.isForeign('l2advertisements')], [true, false]);
      assert.is(
        inWords(definitions.foreign),
        'ipaddresspools.metallb.io has no status.observedGeneration, conditions, inForce',
      );
      fake.put('customresourcedefinitions', ours);
      const ending = new AbortController();
      let told = 0;
      const watching = definitions.watch(ending.signal, () => {
        told += 1;
      });
      await eventually('it is told', () => told === 1);
      assert.equal(definitions.foreign, []);
      ending.abort();
      await watching;
    } finally {
      connection.close();
      fake.close();
    }
  });
});
