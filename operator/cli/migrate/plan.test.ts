import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { type MigrationPlan, planMigration } from './plan.ts';
import type { DefinitionState, MigrationState, StoredObject } from './state.ts';
import { kubectlOf, type Step } from './step.ts';

const NOTHING: MigrationState = {
  definitions: [],
  webhooks: [],
  running: [],
  bgpPeers: [],
  addressPools: [],
  ipAddressPools: [],
  l2Advertisements: [],
  bgpAdvertisements: [],
  services: [],
  hasConfigMap: false,
};

const definition = (plural: string, more: Partial<DefinitionState> = {}): DefinitionState => ({
  name: `${plural}.metallb.io`,
  plural,
  isOurs: false,
  isTerminating: false,
  conversion: 'None',
  storageVersion: 'v1beta1',
  storedVersions: ['v1beta1'],
  ...more,
});

const object = (name: string, spec: Record<string, unknown>): StoredObject => ({
  metadata: { name, namespace: 'metallb-system', uid: `uid-${name}` },
  spec,
});

const peers = definition('bgppeers', {
  conversion: 'Webhook',
  storageVersion: 'v1beta2',
  storedVersions: ['v1beta1', 'v1beta2'],
});
const oldPools = definition('addresspools', { conversion: 'Webhook' });
const webhook = { name: 'metallb-webhook-configuration', uid: 'w', isOnlyTheirs: true, answeredBy: [] };

/** As 0.13 leaves it when its pods are gone. */
const after013: MigrationState = {
  ...NOTHING,
  definitions: [oldPools, peers, definition('ipaddresspools'), definition('l2advertisements')],
  webhooks: [webhook],
  bgpPeers: undefined,
  addressPools: [object('lan', { protocol: 'layer2', addresses: ['192.0.2.0/28'], autoAssign: true })],
};

/** The steps as words. */
const inWords = ({ steps }: MigrationPlan): readonly string[] => steps.map(wordsOf);
function wordsOf(step: Step): string {
  switch (step.do) {
    case 'DeleteWebhookConfiguration':
      return `DeleteWebhookConfiguration ${step.name}`;
    case 'StopConversion':
      return `StopConversion ${step.definition}`;
    case 'CreateObject':
      return `Create ${step.object.kind} ${step.object.metadata.name} ${JSON.stringify(step.object.spec)}`;
    case 'DeleteObject':
      return `Delete ${step.object.plural} ${step.object.name}`;
    case 'ChangeObject':
      return `Change ${step.object.name} ${step.patch.map(({ op, path }) => `${op} ${path}`).join(' ')}`;
    case 'RewriteObjects':
      return `Rewrite ${step.plural} ${step.version}`;
    case 'TrimStoredVersions':
      return `Trim ${step.definition} ${step.from} to ${step.to}`;
  }
}

interface Case {
  readonly name: string;
  readonly state: MigrationState;
  readonly steps: readonly string[];
  readonly notes?: readonly RegExp[];
  readonly unread?: number;
}

const cases: readonly Case[] = [
  { name: 'nothing of MetalLB is there', state: NOTHING, steps: [] },
  {
    name: 'as 0.13 leaves it: webhooks, then conversion, then objects, then stored versions',
    state: after013,
    steps: [
      'DeleteWebhookConfiguration metallb-webhook-configuration',
      'StopConversion addresspools.metallb.io',
      'StopConversion bgppeers.metallb.io',
      'Create IPAddressPool lan {"addresses":["192.0.2.0/28"]}',
      'Create L2Advertisement lan {"ipAddressPools":["lan"]}',
      'Delete addresspools lan',
      'Rewrite bgppeers v1beta2',
      'Trim bgppeers.metallb.io v1beta1,v1beta2 to v1beta2',
    ],
    notes: [/definitions of MetalLB are in place/],
    unread: 1,
  },
  {
    name: 'as 0.16 leaves it: its frr-k8s webhook too, and one stored version',
    state: {
      ...NOTHING,
      definitions: [{ ...peers, storedVersions: ['v1beta2'] }],
      webhooks: [webhook, { ...webhook, name: 'frr-k8s-validating-webhook-configuration' }],
      bgpPeers: [object('tor', { myASN: 1, peerASN: 2, peerAddress: '192.0.2.1', holdTime: '90s' })],
    },
    steps: [
      'DeleteWebhookConfiguration metallb-webhook-configuration',
      'DeleteWebhookConfiguration frr-k8s-validating-webhook-configuration',
      'StopConversion bgppeers.metallb.io',
    ],
    notes: [/definitions of MetalLB are in place/],
  },
  {
    name: 'the definitions are ours already, and objects are still stored in the old version',
    state: {
      ...NOTHING,
      definitions: [{ ...peers, isOurs: true, conversion: 'None' }],
      bgpPeers: [
        object('go', { peerPort: 0, holdTime: '0s', keepaliveTime: '0s' }),
        object('meant', { holdTime: '0s' }),
        object('exists', { nodeSelectors: [{ matchExpressions: [{ key: 'a', operator: 'Exists', values: [''] }] }] }),
      ],
    },
    steps: [
      'Change go test /spec/peerPort remove /spec/peerPort test /spec/keepaliveTime remove /spec/keepaliveTime test /spec/holdTime remove /spec/holdTime',
      'Change exists test /spec/nodeSelectors/0/matchExpressions/0/values remove /spec/nodeSelectors/0/matchExpressions/0/values',
      'Rewrite bgppeers v1beta2',
      'Trim bgppeers.metallb.io v1beta1,v1beta2 to v1beta2',
    ],
    notes: [/BGPPeer metallb-system\/meant has holdTime 0s/],
  },
  {
    name: 'AddressPools that cannot be read keep their stored versions',
    state: {
      ...NOTHING,
      definitions: [{ ...oldPools, storedVersions: ['v1alpha1', 'v1beta1'] }],
      addressPools: undefined,
    },
    steps: ['StopConversion addresspools.metallb.io'],
    notes: [/definitions of MetalLB are in place/],
    unread: 1,
  },
  {
    name: 'a run that was interrupted goes on where it was',
    state: {
      ...after013,
      definitions: [{ ...oldPools, conversion: 'None' }],
      webhooks: [],
      ipAddressPools: [object('lan', { addresses: ['192.0.2.0/28'], autoAssign: true, avoidBuggyIPs: false })],
    },
    steps: ['Create L2Advertisement lan {"ipAddressPools":["lan"]}', 'Delete addresspools lan'],
    notes: [/definitions of MetalLB are in place/],
  },
  {
    name: 'an advertisement of that name for other pools keeps its name, and one that says the same is enough',
    state: {
      ...NOTHING,
      addressPools: [
        object('lan', { protocol: 'layer2', addresses: ['192.0.2.0/28'] }),
        object('dmz', { protocol: 'layer2', addresses: ['198.51.100.0/28'] }),
      ],
      l2Advertisements: [object('lan', { ipAddressPools: ['other'] }), object('mine', { ipAddressPools: ['dmz'] })],
    },
    steps: [
      'Create IPAddressPool lan {"addresses":["192.0.2.0/28"]}',
      'Create L2Advertisement lan-2 {"ipAddressPools":["lan"]}',
      'Delete addresspools lan',
      'Create IPAddressPool dmz {"addresses":["198.51.100.0/28"]}',
      'Delete addresspools dmz',
    ],
  },
  {
    name: 'webhooks that somebody needs stay',
    state: {
      ...NOTHING,
      webhooks: [
        { ...webhook, name: 'frr-k8s-validating-webhook-configuration', answeredBy: ['frr-k8s/hook'] },
        { ...webhook, name: 'everything', isOnlyTheirs: false },
      ],
    },
    steps: [],
    notes: [/frr-k8s is alive/, /everything asks about other kinds too/],
  },
  {
    name: 'addresses that would not stay are told: shared ones, and ones of no pool',
    state: {
      ...NOTHING,
      ipAddressPools: [object('lan', { addresses: ['192.0.2.0/28', '2001:db8::1-2001:db8::9'] })],
      addressPools: undefined,
      services: [
        { key: 'a/kept', addresses: ['192.0.2.3', '2001:db8::2'] },
        { key: 'a/one', addresses: ['192.0.2.4'] },
        { key: 'b/two', addresses: ['192.0.2.4'] },
        { key: 'c/three', addresses: ['192.0.2.5'] },
        { key: 'c/four', addresses: ['192.0.2.5'] },
        { key: 'b/stray', addresses: ['192.0.2.16'] },
      ],
    },
    steps: [],
    notes: [
      /Services a\/one, b\/two of different namespaces share 192.0.2.4/,
      /Service b\/stray has 192.0.2.16, which no pool holds/,
    ],
  },
  {
    name: 'speakers may go on; their class is told',
    state: {
      ...NOTHING,
      hasConfigMap: true,
      running: [{ role: 'speaker', kind: 'DaemonSet', namespace: 'metallb-system', name: 'speaker', lbClass: 'metal' }],
    },
    steps: [],
    notes: [/speakers still announce/, /--lb-class=metal/, /herald convert/],
  },
];

spec('migration plan', (test) => {
  for (const { name, state, steps, notes = [], unread = 0 } of cases)
    test(name, () => {
      const plan = planMigration(state);
      assert.equal(plan.refusals, []);
      assert.equal(inWords(plan), steps);
      assert.is(plan.notes.length, notes.length, plan.notes.join('\n'));
      for (const [at, note] of notes.entries()) assert.match(plan.notes[at] ?? '', note);
      assert.is(plan.unread.length, unread);
    });
});

const refused: readonly { name: string; state: Partial<MigrationState>; says: readonly RegExp[] }[] = [
  {
    name: 'the controller runs, and its webhook answers: once',
    state: {
      running: [{ role: 'controller', kind: 'Deployment', namespace: 'm', name: 'controller', lbClass: '' }],
      webhooks: [{ ...webhook, answeredBy: ['m/metallb-webhook-service'] }],
    },
    says: [/Deployment m\/controller.*kubectl -n m scale deployment\/controller --replicas=0/],
  },
  {
    name: 'its last pod is on its way out',
    state: { running: [{ role: 'controller', kind: 'Pod', namespace: 'm', name: 'controller-x', lbClass: '' }] },
    says: [/Pod m\/controller-x.*wait until it is gone/],
  },
  {
    name: 'the operator of MetalLB would start it again',
    state: { running: [{ role: 'operator', kind: 'Deployment', namespace: 'm', name: 'o', lbClass: '' }] },
    says: [/would start MetalLB again/],
  },
  {
    name: 'somebody unknown answers the webhook',
    state: { webhooks: [{ ...webhook, answeredBy: ['m/hook'] }] },
    says: [/m\/hook still answers/],
  },
  {
    name: 'a definition is being deleted',
    state: { definitions: [definition('ipaddresspools', { isTerminating: true })] },
    says: [/is being deleted/],
  },
  {
    name: 'both kinds of pool with one name that differ',
    state: {
      addressPools: [object('lan', { protocol: 'layer2', addresses: ['192.0.2.0/28'] })],
      ipAddressPools: [object('lan', { addresses: ['198.51.100.0/28'] })],
    },
    says: [/both there and differ/],
  },
  {
    name: 'an AddressPool that cannot be read',
    state: { addressPools: [object('lan', { protocol: 'arp', addresses: ['192.0.2.0/28'] })] },
    says: [/AddressPool metallb-system\/lan:1: spec.protocol must be layer2 or bgp/],
  },
];

spec('migration refuses', (test) => {
  for (const { name, state, says } of refused)
    test(name, () => {
      const { refusals } = planMigration({ ...NOTHING, ...state });
      assert.is(refusals.length, says.length, refusals.join('\n'));
      for (const [at, sentence] of says.entries()) assert.match(refusals[at] ?? '', sentence);
    });
});

spec('migration in kubectl', (test) => {
  test('every step is a line that a shell takes', () => {
    const lines = planMigration(after013).steps.map(kubectlOf);
    assert.equal(lines.slice(0, 2), [
      'kubectl delete validatingwebhookconfiguration metallb-webhook-configuration',
      `kubectl patch crd addresspools.metallb.io --type=json -p '[{"op":"test","path":"/spec/conversion/strategy","value":"Webhook"},{"op":"replace","path":"/spec/conversion","value":{"strategy":"None"}}]'`,
    ]);
    assert.match(
      lines[3] ?? '',
      /^kubectl create -f - <<'EOF'\napiVersion: metallb.io\/v1beta1\nkind: IPAddressPool\n/,
    );
    assert.equal(lines.slice(5), [
      'kubectl -n metallb-system delete addresspools.v1beta1.metallb.io lan',
      'kubectl get bgppeers.v1beta2.metallb.io --all-namespaces -o json | kubectl replace -f -',
      `kubectl patch crd bgppeers.metallb.io --subresource=status --type=json -p '[{"op":"test","path":"/status/storedVersions","value":["v1beta1","v1beta2"]},{"op":"replace","path":"/status/storedVersions","value":["v1beta2"]}]'`,
    ]);
  });
});
