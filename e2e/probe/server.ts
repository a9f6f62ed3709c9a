/**
 * What runs in the test pods: a UDP echo, a TCP line echo and a page, each answering with the name of the pod's node.
 *
 *   UDP 9000   "17"    -> "17 node-a"
 *   TCP 9001   "17\n"  -> "17 node-a\n"
 *   HTTP 8080          -> "served by node-a"
 */

import { createSocket } from 'node:dgram';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';

const node = process.env['NODE_NAME'] ?? 'unknown';

// One socket per family, so that a cluster without IPv6 still answers.
for (const [type, address] of [
  ['udp4', '0.0.0.0'],
  ['udp6', '::'],
] as const) {
  const socket = createSocket({ type, ipv6Only: type === 'udp6' });
  socket.on('error', (error) => console.error(`${type}: ${error.message}`));
  socket.on('message', (message, from) => socket.send(`${message} ${node}`, from.port, from.address));
  socket.bind(9000, address);
}

createServer((connection) => {
  let rest = '';
  connection.setEncoding('utf8').on('error', () => connection.destroy());
  connection.on('data', (text: string) => {
    const lines = `${rest}${text}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) connection.write(`${line} ${node}\n`);
  });
}).listen(9001);

createHttpServer((_request, response) => response.end(`served by ${node}\n`)).listen(8080);

// A pod's process is number 1 of its namespace: without a handler SIGTERM does nothing there.
process.on('SIGTERM', () => process.exit(0));
