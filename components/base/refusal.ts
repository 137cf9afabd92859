/**
 * A step must not be taken, or cannot be. The message is one line for the operator: the fact, and the
 * way out.
 */
export class Refusal extends Error {
  constructor(message: string) {
    super(message);
    this.name = "Refusal";
  }
}
