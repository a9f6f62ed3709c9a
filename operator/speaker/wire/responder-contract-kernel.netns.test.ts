/** The in-kernel responder against the same contract as packet sockets. Needs root, Linux 6.6 and the compiled program; run as its own process. */

import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { inKernelSurroundings, isRefusal, openInKernelResponder } from '../../host/bpf/open.ts';
import { chooseResponder } from './choose-responder.ts';
import { tellContract } from './contract/tell.ts';
import { enterNamespace, Segment } from './netns-lab.ts';

const MAC = '02:00:00:00:00:0a';

if (enterNamespace(import.meta.filename)) {
  const around = { ...inKernelSurroundings(), pinFolder: '/sys/fs/bpf/probe' };
  const opened = openInKernelResponder(around);
  if (isRefusal(opened))
    process.stdout.write(`NOT RUN: the contract of the in-kernel responder, ${opened.reason}: ${opened.message}\n`);
  else {
    opened.close();
    tellContract('kernel');
  }

  spec('the choice of a responder', (test) => {
    test('falls back to packet sockets without the capability, and says so', async () => {
      const segment = new Segment();
      try {
        const node = await segment.addNode('a', MAC, 'net_raw,net_admin', 'auto');
        await node.until(
          'Responder',
          ({ responder }: { responder: { kind: string; reason: string } }) =>
            responder.kind === 'Packet' && responder.reason === 'NoBpfCapability',
        );
        await node.until('Started');
      } finally {
        segment.close();
      }
    });

    test('asks the kernel for nothing when packet sockets are chosen', () => {
      const { inKernel, report } = chooseResponder('packet', around);
      assert.is(inKernel, undefined);
      assert.equal(report, { kind: 'Packet', reason: 'AsConfigured', message: '--l2-responder=packet' });
    });
  });
}
