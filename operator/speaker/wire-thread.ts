/** The wire thread's entry point: packets and nothing else, so that no answer and no takeover waits for the API server's objects. */

import { parentPort } from 'node:worker_threads';
import { KernelHost } from '../host/kernel-host.ts';
import type { FromWire, ToWire } from './messages.ts';
import { systemClock } from './wire/clock.ts';
import { Wire } from './wire/wire.ts';

if (!parentPort) throw new Error('wire-thread.ts is started by startThread(), not by itself');
const main = parentPort;

const wire = new Wire({
  host: new KernelHost(),
  clock: systemClock,
  wallClock: Date.now,
  post: (message: FromWire) => main.postMessage(message),
});
const stop = (): void => {
  wire.stop();
  main.close();
};
// the thread must not die with open sockets (operator/host/thread.ts): it says what happened, closes them, and ends
process.on('uncaughtException', (error) => {
  main.postMessage({ kind: 'Fault', reason: 'WireThreadFailed', message: `${error.stack}`, fatal: true });
  stop();
});
const onMessage = (message: ToWire): void => {
  switch (message.kind) {
    case 'Desired':
      wire.desire(message);
      break;
    case 'Available':
      wire.available(message);
      break;
    case 'ClockPort':
      message.port.on('message', onMessage);
      message.port.unref(); // main's port alone keeps the thread alive
      break;
    case 'Leave':
      wire.leave();
      break;
    case 'Stop':
      stop();
      break;
  }
};
main.on('message', onMessage);
