// Whether something that the server tells again and again has changed.

export class Changes {
  /** `pick` takes what counts from what the server tells. */
  constructor(pick) {
    this.pick = pick;
  }

  /** Whether what counts differs from the last time; `first` is the answer at the first time. */
  differs(told, first) {
    const before = this.text;
    this.text = JSON.stringify(this.pick(told));
    return before === undefined ? first : this.text !== before;
  }
}
