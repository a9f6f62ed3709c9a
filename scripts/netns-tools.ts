/** Installs what the tests in network namespaces call, where this machine lacks it, and says what; compiles the program for the kernel. */

import { mkdirSync } from 'node:fs';
import { install, isCommand } from '../e2e/cluster/debian.ts';
import { bpfProgram } from '../image/bpf-program.ts';

const PACKAGE_OF: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
  sysctl: 'procps',
  unshare: 'util-linux',
};

const missing = Object.keys(PACKAGE_OF).filter((command) => !isCommand(command));
const packages = [...new Set(missing.map((command) => PACKAGE_OF[command] ?? ''))];
if (packages.length > 0) {
  console.log(`installing Debian packages: ${packages.join(', ')}`);
  mkdirSync('build', { recursive: true });
  await install(packages, 'build/netns-tools.log');
}
const program = bpfProgram();
if ('why' in program) console.log(`the in-kernel responder is not tested: ${program.why}`);
