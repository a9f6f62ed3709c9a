/** The registry of a process, with what every process measures: Node's own metrics and which build this is. */

import { collectDefaultMetrics, Registry } from 'prom-client';
import { createBuildMetrics } from './metrics.ts';
import { VERSION } from './version.ts';

/** Creates a registry with Node's default metrics. */
export function createRegistry(version: string = VERSION): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  createBuildMetrics(registry).info.set({ version, node_version: process.version }, 1);
  return registry;
}
