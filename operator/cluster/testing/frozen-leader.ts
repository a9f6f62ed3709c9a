/**
 * A leader in a process of its own, so that a test can freeze it: it writes its name into a ConfigMap, as often as it
 * may and with no precondition, and tells on standard output what it does.
 *
 *   node frozen-leader.ts ADDRESS IDENTITY
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { LeaderElection } from '../leader-election.ts';
import type { LeaderTerm } from '../leader-term.ts';
import { write } from '../requests.ts';
import { connectTo } from './kube-api-server.ts';
import { memoryLogger } from './waiting.ts';

const [, , address = '', identity = ''] = process.argv;
const connection = connectTo(address);
const election = new LeaderElection({
  connection,
  namespace: 'default',
  name: 'frozen',
  identity,
  log: memoryLogger(),
});
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());

async function writeWhile(term: LeaderTerm): Promise<void> {
  for (let count = 1; !term.signal.aborted; count += 1) {
    try {
      const body = { data: { [`${identity}-${count}`]: new Date().toISOString() } };
      const path = '/api/v1/namespaces/default/configmaps/writes';
      await write(connection, { method: 'PATCH', path, body, contentType: 'application/merge-patch+json' }, term);
    } catch {
      process.stdout.write('refused\n');
    }
    await sleep(5);
  }
}

let work: Promise<void> | undefined;
await election.run(
  {
    onStartedLeading(term) {
      process.stdout.write('started\n');
      work = writeWhile(term);
    },
    async onStoppedLeading() {
      await work;
      process.stdout.write('stopped\n');
    },
  },
  stop.signal,
);
connection.close();
