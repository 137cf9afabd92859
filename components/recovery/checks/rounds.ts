/**
 * Asks some brokers whether they are there, in the rounds of a wait: after the first round those only that were
 * not, and once these are, the others again, for what they said then may be long ago.
 */
export class Rounds {
  private left: readonly number[];

  /**
   * @param brokers whom it is about
   * @param ask what is wrong with one of them, or undefined
   */
  constructor(
    readonly brokers: readonly number[],
    private readonly ask: (id: number) => Promise<string | undefined>,
  ) {
    this.left = brokers;
  }

  /** What is wrong, by broker: nothing only when each of them has just been asked. */
  async look(): Promise<Map<number, string>> {
    const asked = this.left;
    let wrong = await this.wrongOf(asked);
    if (wrong.size === 0) {
      wrong = await this.wrongOf(this.brokers.filter((id) => !asked.includes(id)));
    }
    this.left = wrong.size === 0 ? this.brokers : [...wrong.keys()];
    return wrong;
  }

  private async wrongOf(brokers: readonly number[]): Promise<Map<number, string>> {
    const answers = await Promise.all(
      brokers.map(async (id) => ({ id, wrong: await this.ask(id) })),
    );
    return new Map(
      answers.flatMap(({ id, wrong }): [number, string][] =>
        wrong === undefined ? [] : [[id, wrong]],
      ),
    );
  }
}
