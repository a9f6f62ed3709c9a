/**
 * `make demo`: from a fresh machine to a Service that a client outside of the cluster has fetched, then a cut link and
 * the time until another node took over. It ends with 0 only if everything it says was seen to be true.
 */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { repository } from '../cluster/places.ts';

const startedAt = performance.now();
const say = (text: string): void => console.log(text);

say(`Herald gives Services of type LoadBalancer real addresses and makes the network find them.
This demo builds a Kubernetes cluster of three nodes and a client outside of it on this machine, builds and installs
Herald, publishes a Service, and then cuts the link of the node that answers for it. Cold it takes up to 25 minutes,
nearly all of it for building the cluster's images; with caches under 5. It can be run again at any time.
What it installs stays within ~/.cache/herald, node_modules and Debian packages that the first step names.`);

const steps: readonly { readonly title: string; readonly command: readonly string[] }[] = [
  {
    title: 'a cluster: one control plane, two workers, dual stack, and the hosts client and router',
    command: ['make', 'cluster'],
  },
  { title: "Herald's image: one bundle and Node 24, from package registries", command: ['make', 'image'] },
  {
    title: 'the tour: install, publish, look, cut',
    command: [
      join(repository, 'e2e/cluster/lab'),
      'exec',
      'host',
      '--',
      process.execPath,
      join(repository, 'e2e/demo/tour.ts'),
    ],
  },
];

for (const [at, { title, command }] of steps.entries()) {
  say(`\n=== ${at + 1} of ${steps.length}: ${title}`);
  const stepStartedAt = performance.now();
  const [program = '', ...args] = command;
  const { status, signal } = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'], cwd: repository });
  if (status !== 0) {
    say(
      `\nThe demo ends here: \`${command.join(' ')}\` ended with ${status ?? signal}. Run \`make demo\` again to go on.`,
    );
    process.exit(1);
  }
  say(`(${((performance.now() - stepStartedAt) / 1000).toFixed(0)} s)`);
}

say(`
Everything above was measured, not assumed. It took ${((performance.now() - startedAt) / 60_000).toFixed(1)} minutes.
The cluster stays up, with the Service of the demo in the namespace demo:
  make shell                                         a shell where kubectl works; try: kubectl get herald -A
  e2e/cluster/lab exec client -- curl -s ADDRESS     what a client outside of the cluster sees
  e2e/cluster/lab help                               cut, heal and kill nodes yourself
  make cluster-down                                  remove the cluster, the hosts and their network`);
