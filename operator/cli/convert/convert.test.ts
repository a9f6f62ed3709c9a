import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { spec } from '../../../testing/spec.ts';
import { convert } from './convert.ts';
import { remarkLine } from './remarks.ts';
import { renderConversion } from './render.ts';

/** The objects as `Kind namespace/name` with their specs, and every remark as its line. */
function converted(text: string, namespace?: string) {
  const { objects, notes, errors, others } = convert([{ name: 'f.yaml', text }], { namespace });
  const specs = objects.map(({ kind, metadata, spec }) => [`${kind} ${metadata.namespace}/${metadata.name}`, spec]);
  return { specs, notes: notes.map(remarkLine), errors: errors.map(remarkLine), others };
}

const configMap = (config: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  namespace: metallb-system\n  name: config\ndata:\n  config: |\n${config.replaceAll(/^/gm, '    ')}`;

interface Case {
  readonly name: string;
  readonly text: string;
  readonly gives: readonly (readonly [string, Record<string, unknown>])[];
  readonly notes?: readonly string[];
}

const PASSWORD =
  'stands here in clear: move it into a Secret of type kubernetes.io/basic-auth with the key password, and name that in passwordSecret';

const cases: readonly Case[] = [
  {
    name: 'a ConfigMap with a layer 2 pool',
    text: configMap('address-pools:\n- name: default\n  protocol: layer2\n  addresses:\n  - 192.0.2.10-192.0.2.20\n'),
    gives: [
      ['IPAddressPool metallb-system/default', { addresses: ['192.0.2.10-192.0.2.20'] }],
      ['L2Advertisement metallb-system/default', { ipAddressPools: ['default'] }],
    ],
  },
  {
    name: 'a ConfigMap with everything that MetalLB documented for BGP',
    text: configMap(`peers:
- peer-address: 10.0.0.1
  peer-asn: 64501
  my-asn: 64500
  peer-port: 1179
  hold-time: 120s
  keepalive-time: 40s
  router-id: 10.9.9.9
  source-address: 10.0.0.7
  password: "not to be seen"
  bfd-profile: fast
  ebgp-multihop: true
  node-selectors:
  - match-labels:
      rack: frontend
    match-expressions:
    - {key: network-speed, operator: NotIn, values: [slow]}
bgp-communities:
  no-advertise: 65535:65282
address-pools:
- name: public
  protocol: bgp
  auto-assign: no
  avoid-buggy-ips: true
  addresses: [198.51.100.0/24, "2001:db8::/112"]
  bgp-advertisements:
  - aggregation-length: 32
    localpref: 100
    communities: [no-advertise]
  - aggregation-length: 24
    aggregation-length-v6: 112
- name: plain
  protocol: bgp
  addresses: [203.0.113.0/25]
bfd-profiles:
- name: fast
  receive-interval: 280
  transmit-interval: 270
  detect-multiplier: 4
  echo-interval: 37
  echo-mode: true
  passive-mode: true
  minimum-ttl: 254
`),
    gives: [
      [
        'IPAddressPool metallb-system/public',
        { addresses: ['198.51.100.0/24', '2001:db8::/112'], autoAssign: false, avoidBuggyIPs: true },
      ],
      ['IPAddressPool metallb-system/plain', { addresses: ['203.0.113.0/25'] }],
      [
        'BGPAdvertisement metallb-system/public',
        { ipAddressPools: ['public'], aggregationLength: 32, localPref: 100, communities: ['no-advertise'] },
      ],
      [
        'BGPAdvertisement metallb-system/public-2',
        { ipAddressPools: ['public'], aggregationLength: 24, aggregationLengthV6: 112 },
      ],
      ['BGPAdvertisement metallb-system/plain', { ipAddressPools: ['plain'] }],
      [
        'BGPPeer metallb-system/peer1',
        {
          myASN: 64500,
          peerASN: 64501,
          peerAddress: '10.0.0.1',
          sourceAddress: '10.0.0.7',
          peerPort: 1179,
          holdTime: '120s',
          keepaliveTime: '40s',
          routerID: '10.9.9.9',
          nodeSelectors: [
            {
              matchLabels: { rack: 'frontend' },
              matchExpressions: [{ key: 'network-speed', operator: 'NotIn', values: ['slow'] }],
            },
          ],
          password: 'not to be seen',
          bfdProfile: 'fast',
          ebgpMultiHop: true,
        },
      ],
      [
        'BFDProfile metallb-system/fast',
        {
          receiveInterval: 280,
          transmitInterval: 270,
          detectMultiplier: 4,
          echoInterval: 37,
          echoMode: true,
          passiveMode: true,
          minimumTtl: 254,
        },
      ],
      ['Community metallb-system/communities', { communities: [{ name: 'no-advertise', value: '65535:65282' }] }],
    ],
    notes: [`f.yaml:7, line 10 of data.config: peers[0].password ${PASSWORD}`],
  },
  {
    name: 'configInline of Helm values, and what stands beside it',
    text: `loadBalancerClass: metal
controller: {}
configInline:
  address-pools:
  - {name: My_Pool, protocol: layer2, addresses: [192.0.2.0/28]}
speaker: {}
`,
    gives: [
      ['IPAddressPool metallb-system/my-pool', { addresses: ['192.0.2.0/28'] }],
      ['L2Advertisement metallb-system/my-pool', { ipAddressPools: ['my-pool'] }],
    ],
    notes: [
      'f.yaml:5: pool My_Pool becomes my-pool, because Kubernetes takes no such name: Services that ask for it by the annotation metallb.io/address-pool or metallb.universe.tf/address-pool must be changed',
      'f.yaml:1: loadBalancerClass belongs to the installation: start Herald with --lb-class=metal',
      'f.yaml:2: controller and speaker belong to the installation of MetalLB; docs/cli.md lists the settings of Herald',
    ],
  },
  {
    name: 'configInline inside of the text of a Konvoy addon',
    text: `kind: ClusterConfiguration
apiVersion: konvoy.mesosphere.io/v1beta2
spec:
  addons:
  - addonsList:
    - name: metallb
      values: |-
        configInline:
          address-pools:
          - name: default
            protocol: layer2
            addresses:
            - 10.0.50.25-10.0.50.50
`,
    gives: [
      ['IPAddressPool metallb-system/default', { addresses: ['10.0.50.25-10.0.50.50'] }],
      ['L2Advertisement metallb-system/default', { ipAddressPools: ['default'] }],
    ],
  },
  {
    name: 'a bare configuration file, into the namespace of choice',
    text: 'address-pools:\n- {name: a, protocol: layer2, addresses: [192.0.2.0/28]}\n',
    gives: [
      ['IPAddressPool metallb-system/a', { addresses: ['192.0.2.0/28'] }],
      ['L2Advertisement metallb-system/a', { ipAddressPools: ['a'] }],
    ],
  },
  {
    name: 'AddressPool v1alpha1 and v1beta1 beside an advertisement that has the name already',
    text: `apiVersion: metallb.io/v1beta1
kind: AddressPool
metadata: {name: lan, namespace: metallb, labels: {tier: edge}}
spec: {protocol: layer2, addresses: [192.0.2.0/28], autoAssign: true}
---
apiVersion: metallb.io/v1alpha1
kind: AddressPool
metadata: {name: wan, namespace: metallb}
spec:
  protocol: bgp
  autoAssign: false
  addresses: [198.51.100.0/24]
  bgpAdvertisements: [{aggregationLength: 24, localPref: 0, communities: ["64512:1"]}]
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: lan, namespace: metallb}
`,
    gives: [
      ['IPAddressPool metallb/lan', { addresses: ['192.0.2.0/28'] }],
      ['IPAddressPool metallb/wan', { addresses: ['198.51.100.0/24'], autoAssign: false }],
      ['L2Advertisement metallb/lan', {}],
      ['L2Advertisement metallb/lan-2', { ipAddressPools: ['lan'] }],
      ['BGPAdvertisement metallb/wan', { ipAddressPools: ['wan'], aggregationLength: 24, communities: ['64512:1'] }],
    ],
  },
  {
    name: 'BGPPeer v1beta1, with what Go writes for fields that were not given',
    text: `apiVersion: metallb.io/v1beta1
kind: BGPPeer
metadata: {name: tor, namespace: metallb-system}
spec:
  myASN: 64512
  peerASN: 64512
  peerAddress: 192.0.2.1
  peerPort: 0
  holdTime: 0s
  routerID: ""
  ebgpMultiHop: true
  vrf: red
  nodeSelectors:
  - matchExpressions: [{key: edge, operator: Exists, values: [x]}]
`,
    gives: [
      [
        'BGPPeer metallb-system/tor',
        {
          myASN: 64512,
          peerASN: 64512,
          peerAddress: '192.0.2.1',
          nodeSelectors: [{ matchExpressions: [{ key: 'edge', operator: 'Exists' }] }],
        },
      ],
    ],
    notes: [
      'f.yaml:9: spec.holdTime is 0s, which meant "not given" in v1beta1 and means "never" in v1beta2: it is left out',
      'f.yaml:14: spec.nodeSelectors[0].matchExpressions[0].values are left out: Exists takes none',
      'f.yaml:11: spec.ebgpMultiHop is for peers of another AS alone, and this one is of the same: it is left out',
      'f.yaml:12: spec.vrf is no field of v1beta1: it had no effect, and is left out; v1beta2 has it',
    ],
  },
  {
    name: 'BGPPeer v1beta1 with a Secret keeps the reference',
    text: `apiVersion: metallb.io/v1beta1
kind: BGPPeer
metadata: {name: tor, namespace: metallb-system}
spec: {myASN: 1, peerASN: 2, peerAddress: 192.0.2.1, passwordSecret: {name: tor-password}}
`,
    gives: [
      [
        'BGPPeer metallb-system/tor',
        { myASN: 1, peerASN: 2, peerAddress: '192.0.2.1', passwordSecret: { name: 'tor-password' } },
      ],
    ],
    notes: [
      'f.yaml:4: spec.passwordSecret had no effect in v1beta1 and takes effect in v1beta2: the router must have the password',
    ],
  },
];

spec('convert', (test) => {
  for (const { name, text, gives, notes = [] } of cases)
    test(name, () => {
      const result = converted(text);
      assert.equal(result.errors, []);
      assert.equal(result.specs, gives);
      assert.equal(result.notes, notes);
    });

  test('--namespace wins over what the source says', () => {
    const { specs } = converted(cases[0]?.text ?? '', 'herald-system');
    assert.equal(
      specs.map(([name]) => name),
      ['IPAddressPool herald-system/default', 'L2Advertisement herald-system/default'],
    );
  });

  test('what it printed, it leaves alone', () => {
    for (const { text } of cases) {
      const once = convert([{ name: 'f.yaml', text }]);
      const twice = convert([{ name: 'out.yaml', text: renderConversion(once) }]);
      assert.equal(twice.objects, once.objects);
      assert.equal(twice.errors, []);
    }
  });

  test('the notes stand on top of the manifests, and a password only where it stood', () => {
    const conversion = convert([{ name: 'f.yaml', text: cases[1]?.text ?? '' }]);
    const text = renderConversion(conversion);
    assert.ok(text.startsWith('# f.yaml:7, line 10 of data.config: peers[0].password stands here in clear'), text);
    assert.is(text.split('not to be seen').length, 2);
    assert.is(parseAllDocuments(text).length, conversion.objects.length);
  });
});

interface Refused {
  readonly name: string;
  readonly text: string;
  readonly errors: readonly string[];
}

const refused: readonly Refused[] = [
  {
    name: 'a protocol that does not exist',
    text: 'address-pools:\n- {name: a, protocol: l2, addresses: [192.0.2.0/28]}\n',
    errors: ['f.yaml:2: address-pools[0].protocol must be layer2 or bgp, not l2'],
  },
  {
    name: 'fields that are missing, all at once',
    text: 'address-pools:\n- protocol: bgp\npeers:\n- my-asn: 64512\n',
    errors: [
      'f.yaml:2: address-pools[0].name is missing',
      'f.yaml:2: address-pools[0].addresses is missing: a pool has at least one range',
      'f.yaml:4: peers[0].peer-asn is missing',
      'f.yaml:4: peers[0].peer-address is missing',
    ],
  },
  {
    name: 'wrong types, in a ConfigMap with the line of its text',
    text: configMap('peers:\n- my-asn: x\n  peer-asn: -1\n  peer-address: 10.0.0.1\n  hold-time: 90\n'),
    errors: [
      'f.yaml:7, line 2 of data.config: peers[0].my-asn must be a whole number from 0 to 4294967295',
      'f.yaml:7, line 3 of data.config: peers[0].peer-asn must be a whole number from 0 to 4294967295',
      'f.yaml:7, line 5 of data.config: peers[0].hold-time must be a text: put it in quotes',
    ],
  },
  {
    name: 'a duration without a unit',
    text: 'peers:\n- {my-asn: 1, peer-asn: 2, peer-address: 10.0.0.1, hold-time: "90"}\n',
    errors: ['f.yaml:2: peers[0].hold-time must be a duration such as 90s, not 90'],
  },
  {
    name: 'a text that is no YAML',
    text: configMap('address-pools: [\n'),
    errors: ['f.yaml:7, line 2 of data.config: '],
  },
  {
    name: 'the same object twice',
    text: ['a', 'b']
      .map(
        (zone) => `apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: p}\nspec: {zone: ${zone}}\n`,
      )
      .join('---\n'),
    errors: ['f.yaml:6: IPAddressPool p comes a second time: it is at f.yaml:1 too'],
  },
];

spec('convert refuses', (test) => {
  for (const { name, text, errors } of refused)
    test(name, () => {
      const found = converted(text).errors;
      assert.is(found.length, errors.length, found.join('\n'));
      for (const [at, error] of errors.entries()) assert.ok(found[at]?.startsWith(error), found[at]);
    });

  test('what the API server would refuse is told with its place, and without the password', () => {
    const { notes } = converted(
      'address-pools:\n- {name: a, protocol: layer2, addresses: [192.0.2.0/33]}\n---\napiVersion: metallb.io/v1beta2\nkind: BGPPeer\nmetadata: {name: p}\nspec: {myASN: 1, peerASN: 2, peerAddress: 10.0.0.1, password: 4711}\n',
    );
    assert.match(notes.join('\n'), /f.yaml:2: IPAddressPool a will be refused: spec.addresses\[0\] /);
    assert.match(notes.join('\n'), /BGPPeer p will be refused: spec.password cannot be used/);
    assert.not.match(notes.join('\n'), /4711/);
  });

  test('a ConfigMap of somebody else is none of its business', () => {
    const { specs, errors, others } = converted(
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config}\ndata: {config: "a: ["}\n',
    );
    assert.equal([specs, errors, others], [[], [], 1]);
  });
});
