/** What the API server would refuse of the manifests that came out, told with the place in the source. */

import { checkObject } from '../manifests/checked-object.ts';
import { kindOf } from '../manifests/known-kinds.ts';
import type { Manifest } from '../manifests/manifest.ts';
import type { ConvertedObject } from './converted-object.ts';
import type { Remarks } from './remarks.ts';

/** Notes, not errors: the manifests are what the source says, and the source is what wants mending. */
export function noteRefusals(object: ConvertedObject, place: string, remarks: Remarks): void {
  const { apiVersion, kind, metadata } = object;
  const manifest: Manifest = {
    apiVersion,
    kind,
    ...metadata,
    content: { ...object },
    placeOf: () => ({ file: '', line: 1, document: 1 }),
  };
  const definition = kindOf(manifest);
  if (!definition || 'severity' in definition) return;
  for (const { field = '', message } of checkObject(manifest, definition).problems) {
    // The sentence may repeat the value.
    const sentence = field.includes('password') ? 'cannot be used' : message;
    remarks.note(place, `${kind} ${metadata.name} will be refused: ${field || 'it'} ${sentence}`);
  }
}
