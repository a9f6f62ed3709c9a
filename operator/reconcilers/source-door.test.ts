import * as assert from 'uvu/assert';
import { AddressServer } from '../../testing/address-server.ts';
import { pool } from '../../testing/allocation.ts';
import { rejection, spec } from '../../testing/spec.ts';
import type { ApiConnection, ApiRequest } from '../cluster/api-connection.ts';
import { ApiError } from '../cluster/api-error.ts';
import { LeadershipLostError, Term } from '../cluster/leader-term.ts';
import { SourceError } from '../sources/address-source.ts';
import { ClusterSources, Orders, readSourceSecret } from './source-door.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const SIGNAL = new AbortController().signal;

/** @param secret its data, or the status that a read of it is refused with */
function door(secret: Record<string, string> | number, until = 10_000) {
  const asked: string[] = [];
  const connection = {
    request: async ({ method, path }: ApiRequest) => {
      asked.push(`${method} ${path}`);
      if (typeof secret === 'number') throw new ApiError(secret, secret === 403 ? 'Forbidden' : 'NotFound', 'refused');
      return { metadata: { name: 'ipam' }, data: secret };
    },
  } as unknown as ApiConnection;
  return { asked, sources: new ClusterSources({ connection, term: new Term(until, 1_000, () => 0, 3) }) };
}
const withSecret = (url: string) =>
  pool('a', { source: { http: { url, secretRef: { name: 'ipam' }, timeout: '2s' } } });

spec('the door to external sources', (test) => {
  test("presents the token of the Secret in the pool's namespace", async () => {
    const server = await new AddressServer({ addresses: [], token: 'tok-1' }).start();
    const { asked, sources } = door({ token: base64('tok-1\n') });
    const source = await sources.open(withSecret(server.url));
    assert.equal(await source.list('cluster-1', SIGNAL), []);
    assert.equal(asked, ['GET /api/v1/namespaces/herald-system/secrets/ipam']);
    source.close();
    await server.stop();
  });

  test('sends nothing when the term has not long enough to go', async () => {
    const server = await new AddressServer({ addresses: [] }).start();
    const source = await door({ token: base64('t') }, 500).sources.open(withSecret(server.url));
    await rejection(LeadershipLostError, () => source.release('a', sources.nextOrder(), SIGNAL));
    assert.equal(server.done, []);
    source.close();
    await server.stop();
  });
  const { sources } = door({});

  test('says what is wrong with the Secret, and never what is in it', async () => {
    const cases: [data: Record<string, string> | number, words: RegExp][] = [
      [404, /^there is no Secret herald-system\/ipam; create it$/],
      [
        403,
        /^Herald may not read Secret herald-system\/ipam; let the ServiceAccount herald-operator get Secrets there$/,
      ],
      [{}, /has neither token nor ca\.crt; fill it$/],
      [{ token: base64('s3cret with blanks') }, /^the token in .* has characters that no HTTP header takes$/],
      [{ 'ca.crt': base64('s3cret') }, /^ca\.crt in .* is no certificate in PEM$/],
    ];
    for (const [data, words] of cases) {
      const error = await rejection(SourceError, () => door(data).sources.open(withSecret('http://127.0.0.1:1')));
      assert.is(error.reason, 'BadSecret');
      assert.match(error.message, words);
      assert.not.match(error.message, /s3cret/);
    }
    assert.equal(readSourceSecret({ metadata: { name: 'x' }, data: { token: base64('t') } }, 'Secret x'), {
      token: 't',
    });
  });
});

spec('orders', (test) => {
  const orders = (term: number, now: () => number) => new Orders(term, now);
  test('grow with each request, with a new process of the same term, and with the term', () => {
    const first = orders(9, () => 100);
    const row = [first.next(), first.next(), orders(9, () => 2_000_000).next(), orders(10, () => 5).next()];
    assert.equal(row, [...row].sort());
    assert.is(new Set(row).size, row.length);
  });
  test('go above what a source has seen, and on from there', () => {
    const now = orders(0, () => 100);
    const seen = orders(7, () => 900).next();
    const row = [now.next(), seen, now.next(seen), now.next(), now.next()];
    assert.equal(row, [...row].sort());
    assert.is(new Set(row).size, row.length);
  });
});
