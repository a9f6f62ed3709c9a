/** Reads the metrics of another process of this host. */

import { get } from 'node:http';

/** More than any process here writes. */
const MAX_LENGTH = 8 * 2 ** 20;

/**
 * The text at `url`, which is plain HTTP on this host.
 *
 * @throws {Error} when nobody answers within `timeoutMs`, or with anything but 200
 */
export function readMetrics(url: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const request = get(url, { agent: false, signal }, (response) => {
      if (response.statusCode !== 200) {
        response.resume();
        reject(new Error(`${url} answered ${response.statusCode}`));
        return;
      }
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        if (text.length > MAX_LENGTH) response.destroy(new Error(`${url} answered more than ${MAX_LENGTH} octets`));
      });
      response.on('end', () => resolve(text));
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}
