/** A node of the namespace tests: the real wire thread in a process of its own, steered over IPC. */

import { MessageChannel } from 'node:worker_threads';
import { startThread } from '../../host/thread.ts';
import type { ToWire } from '../messages.ts';

const thread = startThread('wire-thread', undefined);
const clock = new MessageChannel();
thread.postMessage({ kind: 'ClockPort', port: clock.port2 }, [clock.port2]);
thread.on('message', (message: unknown) => process.send?.(message));
thread.on('exit', () => process.disconnect());
process.on('message', (message: ToWire) => {
  // as in the speaker: the clock's view takes its own way to the wire
  (message.kind === 'Available' ? clock.port1 : thread).postMessage(message);
});
process.on('disconnect', () => process.exit(0));
process.send?.({ kind: 'Started' });
