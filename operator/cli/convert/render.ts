/** A conversion as text: the manifests as YAML, with what a person should know on top. */

import { stringify } from 'yaml';
import type { Conversion } from './convert.ts';
import { remarkLine } from './remarks.ts';

/** Documents that `kubectl apply -f -` takes; the notes stand above them as comments. */
export function renderConversion({ objects, notes }: Conversion): string {
  const documents = objects.map((object) => stringify(object, { lineWidth: 0 }));
  return [notes.map((note) => `# ${remarkLine(note)}\n`).join(''), ...documents].filter(Boolean).join('---\n');
}
