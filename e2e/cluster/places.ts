/** Where the lab keeps its things: the checkout, the caches that survive, and the state of a running cluster. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** The cluster's name in kind; its nodes are named after it. */
export const CLUSTER = 'herald';
/** The docker network that kind puts its nodes on. */
export const NETWORK = 'kind';
/** What all components of the cluster are built as. */
export const KUBERNETES_VERSION = 'v1.34.4';
/** The published image of the same version, for machines that can pull images. */
export const PUBLISHED_NODE_IMAGE = `kindest/node:${KUBERNETES_VERSION}`;
/** The image for test pods: busybox and Node, on every node from the start. */
export const E2E_IMAGE = 'localhost/herald-e2e:1';

/** The top of the checkout. */
export const repository: string = resolve(import.meta.dirname, '../..');

const cache = process.env['HERALD_CACHE'] ?? join(homedir(), '.cache', 'herald');

/** Every directory and file outside the checkout that the lab writes. */
export const places = {
  cache,
  binaries: join(cache, 'bin'),
  /** Other people's programs that scenarios run, built from their Go modules. */
  tools: join(cache, 'tools'),
  rootfs: join(cache, 'rootfs'),
  /** dockerd's data root: images stay in it from one cluster to the next. */
  docker: join(cache, 'docker'),
  logs: join(cache, 'logs'),
  run: join(cache, 'run'),
  socket: join(cache, 'run', 'docker.sock'),
  engineState: join(cache, 'run', 'engine.json'),
  clusterState: join(cache, 'run', 'cluster.json'),
  kubeconfig: join(cache, 'run', 'kubeconfig'),
  lock: join(cache, 'run', 'lock'),
} as const;
