/** Settings of `herald speaker`. */

import * as z from 'zod';
import { type CommonSettings, commonFlags, readRole, type Surroundings } from './common.ts';
import { emptyOr, type FlagTable, httpUrl, ipAddress, oneOf, regularExpression, wholeNumber, yesOrNo } from './flag.ts';

/** MetalLB's list (its ConfigMap metallb-excludel2): interfaces of containers, tunnels and the loopback. */
const EXCLUDED_INTERFACES =
  '^docker.*|^cbr.*|^dummy.*|^virbr.*|^lxcbr.*|^veth.*|^lo$|^cali.*|^tunl.*|^flannel.*|^kube-ipvs.*|^cni.*|^nodelocaldns.*|^lxc.*';

const INTERVAL_MS = { normal: 100, fast: 50 } as const;

export interface SpeakerSettings extends CommonSettings {
  readonly nodeName: string;
  /** True announces also from nodes labelled `node.kubernetes.io/exclude-from-external-load-balancers`. */
  readonly ignoreExcludeLb: boolean;
  readonly heartbeat: {
    /** Absent listens on all addresses. */
    readonly bindAddress?: string;
    readonly port: number;
    readonly intervalMs: number;
    /** How many heartbeats in a row must be missing until a peer counts as gone. */
    readonly missed: number;
  };
  /** Who owns an address when a node returns: the first by the hash order, or who has it. */
  readonly ownership: 'hash' | 'sticky';
  /** `lease`: of the sides of a cut only the one with the API server answers. */
  readonly fencing: 'none' | 'lease';
  /** Where the Secret with the member key is mounted, for a restart without the API server. */
  readonly memberKeyFolder: string;
  /** Where kube-proxy of this node tells whether it forwards; absent: nobody is asked. */
  readonly kubeProxyMetrics?: string;
  /** ServiceL2Status for each announced Service: `auto` up to 500 Services. */
  readonly serviceStatuses: 'auto' | 'always';
  /** One regular expression; an interface whose name matches never announces. */
  readonly excludeInterfaces: string;
  /** Who answers ARP and Neighbor Solicitations; `auto` and `kernel` fall back to packet sockets. */
  readonly l2Responder: 'auto' | 'kernel' | 'packet';
}

export const speakerFlags = {
  ...commonFlags,
  'node-name': {
    schema: z.string().min(1, 'must not be empty'),
    env: 'METALLB_NODE_NAME',
    placeholder: 'NAME',
    help: 'The Node that this speaker runs on.',
    remedy: 'downward API: spec.nodeName',
  },
  'ignore-exclude-lb': {
    schema: yesOrNo,
    placeholder: '',
    default: 'false',
    help: 'Announce also from nodes labelled node.kubernetes.io/exclude-from-external-load-balancers.',
  },
  'ml-bindaddr': {
    schema: ipAddress,
    env: 'METALLB_ML_BIND_ADDR',
    placeholder: 'ADDRESS',
    default: '',
    defaultInWords: 'all addresses',
    help: 'The address that heartbeats of other speakers are received on.',
  },
  'ml-bindport': {
    schema: wholeNumber(1, 65_535),
    env: 'METALLB_ML_BIND_PORT',
    placeholder: 'PORT',
    default: '7946',
    help: 'The UDP port of heartbeats between speakers, the same on every node.',
  },
  'ml-secret-key-path': {
    schema: z.string().min(1, 'must not be empty'),
    env: 'METALLB_ML_SECRET_KEY_PATH',
    placeholder: 'FOLDER',
    default: '/etc/herald/memberkey',
    help: 'Where the Secret herald-memberkey is mounted: read when the API server does not answer at start.',
  },
  'failure-detection': {
    schema: oneOf(['normal', 'fast']),
    env: 'HERALD_FAILURE_DETECTION',
    placeholder: 'HOW',
    default: 'normal',
    help: 'How soon a silent node is taken over: normal sends a heartbeat every 100 ms, fast every 50 ms; three in a row must be missing.',
  },
  'heartbeat-interval-ms': {
    schema: emptyOr(wholeNumber(20, 5_000)),
    env: 'HERALD_HEARTBEAT_INTERVAL_MS',
    placeholder: 'MILLISECONDS',
    default: '',
    defaultInWords: 'by --failure-detection',
    help: 'Every peer is sent one heartbeat per interval.',
  },
  'heartbeat-missed': {
    schema: wholeNumber(2, 50),
    env: 'HERALD_HEARTBEAT_MISSED',
    placeholder: 'COUNT',
    default: '3',
    help: 'So many missing heartbeats in a row mean that a peer is gone.',
  },
  fencing: {
    schema: oneOf(['none', 'lease']),
    env: 'HERALD_FENCING',
    placeholder: 'HOW',
    default: 'none',
    help: 'When the network falls apart: none lets each side answer its own clients, lease makes a node that has lost peers stop after 2 s without the API server.',
  },
  ownership: {
    schema: oneOf(['hash', 'sticky']),
    env: 'HERALD_OWNERSHIP',
    placeholder: 'RULE',
    default: 'hash',
    help: 'When a node returns: hash gives it back what is its own by the order of MetalLB, sticky leaves it with who took it over. In force once all speakers say sticky.',
  },
  'kube-proxy-metrics': {
    schema: httpUrl,
    env: 'HERALD_KUBE_PROXY_METRICS',
    placeholder: 'URL',
    default: 'http://127.0.0.1:10249/metrics',
    help: 'A node that (re)starts answers for nothing before kube-proxy there has written its rules, as these metrics tell; empty asks nobody, where something else forwards.',
  },
  'service-statuses': {
    schema: oneOf(['auto', 'always']),
    env: 'HERALD_SERVICE_STATUSES',
    placeholder: 'WHEN',
    default: 'auto',
    help: 'A ServiceL2Status and the event nodeAssigned for each Service: auto up to 500 Services, or always.',
  },
  'exclude-interfaces': {
    schema: regularExpression,
    env: 'HERALD_EXCLUDE_INTERFACES',
    placeholder: 'REGEX',
    default: EXCLUDED_INTERFACES,
    help: 'Interfaces whose name matches never announce; the default is the list of MetalLB.',
  },
  'l2-responder': {
    schema: oneOf(['auto', 'kernel', 'packet']),
    env: 'HERALD_L2_RESPONDER',
    placeholder: 'WHICH',
    default: 'packet',
    help: 'Who answers ARP and Neighbor Solicitations: packet sockets, or a program in the kernel (kernel, auto), which needs Linux 6.6 and the capability BPF and otherwise leaves it to packet sockets.',
  },
} as const satisfies FlagTable;

/** @throws {SettingsError} listing every mistake at once, never only the first */
export function readSpeakerSettings(surroundings: Surroundings): SpeakerSettings {
  return readRole('speaker', speakerFlags, surroundings, (values, common) => ({
    ...common,
    nodeName: values['node-name'],
    ignoreExcludeLb: values['ignore-exclude-lb'],
    heartbeat: {
      ...(values['ml-bindaddr'] && { bindAddress: values['ml-bindaddr'] }),
      port: values['ml-bindport'],
      intervalMs: values['heartbeat-interval-ms'] ?? INTERVAL_MS[values['failure-detection'] ?? 'normal'],
      missed: values['heartbeat-missed'],
    },
    fencing: values.fencing,
    ownership: values.ownership,
    memberKeyFolder: values['ml-secret-key-path'],
    ...(values['kube-proxy-metrics'] && { kubeProxyMetrics: values['kube-proxy-metrics'] }),
    serviceStatuses: values['service-statuses'],
    excludeInterfaces: values['exclude-interfaces'],
    l2Responder: values['l2-responder'],
  }));
}
