/** What older MetalLBs read, and what it becomes: for the tests of the conversion and for a real API server. */

/** As MetalLB up to 0.12 was told to write it. */
export const configMap = (config: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  namespace: metallb-system\n  name: config\ndata:\n  config: |\n${config.replaceAll(/^/gm, '    ')}`;

/** A source, what becomes of it, and what is said beside. */
interface Sample {
  readonly name: string;
  readonly text: string;
  readonly gives: readonly (readonly [string, Record<string, unknown>])[];
  readonly notes?: readonly string[];
}

const PASSWORD =
  'stands here in clear: move it into a Secret of type kubernetes.io/basic-auth with the key password, and name that in passwordSecret';

/** Of everything that was documented for it, once. */
export const samples: readonly Sample[] = [
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
    name: 'a hold time of nothing, which was one in the ConfigMap',
    text: 'peers:\n- {my-asn: 1, peer-asn: 2, peer-address: 192.0.2.1, hold-time: "0s"}\n',
    gives: [['BGPPeer metallb-system/peer1', { myASN: 1, peerASN: 2, peerAddress: '192.0.2.1', holdTime: '0s' }]],
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
