/** Metrics are served by every process over TLS, to those alone whom the API server allows to read them. */

import * as assert from 'uvu/assert';
import { NAMESPACE, pods } from '../lib/herald.ts';
import type { KubeObject } from '../lib/kube-api.ts';
import { scenario } from '../lib/scenario.ts';
import { allowed, scrape, tokenOf } from '../lib/scrape.ts';
import type { World } from '../lib/world.ts';

async function processes(world: World): Promise<{ operators: KubeObject[]; speakers: KubeObject[] }> {
  const [operators, speakers] = await Promise.all(
    (['herald-operator', 'herald-speaker'] as const).map((workload) => pods(world.api, workload)),
  );
  assert.ok(operators?.length && speakers?.length, `there are processes in ${NAMESPACE}`);
  return { operators, speakers };
}

scenario('metrics', (test) => {
  test('nobody reads them without a token, or with one that no right goes with', async (world) => {
    const { operators, speakers } = await processes(world);
    const stranger = await tokenOf(world, 'stranger');
    for (const pod of [...operators, ...speakers]) {
      assert.is((await scrape(pod, [])).status, '401', pod.metadata.name);
      assert.is((await scrape(pod, ['Authorization: Bearer nonsense'])).status, '401', pod.metadata.name);
      assert.is((await scrape(pod, [`Authorization: Bearer ${stranger}`])).status, '403', pod.metadata.name);
    }
  });

  test('whoever may get /metrics reads them from every process', async (world) => {
    const { operators, speakers } = await processes(world);
    const scraper = await tokenOf(world, 'scraper');
    await allowed(world, 'scraper', async () => {
      const read = async (pod: KubeObject): Promise<string> => {
        const { status, body } = await scrape(pod, [`Authorization: Bearer ${scraper}`]);
        assert.is(status, '200', pod.metadata.name);
        assert.match(body, /^nodejs_eventloop_lag_seconds \S+$/m);
        assert.match(body, /^herald_build_info\{.*\} 1$/m);
        return body;
      };
      const ofOperators = await Promise.all(operators.map(read));
      const leaders = ofOperators.filter((body) => /^leader_election_master_status\{.*\} 1$/m.test(body));
      assert.is(leaders.length, 1, 'one operator leads');
      assert.match(leaders[0] ?? '', /^workqueue_adds_total\{name="service-address"\} \d+$/m);
      for (const body of await Promise.all(speakers.map(read)))
        assert.match(body, /^herald_heartbeats_sent_total \d+$/m);
    });
  });
});
