/** Makes the client forget who has an address: each probe then asks the segment, as a client that never spoke before. */

import { spawn } from 'node:child_process';

/** From iproute2, on the client. */
const IP = '/sbin/ip';

export interface Neighbours {
  forget(): void;
  close(): void;
}

/** One `ip` that reads its commands from a pipe: starting one for each probe would cost more than the probe. */
export function forgetting(address: string | undefined): Neighbours {
  if (address === undefined) return { forget: () => undefined, close: () => undefined };
  const ip = spawn(IP, ['-force', '-batch', '-'], { stdio: ['pipe', 'ignore', 'ignore'] });
  ip.stdin.on('error', () => undefined);
  return {
    forget: () => ip.stdin.write(`neigh flush to ${address} dev eth0\n`),
    close: () => ip.stdin.end(),
  };
}
