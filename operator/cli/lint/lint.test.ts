import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { lint } from '../lint.ts';
import { memoryIo } from '../testing/memory-io.ts';

const object = (kind: string, name: string, spec: string, namespace = 'herald-system'): string =>
  `---\napiVersion: metallb.io/v1beta1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: ${spec}\n`;

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
