/** The numbers that stand for nodes in heartbeats. */

import { createHash } from 'node:crypto';

/** The first 32 bits of sha256(name). Two names that collide still differ by incarnation. */
export const nodeIdOf = (node: string): number => createHash('sha256').update(node).digest().readUInt32BE(0);
