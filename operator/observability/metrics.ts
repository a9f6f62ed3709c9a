/** What every process says about itself, beside Node's own metrics. */

import { Gauge, type Registry } from 'prom-client';

/** Registers the build information. */
export function createBuildMetrics(registry: Registry) {
  return {
    info: new Gauge({
      registers: [registry],
      name: 'herald_build_info',
      labelNames: ['version', 'node_version'],
      help: 'Always 1; the labels say which version of Herald and of Node.js runs.',
    }),
  };
}
