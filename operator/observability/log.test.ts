import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { createLogger, type LogLevel } from './log.ts';

function linesOf(level: LogLevel, use: (log: ReturnType<typeof createLogger>) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  use(createLogger({ level, write: (line) => lines.push(line), now: () => new Date(0) }));
  assert.ok(lines.every((line) => line.endsWith('\n') && line.indexOf('\n') === line.length - 1));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

spec('log', (test) => {
  test('writes one JSON object per line, with the fields of its parents', () => {
    const lines = linesOf('info', (log) =>
      log.child({ node: 'a' }).info('address announced', { address: '192.0.2.1' }),
    );
    assert.equal(lines, [
      {
        time: '1970-01-01T00:00:00.000Z',
        level: 'info',
        message: 'address announced',
        node: 'a',
        address: '192.0.2.1',
      },
    ]);
  });

  const kept: [LogLevel, string][] = [
    ['all', 'debug info warn error'],
    ['debug', 'debug info warn error'],
    ['info', 'info warn error'],
    ['warn', 'warn error'],
    ['error', 'error'],
    ['none', ''],
  ];
  for (const [level, words] of kept)
    test(`at level ${level} keeps ${words || 'nothing'}`, () => {
      const lines = linesOf(level, (log) => {
        for (const word of ['debug', 'info', 'warn', 'error'] as const) log[word]('said');
      });
      assert.is(lines.map((line) => line['level']).join(' '), words);
    });

  test('never writes a secret, by its name or by its look', () => {
    const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl';
    const secrets = {
      token: 's3cret',
      authorization: 's3cret',
      headers: { 'proxy-authorization': 's3cret', 'set-cookie': 's3cret' },
      memberKey: 's3cret',
      password: 's3cret',
      octets: new TextEncoder().encode('s3cret'),
      object: { kind: 'Secret', data: { key: 's3cret' }, stringData: { key: 's3cret' } },
      text: `header Bearer s3cret and ${jwt}`,
      pem: '-----BEGIN EC PRIVATE KEY-----\ns3cret\n-----END EC PRIVATE KEY-----',
      error: new Error(`refused ${jwt}`, { cause: Object.assign(new Error('inner'), { token: 's3cret' }) }),
    };
    const text = JSON.stringify(linesOf('info', (log) => log.info(`with ${jwt}`, secrets)));
    for (const leak of ['s3cret', 'eyJ', '115,51,99']) assert.not.ok(text.includes(leak), text);
  });

  test('keeps the key of an object, which is no secret', () => {
    assert.is(linesOf('info', (log) => log.info('queued', { key: 'shop/web' }))[0]?.['key'], 'shop/web');
  });

  test('prints an error with its reason, cause and place', () => {
    const error = Object.assign(new Error('refused', { cause: new Error('no route') }), { reason: 'Unreachable' });
    const [line] = linesOf('info', (log) => log.error('watch ended', { error }));
    const printed = line?.['error'] as { reason: string; cause: { message: string }; at: string[] };
    assert.is(printed.reason, 'Unreachable');
    assert.is(printed.cause.message, 'no route');
    assert.match(printed.at[0] ?? '', 'log.test.ts');
  });

  test('survives what JSON cannot hold', () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    const [line] = linesOf('info', (log) => log.info('odd', { big: 1n, map: new Map([['a', new Set([1])]]), loop }));
    assert.is(line?.['big'], '1');
    assert.equal(line?.['map'], { a: [1] });
  });

  test('lets no field replace its own', () => {
    const [line] = linesOf('info', (log) => log.info('true message', { message: 'false', level: 'none', time: 0 }));
    assert.equal([line?.['message'], line?.['level']], ['true message', 'info']);
  });
});
