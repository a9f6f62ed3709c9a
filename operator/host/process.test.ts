import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { describeMissing, missingCapabilities } from './capabilities.ts';
import { threadModule } from './thread.ts';

spec('capabilities', (test) => {
  const status = (effective: string): string =>
    `Name:\tnode\nCapInh:\t0000000000000000\nCapEff:\t${effective}\nSeccomp:\t2\n`;
  const rows: [name: string, effective: string, missing: string[]][] = [
    ['all', '000001ffffffffff', []],
    ['those of the speaker', '0000008000003000', []],
    ['none', '0000000000000000', ['NET_RAW', 'NET_ADMIN', 'BPF']],
    ['those of a container by default', '00000000a80425fb', ['NET_ADMIN', 'BPF']],
    ['NET_ADMIN and BPF', '0000008000001000', ['NET_RAW']],
  ];
  for (const [name, effective, missing] of rows)
    test(`a process with ${name} lacks ${missing.join(', ') || 'nothing'}`, () => {
      const read = missingCapabilities(['NET_RAW', 'NET_ADMIN', 'BPF'], status(effective));
      assert.equal(
        read.map(({ name }) => name),
        missing,
      );
    });
  test('says which one is missing, why it is needed and where it is given', () => {
    const [missing] = missingCapabilities(['NET_RAW'], status('0000000000000000'));
    assert.ok(missing);
    assert.match(describeMissing(missing), /NET_RAW is missing.*packet sockets.*capabilities\.add/);
  });
});

spec('threads', (test) => {
  const rows: [importedFrom: string, module: string][] = [
    ['file:///herald/operator/host/thread.ts', 'file:///herald/operator/speaker/wire-thread.ts'],
    ['file:///app/dist/main.js', 'file:///app/dist/wire-thread.js'],
    ['file:///app/dist/speaker-AB12.js', 'file:///app/dist/wire-thread.js'],
  ];
  for (const [importedFrom, module] of rows)
    test(`from ${importedFrom} the wire thread is ${module}`, () =>
      assert.is(threadModule('wire-thread', importedFrom).href, module));
});
