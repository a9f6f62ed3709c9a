/** Settings that every role of the product has. */

import * as z from 'zod';
import { LOG_LEVELS, type LogLevel } from '../observability/log.ts';
import type { FlagTable, ValuesOf } from './flag.ts';
import { ipAddress, namespaceName, namespaceNames, oneOf, wholeNumber } from './flag.ts';
import { type Environment, readFlags, SettingsError } from './read.ts';

/** Where Kubernetes tells a pod its own namespace. */
const NAMESPACE_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

export interface CommonSettings {
  /** Herald's own namespace: its Lease, its Secret, its PoolSet. */
  readonly namespace: string;
  /** Where configuration objects are read, Herald's own namespace first. */
  readonly configNamespaces: readonly string[];
  readonly podName: string;
  /** The class of the Services that are ours; empty means Services without a class. */
  readonly lbClass: string;
  readonly logLevel: LogLevel;
  /** 0 switches the metrics endpoint off. */
  readonly metricsPort: number;
  /** Empty listens on all addresses; a loopback address makes the endpoint plain HTTP. */
  readonly metricsBindAddress: string;
  readonly healthProbePort: number;
  /** A kubeconfig; absent means the credentials of the pod. */
  readonly kubeconfig?: string;
}

/** What a process finds around it; a parameter so that tests need no environment of their own. */
export interface Surroundings {
  readonly args: readonly string[];
  readonly env: Environment;
  readonly hostname: string;
  /** Reads a small text file, or returns undefined when it cannot. */
  readonly readFile: (path: string) => string | undefined;
}

export const commonFlags = {
  namespace: {
    schema: namespaceName,
    env: 'METALLB_NAMESPACE',
    placeholder: 'NAME',
    default: '',
    defaultInWords: 'the namespace of the pod',
    help: 'The namespace that Herald itself runs in.',
  },
  'config-namespaces': {
    schema: namespaceNames,
    env: 'HERALD_CONFIG_NAMESPACES',
    placeholder: 'NAME,NAME',
    default: 'metallb-system',
    help: 'Further namespaces whose pools, advertisements and peers are read, besides its own.',
  },
  'pod-name': {
    schema: z.string(),
    env: 'METALLB_POD_NAME',
    placeholder: 'NAME',
    default: '',
    defaultInWords: 'the host name',
    help: 'The name of this pod: the identity in leader election and events.',
  },
  'lb-class': {
    schema: z.string(),
    placeholder: 'CLASS',
    default: '',
    help: 'Only Services with this loadBalancerClass; empty means only Services without a class.',
  },
  'log-level': {
    schema: oneOf(LOG_LEVELS),
    placeholder: 'LEVEL',
    default: 'info',
    help: `How much is logged: ${LOG_LEVELS.join(', ')}.`,
  },
  port: {
    schema: wholeNumber(0, 65_535),
    placeholder: 'PORT',
    default: '9120',
    help: 'The port of the metrics endpoint; 0 switches it off.',
  },
  'metrics-bind-address': {
    schema: ipAddress,
    env: 'HERALD_METRICS_BIND_ADDRESS',
    placeholder: 'ADDRESS',
    default: '',
    defaultInWords: 'all addresses',
    help: 'The address of the metrics endpoint: TLS with a token review, but plain HTTP on a loopback address.',
  },
  'health-probe-port': {
    schema: wholeNumber(1, 65_535),
    placeholder: 'PORT',
    default: '17472',
    help: 'The port of /healthz and /readyz.',
  },
  kubeconfig: {
    schema: z.string(),
    env: 'KUBECONFIG',
    placeholder: 'FILE',
    default: '',
    defaultInWords: 'the credentials of the pod',
    help: 'How to reach the API server from outside of the cluster.',
  },
} as const satisfies FlagTable;

/**
 * Reads a whole role: `finish` turns the values of its flags into settings and adds mistakes of its own.
 *
 * @throws {SettingsError} with every mistake, never only the first
 */
export function readRole<Table extends typeof commonFlags, Settings extends CommonSettings>(
  role: string,
  table: Table,
  { args, env, hostname, readFile }: Surroundings,
  finish: (values: ValuesOf<Table>, common: CommonSettings, mistakes: string[]) => Settings,
): Settings {
  const read = readFlags(table, args, env);
  const mistakes = [...read.mistakes];
  const values = read.values as ValuesOf<Table>;

  const namespace = values.namespace || (readFile(NAMESPACE_FILE)?.trim() ?? '');
  if (values.namespace === '' && namespace === '')
    mistakes.push('--namespace is missing: outside of a pod set it, or METALLB_NAMESPACE');
  if (values.kubeconfig === '' && !env['KUBERNETES_SERVICE_HOST'])
    mistakes.push('--kubeconfig is missing: outside of a pod set it, or KUBECONFIG, to reach the API server');
  if (values.port !== undefined && values.port !== 0 && values.port === values['health-probe-port'])
    mistakes.push(`--port and --health-probe-port are both ${values.port}: give them different ports`);

  const common: CommonSettings = {
    namespace,
    configNamespaces: [...new Set([namespace, ...(values['config-namespaces'] ?? [])])],
    podName: values['pod-name'] || hostname,
    lbClass: values['lb-class'],
    logLevel: values['log-level'],
    metricsPort: values.port,
    metricsBindAddress: values['metrics-bind-address'],
    healthProbePort: values['health-probe-port'],
    ...(values.kubeconfig && { kubeconfig: values.kubeconfig }),
  };
  const settings = finish(values, common, mistakes);
  if (mistakes.length > 0) throw new SettingsError(role, mistakes);
  return settings;
}
