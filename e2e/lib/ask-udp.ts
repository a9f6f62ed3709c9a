/** Asks the echo server of a Service from the client by one datagram. */

import { tryExec } from './lab.ts';
import { familyOf } from './world.ts';

const TIMEOUT_MS = 1_000;
/** Where the lab puts Node 24 on the client. */
const NODE = '/usr/local/bin/node';

/** What is answered: `17 NODE`; empty when nothing came within a second. */
export async function askUdp(address: string, port: number): Promise<string> {
  const type = familyOf(address) === 'IPv6' ? 'udp6' : 'udp4';
  const script = `
    const socket = require('node:dgram').createSocket('${type}');
    socket.on('message', (text) => { console.log(String(text)); process.exit(0); });
    socket.on('error', () => process.exit(0));
    socket.send('17', ${port}, '${address}');
    setTimeout(() => process.exit(0), ${TIMEOUT_MS});`;
  return (await tryExec('client', [NODE, '-e', script])).stdout.trim();
}
