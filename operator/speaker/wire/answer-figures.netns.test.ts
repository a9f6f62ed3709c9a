/**
 * How soon and how much both responders answer, beside what answers without them, in the same run. Needs root.
 *
 * The bars are twice those of `make bench`, which runs this file with REQUESTS=2000 and reads the figures from FIGURES.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { inKernelSurroundings, isRefusal, openInKernelResponder } from '../../host/bpf/open.ts';
import { Asker } from './contract/asker.ts';
import { onStage, type Stage, V4 } from './contract/stage.ts';
import { enterNamespace, type LabNode } from './netns-lab.ts';

const REQUESTS = Number(process.env['REQUESTS'] ?? 300);
const FLOOD_SECONDS = 2;
/** 1 for `make bench`. */
const TOLERANCE = Number(process.env['TOLERANCE'] ?? 2);
const KERNELS_OWN = '192.0.2.98';
const PLAIN = '192.0.2.99';
const STATISTICS = '/proc/sys/kernel/bpf_stats_enabled';

const figures: Record<string, unknown> = {};
const at = (samples: readonly number[], share: number): number =>
  samples.toSorted((a, b) => a - b)[Math.min(samples.length - 1, Math.floor(samples.length * share))] ?? Number.NaN;
const told = (what: string, samples: readonly number[]): void => {
  figures[what] = samples;
  process.stdout.write(`${what}: median ${at(samples, 0.5).toFixed(0)} us, p99 ${at(samples, 0.99).toFixed(0)} us\n`);
};

/** Asks for two addresses in turns, so that both meet the same machine. */
function inTurns(asker: Asker, targets: readonly [string, string]): readonly [number[], number[]] {
  const samples: [number[], number[]] = [[], []];
  for (let n = 0; n < REQUESTS; n += 20)
    for (const [which, target] of targets.entries()) {
      const { samples: answered, lost } = asker.latencies(target, 20, 1);
      assert.is(lost, 0, `${target}: every request is answered`);
      samples[which === 0 ? 0 : 1].push(...answered);
    }
  return samples;
}

async function withAsker(
  choice: 'kernel' | 'packet',
  body: (asker: Asker, stage: Stage) => Promise<void> | void,
): Promise<void> {
  await onStage(choice, async (stage) => {
    // what is measured is the answer: the lab's lease is a tenth of a second, and its renewal shares the processor
    stage.node.send({ kind: 'ExtendLease', milliseconds: 600_000 });
    const asker = new Asker(stage.segment.name);
    try {
      await body(asker, stage);
    } finally {
      asker.close();
    }
  });
}

/** Nanoseconds that the program took in all, and how often it ran. */
function programOf(pid: number): { readonly nanoseconds: number; readonly runs: number } {
  for (const fd of readdirSync(`/proc/${pid}/fdinfo`)) {
    const info = readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8');
    const read = (name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(info)?.[1] ?? 0);
    if (/^prog_type:\s*3$/m.test(info)) return { nanoseconds: read('run_time_ns'), runs: read('run_cnt') };
  }
  throw new Error('the node holds no program');
}

/** Runs `body` while a program in C answers for an address on the node too; without a compiler there is no such address. */
async function besidePlainResponder(node: LabNode, body: (address: string | undefined) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'herald-plain-'));
  let plain: ChildProcess | undefined;
  try {
    const program = compiled(join(folder, 'plain-responder'));
    if (program !== undefined) {
      plain = spawn('nsenter', ['-t', `${node.pid}`, '-n', program, 'eth0', PLAIN], { stdio: 'inherit' });
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    body(plain && PLAIN);
  } finally {
    plain?.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
}

function compiled(program: string): string | undefined {
  const source = join(import.meta.dirname, 'contract/plain-responder.c');
  try {
    execFileSync('cc', ['-O2', '-o', program, source], { stdio: 'pipe' });
    return program;
  } catch {
    process.stdout.write('NOT RUN: the comparison with a plain responder, there is no C compiler\n');
    return undefined;
  }
}

if (enterNamespace(import.meta.filename)) {
  const opened = openInKernelResponder({ ...inKernelSurroundings(), pinFolder: '/sys/fs/bpf/probe' });
  const hasKernel = !isRefusal(opened);
  if (isRefusal(opened))
    process.stdout.write(`NOT RUN: the in-kernel responder, ${opened.reason}: ${opened.message}\n`);
  else opened.close();

  spec(
    'figures of the responders',
    (test) => {
      if (hasKernel)
        test("in the kernel: about as soon as the kernel's own reply", () =>
          withAsker('kernel', async (asker, { node }) => {
            node.run(`ip addr add ${KERNELS_OWN}/24 dev eth0`);
            const [ours, own] = inTurns(asker, [V4, KERNELS_OWN]);
            told('l2.answer.kernel', ours);
            told("the kernel's own ARP reply", own);
            assert.ok(at(ours, 0.5) <= at(own, 0.5) * 1.5 * TOLERANCE);
          }));

      if (hasKernel)
        test('in the kernel: 20,000 requests a second, every one answered', () =>
          withAsker('kernel', async (asker, { node }) => {
            writeFileSync(STATISTICS, '1');
            try {
              const before = programOf(node.processId);
              const { sent, answered } = asker.flood(V4, 20_000, FLOOD_SECONDS);
              const after = programOf(node.processId);
              const perPacket = (after.nanoseconds - before.nanoseconds) / (after.runs - before.runs);
              figures['l2.flood'] = { sent, answered, perPacket };
              process.stdout.write(
                `l2.flood: ${answered} of ${sent} answered, ${perPacket.toFixed(0)} ns per packet\n`,
              );
              assert.is(answered, sent);
              assert.ok(perPacket <= 500 * TOLERANCE);
            } finally {
              writeFileSync(STATISTICS, '0');
            }
          }));

      test('through packets: not much later than a plain responder in C', () =>
        withAsker('packet', (asker, { node }) =>
          besidePlainResponder(node, (plain) => {
            const [ours, floor] = inTurns(asker, [V4, plain ?? V4]);
            told('l2.answer.packet', ours);
            if (plain === undefined) return;
            told('a plain C responder', floor);
            assert.ok(at(ours, 0.99) <= at(floor, 0.99) * 3 * TOLERANCE);
          }),
        ));

      test('through packets: of 5,000 requests a second 99.9 % are answered', () =>
        withAsker('packet', async (asker) => {
          const { sent, answered } = asker.flood(V4, 5_000, FLOOD_SECONDS);
          figures['l2.flood.packet'] = { sent, answered };
          process.stdout.write(`flood through packets: ${answered} of ${sent} answered\n`);
          assert.ok(sent - answered <= sent * 0.001 * TOLERANCE, `${answered} of ${sent}`);
        }));

      test('the figures are kept for who asks', () => {
        if (process.env['FIGURES']) writeFileSync(process.env['FIGURES'], JSON.stringify(figures));
      });
    },
    { timeoutMs: 120_000 },
  );
}
