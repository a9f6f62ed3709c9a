import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { isRefusal, openInKernelResponder } from './open.ts';

const BPF = 1n << 39n;
const NET_ADMIN = 1n << 12n;
const status = (capabilities: bigint): string => `CapEff:\t${capabilities.toString(16).padStart(16, '0')}\n`;

spec('opening the in-kernel responder', (test) => {
  const refusal = (around: { release?: string; capabilities?: bigint; programPath?: string }): string => {
    const opened = openInKernelResponder({
      programPath: around.programPath ?? '/nowhere/responder.bpf.o',
      pinFolder: '/nowhere',
      kernelRelease: around.release ?? '6.6.0',
      processStatus: status(around.capabilities ?? BPF | NET_ADMIN),
    });
    assert.ok(isRefusal(opened));
    return `${opened.reason}: ${opened.message}`;
  };

  for (const release of ['5.15.0-91-generic', '6.5.13', '4.19'])
    test(`is refused on Linux ${release}`, () => {
      assert.match(refusal({ release }), new RegExp(`^KernelTooOld: the kernel is ${release}`));
    });

  for (const release of ['6.6', '6.12.3-talos', '7.0.0'])
    test(`goes on to the program on Linux ${release}`, () => {
      assert.match(refusal({ release }), /^ProgramMissing: /);
    });

  test('is refused without a capability, by its name', () => {
    assert.match(refusal({ capabilities: NET_ADMIN }), /^NoBpfCapability: the capability BPF is missing/);
    assert.match(refusal({ capabilities: BPF }), /^NoBpfCapability: the capability NET_ADMIN is missing/);
  });

  test('says so when the program is no program', () => {
    const folder = mkdtempSync(join(tmpdir(), 'herald-open-'));
    try {
      const programPath = join(folder, 'responder.bpf.o');
      writeFileSync(programPath, 'nonsense'.repeat(20));
      assert.match(refusal({ programPath }), /^InKernelResponderFailed: the program's file: it is no ELF file/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
