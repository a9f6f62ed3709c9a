import * as assert from 'uvu/assert';
import { ip } from '../../testing/allocation.ts';
import { bgpObject, communityObject, l2Object, peerObject, poolObject } from '../../testing/config-objects.ts';
import { resolve } from '../../testing/resolved-config.ts';
import { spec } from '../../testing/spec.ts';
import { configurationStateOf } from './configuration-state.ts';
import { wantedEntry } from './pool-content.ts';
import type { ConfigObjects } from './resolve-config.ts';

const stateOf = (objects: Partial<ConfigObjects>) => configurationStateOf(resolve(objects));
const inWords = ({ conditions }: ReturnType<typeof stateOf>): readonly string[] =>
  conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`);

spec("the operator's ConfigurationState", (test) => {
  test('is valid where every object is in force, and names what is', () => {
    const state = stateOf({ pools: [poolObject('a', ['10.0.0.0/24'])], l2Advertisements: [l2Object('ad')] });
    assert.is(state.result, 'Valid');
    assert.is(state.errorSummary, '');
    assert.equal(inWords(state), ['poolReconcilerValid=True Reconciled', 'configReconcilerValid=True Reconciled']);
    assert.equal(
      state.conditions.map(({ message }) => message),
      ['Pools in force: a.', 'L2Advertisements in force: ad.'],
    );
  });
  test('names what is refused, and what waits for others, one line each', () => {
    const state = stateOf({
      pools: [poolObject('a', ['10.0.0.0/24']), poolObject('bad', ['nonsense'])],
      l2Advertisements: [l2Object('ad', { ipAddressPools: ['nowhere'] })],
    });
    assert.is(state.result, 'Invalid');
    assert.equal(state.errorSummary.split('\n'), [
      'IPAddressPool herald-system/bad: "nonsense" is neither a CIDR nor a range first-last.',
      'L2Advertisement herald-system/ad: There is no pool nowhere in force; the others go on.',
    ]);
    assert.equal(inWords(state), [
      'poolReconcilerValid=False ConfigurationError',
      'configReconcilerValid=False ConfigurationError',
    ]);
    assert.match(state.conditions[0]?.message ?? '', '\nPools in force: a.');
  });
  test('says which of the two is at fault, as MetalLB does', () => {
    assert.equal(inWords(stateOf({ communities: [communityObject('site', { a: 'b' })] })), [
      'poolReconcilerValid=False ConfigurationError',
      'configReconcilerValid=True Reconciled',
    ]);
    assert.equal(inWords(stateOf({ bgpPeers: [peerObject('tor', { myASN: 0 })] })), [
      'poolReconcilerValid=True Reconciled',
      'configReconcilerValid=False ConfigurationError',
    ]);
  });
  test('does not call a kind without a backend a fault, nor an object of a namespace that is not read', () => {
    const elsewhere = poolObject('a', ['nonsense'], { metadata: { namespace: 'shop' } });
    assert.is(
      stateOf({ bgpPeers: [peerObject('tor')], bgpAdvertisements: [bgpObject('ad')], pools: [elsewhere] }).result,
      'Valid',
    );
  });
  test('names a deleted pool that is still in use', () => {
    const state = stateOf({
      inForce: [wantedEntry(poolObject('a', ['10.0.0.0/24']))],
      heldAddresses: [{ address: ip('10.0.0.7'), service: 'shop/web', namespace: 'shop' }],
    });
    assert.is(state.conditions[0]?.message, 'Pools in force: a (deleted, still in use).');
  });
  test('stays short however much is wrong', () => {
    const pools = Array.from({ length: 2_000 }, (_, at) => poolObject(`p${at}`, ['x'.repeat(5_000)]));
    const state = stateOf({ pools });
    assert.ok(state.errorSummary.length < 32_768, `${state.errorSummary.length}`);
    assert.match(state.errorSummary, 'and 1950 more');
    assert.ok(state.conditions.every(({ message }) => message.length < 32_768));
  });
});
