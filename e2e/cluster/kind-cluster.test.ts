import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { rejection, spec } from '../../testing/spec.ts';
import { assertFree, claimedPorts, parseKindConfig } from './kind-cluster.ts';
import { repository } from './places.ts';
import { Problem } from './problem.ts';

spec('kind configuration', (test) => {
  test('ours has three nodes and claims no port', () => {
    const config = parseKindConfig(readFileSync(join(repository, 'kind-config.yaml'), 'utf8'));
    assert.equal(
      config.nodes.map(({ role }) => role),
      ['control-plane', 'worker', 'worker'],
    );
    assert.equal(claimedPorts(config), []);
  });
  test('ports of the API server and of mappings are claimed', () => {
    const text = `
networking: {podSubnet: 10.244.0.0/16, apiServerPort: 6443}
nodes: [{role: control-plane, extraPortMappings: [{containerPort: 80, hostPort: 8080}, {containerPort: 81}]}]`;
    assert.equal(claimedPorts(parseKindConfig(text)), [6443, 8080]);
  });
  test('a configuration without what the lab needs is refused', async () => {
    const problem = await rejection(Problem, () => parseKindConfig('kind: Cluster'));
    assert.match(problem.message, /podSubnet and nodes/);
  });
  test('a taken port is named, a free one is not', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const problem = await rejection(Problem, () => assertFree(port));
    assert.is(problem.reason, 'PortTaken');
    assert.match(problem.message, new RegExp(`Port ${port}`));
    await new Promise((resolve) => server.close(resolve));
    await assertFree(port);
  });
});
