import * as assert from 'uvu/assert';
import type { AddressQuotaSpec } from '../../crds/address-quota.ts';
import { LATER, poolObject, quotaObject } from '../../testing/config-objects.ts';
import { conditionWords, resolve, verdictWords } from '../../testing/resolved-config.ts';
import { spec } from '../../testing/spec.ts';
import type { LabelledObject } from './pool.ts';

const pools = [poolObject('public', ['10.0.0.0/28'])];
const limits = [{ ipv4: 2 }];
const resolved = (...specs: AddressQuotaSpec[]) =>
  resolve({ pools, quotas: specs.map((one, at) => quotaObject(`q${at}`, one, at === 0 ? {} : LATER)) });

spec('a quota', (test) => {
  test('is per namespace unless it says otherwise, and for every Service unless it chooses', () => {
    const [each, together] = resolved({ limits }, { limits, per: 'Selection', for: { namespaces: ['shop'] } }).quotas;
    assert.equal([each?.per, each?.limits, each?.key], ['Namespace', [{ ipv4: 2 }], 'herald-system/q0']);
    assert.is(together?.per, 'Selection');
    const includes = (namespace: string) => [each, together].map((one) => one?.includes({ namespace, name: 'web' }));
    assert.equal(
      [includes('shop'), includes('lab')],
      [
        [true, true],
        [true, false],
      ],
    );
  });

  test('that is sound limits', () => {
    assert.equal(verdictWords(resolved({ limits: [{ pool: 'public', ipv4: 2 }, { ipv6: 1 }] }))['q0'], 'True Limiting');
  });

  const refused: readonly (readonly [name: string, spec: object, says: RegExp])[] = [
    ['without limits', { limits: [] }, /InvalidSpec: spec.limits has no entry/],
    ['without a number', { limits: [{ pool: 'public' }] }, /InvalidSpec: The limit for pool public says no number/],
    [
      'with a limit twice',
      { limits: [{ ipv4: 1 }, { ipv6: 1 }] },
      /InvalidSpec: .* two entries for all pools together/,
    ],
    [
      'with a selector that is none',
      { limits, for: { namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } } },
      /InvalidSelector: In spec.for: In for label a needs at least one value/,
    ],
  ];
  for (const [name, wrong, says] of refused)
    test(`${name} is refused`, () => {
      const config = resolved(wrong as AddressQuotaSpec);
      assert.match(conditionWords(config, 'q0', 'Stalled') ?? '', says);
      assert.equal(config.quotas, []);
    });

  test('of a pool that does not exist waits for it, and its other limits hold', () => {
    const config = resolved({ limits: [{ pool: 'lab', ipv4: 1 }, { ipv4: 5 }] });
    assert.is(verdictWords(config)['q0'], 'False PoolNotFound Reconciling');
    assert.is(config.quotas.length, 1);
  });

  test('that says what an older one says of the same Services is refused, equal or not', () => {
    const shop = { namespaces: ['shop'] };
    const config = resolved(
      { limits: [{ ipv4: 2 }], for: shop },
      { limits: [{ ipv4: 9 }, { pool: 'public', ipv6: 1 }], for: shop },
    );
    assert.is(verdictWords(config)['q1'], 'False DuplicateQuota Stalled');
    assert.match(
      conditionWords(config, 'q1', 'Stalled') ?? '',
      /The older AddressQuota herald-system\/q0 limits ipv4 of all pools together for the same Services/,
    );
  });

  test('for namespaces by other labels is another one, though nobody or only the same namespaces bear them', () => {
    const by = (labels: Record<string, string>) => ({ namespaceSelector: { matchLabels: labels } });
    const words = (namespaces: readonly LabelledObject[]) => {
      const quotas = [by({ stage: 'trial' }), by({ team: 'lab' }), by({ stage: 'trial' })].map((selection, at) =>
        quotaObject(`q${at}`, { limits, for: selection }, at === 0 ? {} : LATER),
      );
      const said = verdictWords(resolve({ pools, quotas, namespaces }));
      return [said['q0'], said['q1'], said['q2']];
    };
    const expected = ['True Limiting', 'True Limiting', 'False DuplicateQuota Stalled'];
    assert.equal(words([]), expected);
    assert.equal(words([{ metadata: { name: 'shop', labels: { stage: 'trial', team: 'lab' } } }]), expected);
  });

  test('beside another for other Services, another family or another scope holds too', () => {
    const words = verdictWords(
      resolved(
        { limits },
        { limits: [{ ipv6: 2 }] },
        { limits: [{ pool: 'public', ipv4: 1 }] },
        { limits, per: 'Selection' },
        { limits, for: { namespaces: ['shop'] } },
      ),
    );
    assert.equal(
      [0, 1, 2, 3, 4].map((at) => words[`q${at}`]),
      Array(5).fill('True Limiting'),
    );
  });
});
