/** The role `herald speaker`: answers for addresses on this node and takes over from others. */

import { connect } from '../cluster/api-connection.ts';
import { EventRecorder } from '../cluster/events.ts';
import { followApiServers } from '../cluster/follow-api-servers.ts';
import { createClusterMetrics } from '../cluster/metrics.ts';
import { describeMissing, missingCapabilities } from '../host/capabilities.ts';
import { type RunningServer, startHealthServer, startMetricsServer } from '../observability/http.ts';
import { readMetrics } from '../observability/local-metrics.ts';
import { createLogger, type Logger } from '../observability/log.ts';
import { createRegistry } from '../observability/registry.ts';
import type { SpeakerSettings } from '../settings/speaker.ts';
import { AddressProbes, addressProbeSource } from '../speaker/address-probes.ts';
import { Agent, type AgentOptions } from '../speaker/agent.ts';
import { ClusterView } from '../speaker/cluster-view.ts';
import { Fence } from '../speaker/fence.ts';
import { type AnnouncedHere, announcedHere, L2StatusReporter } from '../speaker/l2-status.ts';
import { followMemberKey } from '../speaker/member-key.ts';
import { createSpeakerMetrics } from '../speaker/metrics.ts';
import { NodeReporter } from '../speaker/node-reporter.ts';
import { RunFolder } from '../speaker/run-folder.ts';
import { SpeakerThreads } from '../speaker/threads.ts';
import { systemClock } from '../speaker/wire/clock.ts';

/** The capability that AF_PACKET sockets need. */
const NEEDED = ['NET_RAW'] as const;
/** Retrying does not help: somebody must change how the pod is run. */
const EXIT_UNABLE = 2;
const RUN_FOLDER = '/run/herald';
/** The highest version of election and advertising that this build computes. */
const ALGORITHM_VERSION = 1;
/** kube-proxy on this node: a listener on the loopback answers at once or not at all. */
const PROXY_TIMEOUT_MS = 1_000;
/** A write that takes longer is none, for a node that may be cut off. */
const FENCE_TIMEOUT_MS = 1_000;
const ISOLATION_HOLD_MS = 10_000;
/** The kubelet asks on the loopback: nobody else needs to. */
const HEALTH_HOST = '127.0.0.1';
/** Above this many Services nobody is told about each one (ServiceL2Status, nodeAssigned) unless asked to. */
const MAX_REPORTED_SERVICES = 500;

/** How a speaker ends: told to by a signal, or by something without which it cannot work. */
type End = { readonly why: 'Signal'; readonly signal: string } | { readonly why: 'Unable'; readonly message: string };

/** Runs until SIGTERM or SIGINT. @returns the exit code: 0 after a hand-over, 2 when a capability is missing, 1 else */
export async function runSpeaker(settings: SpeakerSettings): Promise<number> {
  const [missing] = missingCapabilities(NEEDED);
  if (missing) return unable(describeMissing(missing));
  const log = createLogger({ level: settings.logLevel }).child({ node: settings.nodeName });
  let tellEnd: (how: End) => void = () => {};
  const ending = new Promise<End>((resolve) => {
    tellEnd = resolve;
  });
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => tellEnd({ why: 'Signal', signal }));
  const stopping = new AbortController();
  const speaker = await start(settings, log, stopping.signal, tellEnd);
  const end = await ending;
  if (end.why === 'Unable') return unable(end.message);
  log.info('leaving', { signal: end.signal });
  await speaker.leave();
  stopping.abort();
  await speaker.stop();
  return 0;
}

/** One clear sentence, for `kubectl logs` of a pod that does not start. */
function unable(message: string): number {
  process.stderr.write(`herald speaker: ${message}\n`);
  return EXIT_UNABLE;
}

interface RunningSpeaker {
  leave(): Promise<void>;
  stop(): Promise<void>;
}

async function start(
  settings: SpeakerSettings,
  log: Logger,
  signal: AbortSignal,
  end: (how: End) => void,
): Promise<RunningSpeaker> {
  const registry = createRegistry();
  const clusterMetrics = createClusterMetrics(registry);
  const metrics = createSpeakerMetrics(registry, settings.nodeName);
  const connection = connect(settings, { metrics: clusterMetrics });
  const view = new ClusterView({ connection, settings, log, metrics: clusterMetrics });
  const folder = new RunFolder(RUN_FOLDER, settings.nodeName);
  const onThreadEnd = (error: Error): never => {
    throw error; // half a speaker must not go on: the pod restarts, the others take over
  };
  const threads = new SpeakerThreads(clockData(settings, folder), onThreadEnd, settings.l2Responder);
  const events = new EventRecorder(connection, {
    component: 'herald-speaker',
    instance: settings.podName,
    log,
    metrics: clusterMetrics,
  });
  const reporter = new L2StatusReporter({
    ...settings,
    node: settings.nodeName,
    connection,
    log,
    isWanted: () => settings.serviceStatuses === 'always' || view.serviceKeys().length <= MAX_REPORTED_SERVICES,
    onAnnounced: (key, announced) => tellPeople(events, view, settings.nodeName, key, announced),
  });
  const agent = new Agent({
    node: settings.nodeName,
    excludeInterfaces: settings.excludeInterfaces,
    view,
    threads,
    folder,
    clock: systemClock,
    wallClock: Date.now,
    ...proxyOf(settings),
    metrics,
    log,
    onOwned: (owned, desired) => reporter.announced(announcedHere(owned, desired)),
    onFatal: (_reason, message) => end({ why: 'Unable', message }),
  });
  const report = new NodeReporter({
    connection,
    namespace: settings.namespace,
    node: settings.nodeName,
    threads,
    view,
    ignoresExcludeLabel: settings.ignoreExcludeLb,
    readiness: () => agent.readiness(),
    clock: systemClock,
    wallClock: Date.now,
    metrics,
    log,
  });
  if (settings.fencing === 'lease')
    new Fence({
      threads,
      clock: systemClock,
      renew: () => report.renewLease(FENCE_TIMEOUT_MS),
      onChange: (isFenced) => agent.fence(isFenced),
    });
  const probes = addressProbeSource(connection, settings.namespace, log);
  new AddressProbes({
    source: probes,
    node: settings.nodeName,
    excludeInterfaces: settings.excludeInterfaces,
    view,
    threads,
    onResults: (results, isNews) => report.setProbes(results, isNews),
    log,
  });
  const servers = await startServers(settings, log, { agent, registry, connection });
  const working = [
    view.run(signal),
    reporter.run(signal),
    report.run(signal),
    probes.run(signal),
    settings.kubeconfig ? undefined : followApiServers({ connection, log }, signal),
    followMemberKey({ ...settings, connection, log, onKeys: (keys) => agent.setKeys(keys) }, signal),
  ];
  return {
    leave: () => agent.leave(),
    async stop() {
      events.close();
      await threads.stop();
      await Promise.all([...working, ...servers.map((server) => server.close())]);
      connection.close();
    },
  };
}

const proxyOf = ({ kubeProxyMetrics: url }: SpeakerSettings): Pick<AgentOptions, 'readProxy'> =>
  url === undefined ? {} : { readProxy: () => readMetrics(url, PROXY_TIMEOUT_MS) };

const clockData = ({ nodeName, heartbeat, ownership }: SpeakerSettings, folder: RunFolder) => ({
  config: {
    node: nodeName,
    incarnation: folder.nextIncarnation(Date.now()),
    algorithmVersion: ALGORITHM_VERSION,
    intervalMs: heartbeat.intervalMs,
    missed: heartbeat.missed,
    // a starting speaker listens for two detection times in all
    startMarginMs: heartbeat.intervalMs * heartbeat.missed,
    isolationHoldMs: ISOLATION_HOLD_MS,
    leaveTimeoutMs: 1_000,
    isSticky: ownership === 'sticky',
  },
  port: heartbeat.port,
  ...(heartbeat.bindAddress !== undefined && { bindAddress: heartbeat.bindAddress }),
});

async function startServers(
  settings: SpeakerSettings,
  log: Logger,
  {
    agent,
    registry,
    connection,
  }: {
    readonly agent: Agent;
    readonly registry: ReturnType<typeof createRegistry>;
    readonly connection: ReturnType<typeof connect>;
  },
): Promise<readonly RunningServer[]> {
  const health = await startHealthServer({
    port: settings.healthProbePort,
    host: HEALTH_HOST,
    isReady: () => agent.readiness(),
    isAlive: () => agent.isAlive(),
  });
  if (settings.metricsPort === 0) return [health];
  const host = settings.metricsBindAddress;
  const metrics = await startMetricsServer({ port: settings.metricsPort, host, registry, connection, log });
  return [health, metrics];
}

/** The events of MetalLB's speakers, in their words. */
function tellPeople(
  events: EventRecorder,
  view: ClusterView,
  node: string,
  key: string,
  { unanswered }: AnnouncedHere,
): void {
  const service = view.service(key);
  if (!service) return;
  const [address] = unanswered;
  if (address === undefined)
    events.event(service, 'Normal', 'nodeAssigned', `announcing from node "${node}" with protocol "layer2"`);
  else {
    const what = `the interfaces specified by LB IP "${address}" doesn't exist in assigned node "${node}" with protocol "layer2"`;
    events.event(service, 'Warning', 'announceFailed', what);
  }
}
