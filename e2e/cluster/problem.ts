/** What a person can mend: one sentence that says what is wrong and what to do. */
export class Problem extends Error {
  readonly reason: string;
  constructor(reason: string, sentence: string) {
    super(sentence);
    this.name = 'Problem';
    this.reason = reason;
  }
}
