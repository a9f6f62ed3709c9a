/** Both responders against one contract, on a real kernel with real clients. Needs root; run as its own process. */

import { spec } from '../../../testing/spec.ts';
import { inKernelSurroundings, isRefusal, openInKernelResponder } from '../../host/bpf/open.ts';
import { answers } from './contract/answers.ts';
import { lifetime } from './contract/lifetime.ts';
import { refusals } from './contract/refusals.ts';
import { enterNamespace } from './netns-lab.ts';

const TIMEOUT_MS = 60_000;

if (enterNamespace(import.meta.filename)) {
  const opened = openInKernelResponder({ ...inKernelSurroundings(), pinFolder: '/sys/fs/bpf/probe' });
  const choices = isRefusal(opened) ? (['packet'] as const) : (['packet', 'kernel'] as const);
  if (isRefusal(opened))
    process.stdout.write(`NOT RUN: the in-kernel responder, ${opened.reason}: ${opened.message}\n`);
  else opened.close();
  for (const choice of choices)
    spec(
      `responder ${choice}`,
      (test) => {
        answers(test, choice);
        refusals(test, choice);
        lifetime(test, choice);
      },
      { timeoutMs: TIMEOUT_MS },
    );
}
