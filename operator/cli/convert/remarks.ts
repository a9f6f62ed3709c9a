/** What a conversion says beside its manifests: things that a person should know, and things that are wrong. */

/** `place` is `file:line`, and inside of a text that holds another one `file:line, line n of data.config`. */
export interface Remark {
  readonly place: string;
  readonly message: string;
}

export class Remarks {
  /** What has no equal, or wants a decision; the manifests are good without it. */
  readonly notes: Remark[] = [];
  /** What cannot be read; there are no manifests then. */
  readonly errors: Remark[] = [];

  note(place: string, message: string): void {
    this.notes.push({ place, message });
  }

  error(place: string, message: string): void {
    this.errors.push({ place, message });
  }
}

/** `pools.yaml:12: protocol must be layer2 or bgp`. */
export const remarkLine = ({ place, message }: Remark): string => `${place}: ${message}`;
