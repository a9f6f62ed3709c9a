import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { lint } from '../lint.ts';
import { memoryIo } from '../testing/memory-io.ts';

const object = (kind: string, name: string, spec: string, namespace = 'herald-system'): string =>
  `---\napiVersion: metallb.io/v1beta1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: ${spec}\n`;

/** The same of heraldlb.io. */
const ours = (...what: Parameters<typeof object>): string =>
  object(...what).replace('metallb.io/v1beta1', 'heraldlb.io/v1alpha1');

interface Said {
  readonly code: number;
  readonly lines: readonly string[];
}

async function linted(text: string, ...args: readonly string[]): Promise<Said> {
  const io = memoryIo({ files: { 'git/a.yaml': text, 'git/notes.txt': 'nothing of ours' } });
  const code = await lint.run(['-f', 'git', ...args], io);
  return { code, lines: io.printed.stdout.trimEnd().split('\n') };
}

const cases: readonly { readonly name: string; readonly text: string; readonly code: number; readonly says: RegExp }[] =
  [
    {
      name: 'a folder that is sound',
      text: object('IPAddressPool', 'a', '{addresses: [10.0.0.0/24]}') + object('L2Advertisement', 'l', '{}'),
      code: 0,
      says: /^2 objects of Herald's configuration: 0 errors, 0 warnings$/,
    },
    {
      name: 'pools that overlap',
      text:
        object('IPAddressPool', 'a', '{addresses: [10.0.0.0/24]}') +
        object('IPAddressPool', 'b', '{addresses: [10.0.0.7/32]}'),
      code: 1,
      says: /^error: git\/a\.yaml:10: IPAddressPool herald-system\/b: spec\.addresses: OverlapsPool: /,
    },
    {
      name: 'a reference to nothing: a warning, because it may stand elsewhere',
      text: object('L2Advertisement', 'l', '{ipAddressPools: [nowhere]}'),
      code: 0,
      says: /^warning: git\/a\.yaml:5: L2Advertisement herald-system\/l: spec: PoolNotFound: /,
    },
    {
      name: 'a namespace that nobody reads',
      text: object('IPAddressPool', 'a', '{addresses: [10.0.0.0/24]}', 'default'),
      code: 1,
      says: /^error: git\/a\.yaml:4: IPAddressPool default\/a: metadata\.namespace: NamespaceNotWatched: /,
    },
    {
      name: 'an object that is written twice',
      text: object('L2Advertisement', 'l', '{}') + object('L2Advertisement', 'l', '{}'),
      code: 1,
      says: /^error: git\/a\.yaml:7: L2Advertisement herald-system\/l: is written twice, also in git\/a\.yaml:2$/,
    },
    {
      name: 'addresses that two reserve',
      text:
        object('IPAddressPool', 'a', '{addresses: [10.0.0.0/24]}') +
        ours('AddressReservation', 'r', '{addresses: [10.0.0.7], for: {namespace: shop}}') +
        ours('AddressReservation', 's', '{addresses: [10.0.0.0/28], for: {namespace: lab}}'),
      code: 1,
      says: /^error: git\/a\.yaml:15: AddressReservation herald-system\/s: spec\.addresses: OverlapsReservation: /,
    },
    {
      name: 'a reservation of what no pool has: a warning, because the pool may stand elsewhere',
      text: ours('AddressReservation', 'r', '{addresses: [10.0.0.7], for: {namespace: shop}}'),
      code: 0,
      says: /^warning: git\/a\.yaml:5: AddressReservation herald-system\/r: spec\.addresses: AddressNotInPool: /,
    },
    {
      name: 'a quota that says what another one says',
      text: ours('AddressQuota', 'q', '{limits: [{ipv4: 3}]}') + ours('AddressQuota', 'r', '{limits: [{ipv4: 4}]}'),
      code: 1,
      says: /^error: git\/a\.yaml:10: AddressQuota herald-system\/r: spec\.limits: DuplicateQuota: /,
    },
    {
      name: 'an exclusion of nothing',
      text: object('IPAddressPool', 'a', '{addresses: [10.0.0.0/24], exclude: [10.9.0.1]}'),
      code: 0,
      says: /^warning: git\/a\.yaml:5: IPAddressPool herald-system\/a: spec\.exclude: ExcludesNothing: /,
    },
    {
      name: 'a selector whose operator does not exist',
      text: object('L2Advertisement', 'l', '{nodeSelectors: [{matchExpressions: [{key: a, operator: Near}]}]}'),
      code: 1,
      says: /InvalidSelector: /,
    },
  ];

spec('herald lint', (test) => {
  for (const { name, text, code, says } of cases)
    test(`finds ${name}`, async () => {
      const said = await linted(text);
      assert.is(said.code, code);
      assert.match(said.lines[0] ?? '', says);
    });
  test('says the same for programs', async () => {
    const { code, lines } = await linted(object('IPAddressPool', 'a', '{adresses: [10.0.0.0/24]}'), '-o', 'json');
    const { problems, errors } = JSON.parse(lines.join('\n'));
    assert.equal([code, errors], [1, problems.length]);
    assert.equal([problems[0].file, problems[0].line, problems[0].field], ['git/a.yaml', 5, 'spec.adresses']);
  });
  test('reads other namespaces when told so', async () => {
    const text = object('IPAddressPool', 'a', '{addresses: [10.0.0.0/24]}', 'lb');
    assert.is((await linted(text, '--config-namespaces=lb')).code, 0);
  });
});
