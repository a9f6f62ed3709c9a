import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { readMetrics } from './local-metrics.ts';

spec('metrics of another process', (test) => {
  const rows: [name: string, answers: number | 'never', gives: RegExp][] = [
    ['are read', 200, /^up 1$/],
    ['are nothing where it answers otherwise', 403, /answered 403/],
    ['are not waited for longer than asked', 'never', /aborted/],
  ];
  for (const [name, answers, gives] of rows)
    test(name, async () => {
      const server = createServer((_request, response) => {
        if (answers !== 'never') response.writeHead(answers).end('up 1');
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      const said = await readMetrics(`http://127.0.0.1:${port}/metrics`, 200).catch((error: Error) => error.message);
      server.closeAllConnections();
      server.close();
      assert.match(said, gives);
    });
  test('are nothing where nobody listens', async () => {
    const said = await readMetrics('http://127.0.0.1:1/metrics', 200).catch((error: Error) => error.message);
    assert.match(said, /ECONNREFUSED/);
  });
});
