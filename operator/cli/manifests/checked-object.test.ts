import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { checkObject } from './checked-object.ts';
import { kindOf } from './known-kinds.ts';
import { problemLine, readManifests } from './manifest.ts';

const pool = (spec: string, more = ''): string => `apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata:
  name: public
  namespace: herald-system
${more}spec:
${spec.replaceAll(/^/gm, '  ')}
`;

/** What is said about the manifests of a text, and what would be stored of them. */
function check(text: string): { readonly said: readonly string[]; readonly stored: readonly unknown[] } {
  const { manifests, problems } = readManifests([{ name: 'f.yaml', text }]);
  const stored: unknown[] = [];
  const said = problems.map(problemLine);
  for (const manifest of manifests) {
    const kind = kindOf(manifest);
    if (!kind || 'severity' in kind) {
      if (kind) said.push(`${kind.field} ${kind.message}`);
      continue;
    }
    const { content, problems } = checkObject(manifest, kind);
    said.push(...problems.map(problemLine));
    if (content) stored.push(content['spec']);
  }
  return { said, stored };
}

const PUBLIC = 'IPAddressPool herald-system/public';

interface Refused {
  readonly name: string;
  readonly text: string;
  readonly said: readonly string[];
}
const refused: readonly Refused[] = [
  {
    name: 'a misspelt field, at its line',
    text: pool('addresses: [10.0.0.0/24]\nautoAsign: true'),
    said: [`f.yaml:8: ${PUBLIC}: spec.autoAsign: is no field: did you mean autoAssign?`],
  },
  {
    name: 'a value of another type',
    text: pool('addresses:\n  - 10.0.0.0/24\nautoAssign: "yes"'),
    said: [`f.yaml:9: ${PUBLIC}: spec.autoAssign: must be true or false, and is the text "yes"`],
  },
  {
    name: 'a required field that is missing, at what should have it',
    text: pool('autoAssign: true'),
    said: [`f.yaml:6: ${PUBLIC}: spec.addresses: is missing`],
  },
  {
    name: 'an entry by the rule of the definition, in its words',
    text: pool('addresses:\n  - 10.0.0.0/24\n  - 10.0.1.0/33'),
    said: [
      `f.yaml:9: ${PUBLIC}: spec.addresses[1]: address entry "10.0.1.0/33" must be a CIDR like 192.0.2.0/24 or a range like 192.0.2.10-192.0.2.20`,
    ],
  },
  {
    name: 'a range that descends',
    text: pool('addresses: [10.0.0.9-10.0.0.1]'),
    said: [
      `f.yaml:7: ${PUBLIC}: spec.addresses[0]: address entry "10.0.0.9-10.0.0.1" must ascend: the first address of a range must not be above its last`,
    ],
  },
  {
    name: 'a list without entries',
    text: pool('addresses: []'),
    said: [`f.yaml:7: ${PUBLIC}: spec.addresses: must have at least 1 entries`],
  },
  {
    name: 'a number with a fraction',
    text: pool('addresses: [10.0.0.0/24]\nserviceAllocation:\n  priority: 1.5'),
    said: [`f.yaml:9: ${PUBLIC}: spec.serviceAllocation.priority: must be a whole number, and is 1.5`],
  },
  {
    name: 'a label that is no text',
    text: pool('addresses: [10.0.0.0/24]', '  labels:\n    tier: 1\n'),
    said: [`f.yaml:7: ${PUBLIC}: metadata.labels.tier: must be a text, and is number 1: quote it`],
  },
  {
    name: 'a name that YAML takes for something else',
    text: pool('addresses: [10.0.0.0/24]').replace('name: public', 'name: y'),
    said: [
      'f.yaml:4: IPAddressPool herald-system/(without a name): metadata.name: must be a text, and is boolean true: quote it',
    ],
  },
  {
    name: 'a key that stands twice',
    text: pool('addresses: [10.0.0.0/24]\naddresses: [10.0.1.0/24]'),
    said: ['f.yaml:8: is not YAML that can be read: Map keys must be unique'],
  },
  {
    name: 'timers of a peer that contradict each other',
    text: 'apiVersion: metallb.io/v1beta2\nkind: BGPPeer\nmetadata: {name: tor}\nspec:\n  myASN: 64500\n  peerASN: 64501\n  peerAddress: 10.0.0.1\n  holdTime: 9s\n  keepaliveTime: 10s\n',
    said: ['f.yaml:4: BGPPeer tor: spec: keepaliveTime must not be longer than holdTime'],
  },
  {
    name: 'a version that is served no more',
    text: 'apiVersion: metallb.io/v1beta1\nkind: BGPPeer\nmetadata: {name: tor}\n',
    said: [
      'apiVersion metallb.io/v1beta1 is served no more, BGPPeer is served as metallb.io/v1beta2: turn the manifest by herald convert',
    ],
  },
  {
    name: 'an old kind',
    text: 'apiVersion: metallb.io/v1beta1\nkind: AddressPool\nmetadata: {name: a}\n',
    said: ['kind AddressPool is an old kind that is not served: turn the manifest by herald convert'],
  },
  {
    name: 'a misspelt kind',
    text: 'apiVersion: metallb.io/v1beta1\nkind: IpAddressPool\nmetadata: {name: a}\n',
    said: ['kind metallb.io has no kind IpAddressPool: did you mean IPAddressPool?'],
  },
  {
    name: 'a misspelt group',
    text: 'apiVersion: metalb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: a}\n',
    said: ['apiVersion there is no group metalb.io: did you mean metallb.io?'],
  },
  {
    name: 'a kind that Herald alone writes',
    text: 'apiVersion: heraldlb.io/v1alpha1\nkind: PoolSet\nmetadata: {name: herald}\n',
    said: ['kind objects of kind PoolSet are written by Herald alone: take it out of the files'],
  },
  {
    name: 'the ConfigMap of MetalLB before 0.13',
    text: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config, namespace: metallb-system}\ndata:\n  config: |\n    address-pools: []\n',
    said: ['kind it configures MetalLB before 0.13 and is not read: turn it by herald convert'],
  },
];

spec('a manifest is checked as the API server does it', (test) => {
  for (const { name, text, said } of refused)
    test(`refuses ${name}`, () => {
      const result = check(text);
      assert.equal(result.said, said);
      assert.equal(result.stored, []);
    });
  test('fills in defaults, also for what is empty', () => {
    assert.equal(check(pool('addresses: [10.0.0.0/24]\navoidBuggyIPs:')), {
      said: [],
      stored: [{ addresses: ['10.0.0.0/24'], autoAssign: true, avoidBuggyIPs: false }],
    });
  });
  test('reads YAML as Kubernetes does: yes is true, a merged key counts, a time is a text', () => {
    const text = pool('<<: {autoAssign: no}\naddresses: [10.0.0.0/24]', '  creationTimestamp: 2026-01-01T00:00:00Z\n');
    assert.equal(check(text), {
      said: [],
      stored: [{ addresses: ['10.0.0.0/24'], autoAssign: false, avoidBuggyIPs: false }],
    });
  });
  test('reads several documents, JSON and lists, and leaves others alone', () => {
    const json = '{"kind":"List","apiVersion":"v1","items":[{"apiVersion":"apps/v1","kind":"Deployment"}]}';
    const text = `# nothing\n---\n${pool('addresses: [10.0.0.0/24]')}---\n${json}\n---\napiVersion: metallb.io/v1beta1\nkind: IPAddressPoolList\nitems:\n- metadata:\n    name: b\n  spec:\n    addresses: [10.0.1.0/24, x]\n`;
    assert.equal(check(text).said.length, 1);
    assert.match(check(text).said[0] ?? '', /^f\.yaml:19: IPAddressPool b: spec\.addresses\[1\]: address entry "x"/);
    assert.is(check(text).stored.length, 1);
  });
  test('leaves a template alone, unless it speaks of Herald', () => {
    const template = 'kind: {{ .Values.kind }\n  - : ]';
    assert.match(readManifests([{ name: 'f', text: template }]).problems[0]?.severity ?? '', /Warning/);
    const ours = `apiVersion: metallb.io/v1beta1\n${template}`;
    assert.match(readManifests([{ name: 'f', text: ours }]).problems[0]?.severity ?? '', /Error/);
  });
});
