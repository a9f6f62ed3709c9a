/** The wire thread's entry point: packets and nothing else, so that no answer and no takeover waits for the API server's objects. */

import { randomBytes } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { KernelHost } from '../host/kernel-host.ts';
import type { FromWire, ToWire } from './messages.ts';
import { systemClock } from './wire/clock.ts';
import { Prober } from './wire/prober.ts';
import { Wire } from './wire/wire.ts';

if (!parentPort) throw new Error('wire-thread.ts is started by startThread(), not by itself');
const main = parentPort;

const host = new KernelHost();
const post = (message: FromWire): void => main.postMessage(message);
const wire = new Wire({ host, clock: systemClock, wallClock: Date.now, post });
const prober = new Prober({ host, clock: systemClock, random: randomBytes, post });
const stop = (): void => {
  prober.close();
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
    case 'Probe':
      prober.desire(message);
      break;
    case 'ClockPort':
      message.port.on('message', onMessage);
      message.port.unref(); // main's port alone keeps the thread alive
      break;
    case 'Leave':
      prober.close();
      wire.leave();
      break;
    case 'Stop':
      stop();
      break;
  }
};
main.on('message', onMessage);
